//! The dashboard's files, as they lie in the repository and as they are served.

use std::collections::BTreeSet;
use std::path::Path;

use super::support::{Memory, ask, site};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/dashboard");

/// Files of a folder: path below `/assets/` and text.
fn files(folder: &str, prefix: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(Path::new(FOLDER).join(folder)).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
    let served = named.filter(|(name, _)| [".js", ".css", ".svg"].iter().any(|ending| name.ends_with(ending)));
    served.map(|(name, path)| (format!("{prefix}{name}"), std::fs::read_to_string(path).unwrap())).collect()
}

/// Our own files; what others wrote is beside them.
fn own() -> Vec<(String, String)> {
    [files("", ""), files("pages", "pages/")].concat()
}

#[tokio::test]
async fn every_file_is_served_as_it_is() {
    let site = site(&Memory::new());
    let all = [own(), files("vendor", "")].concat();
    assert!(all.len() > 20, "{}", all.len());
    for (name, text) in all {
        let answered = ask(&site, &format!("/assets/{name}"), &[]).await;
        assert_eq!(answered.status, 200, "{name}");
        assert_eq!(answered.text, text, "{name}");
        let expected = match name.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(answered.header("content-type"), expected, "{name}");
        let tag = answered.header("etag");
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"older\", {tag}")] {
            let again = ask(&site, &format!("/assets/{name}"), &[("if-none-match", &known)]).await;
            assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{name} {known}");
        }
    }
    for nothing in ["/assets/", "/assets/nothing.js", "/assets/pages/main.js", "/assets/../mod.rs", "/assets/mod.rs"] {
        assert_eq!(ask(&site, nothing, &[]).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn the_page_may_load_its_own_files_and_nothing_else() {
    let site = site(&Memory::new());
    for path in ["/", "/assets/main.js", "/assets/style.css"] {
        let answered = ask(&site, path, &[]).await;
        let policy = answered.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answered.header("x-content-type-options"), "nosniff");
        assert_eq!(answered.header("referrer-policy"), "no-referrer");
        assert_eq!(answered.header("cache-control"), "no-cache");
    }
}

#[tokio::test]
async fn what_files_name_is_there() {
    let site = site(&Memory::new());
    let index = ask(&site, "/", &[]).await.text;
    let mut named: BTreeSet<String> =
        index.split('"').filter(|part| part.starts_with("assets/")).map(|part| format!("/{part}")).collect();
    assert!(named.len() >= 7, "{named:?}");
    for (file, text) in own() {
        for import in text.lines().filter_map(|line| line.strip_prefix("import ")?.split('\'').nth(1)) {
            let folder = if file.starts_with("pages/") && !import.starts_with("..") { "pages/" } else { "" };
            let name = import.trim_start_matches("../").trim_start_matches("./");
            named.insert(format!("/assets/{folder}{name}"));
        }
    }
    for path in named {
        assert_eq!(ask(&site, &path, &[]).await.status, 200, "{path}");
    }
}

/// "Query text can never run as markup" (issue 7); "no outside request".
#[test]
fn no_file_makes_markup_of_text_or_asks_anybody_else() {
    const BANNED: [&str; 9] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "new Function",
        "srcdoc",
    ];
    for (name, text) in own() {
        for word in BANNED {
            assert!(!text.contains(word), "{name} has {word}");
        }
        for address in text.split("://").skip(1) {
            assert!(
                address.starts_with("www.w3.org/"),
                "{name} names another site: {}",
                address.lines().next().unwrap()
            );
        }
    }
}
