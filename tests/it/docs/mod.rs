//! What the documents say to do is done: [`command`] what stands in them, [`site`] where it is run, [`privileges`] that
//! the rights which they name are enough.
//!
//! README.md and `docs/*.md`, each fenced block of `sh`, `console` and `sql`. Where JSON is shown below a command, its
//! answer has these fields. A command that can't be run here is in [`EXEMPT`], with the reason.

mod command;
mod privileges;
mod site;

use std::collections::BTreeSet;

use command::{commands, fields};
use site::Site;

use crate::support::address::Closed;
use crate::support::document::{all, blocks};
use crate::support::tool::Tool;

/// Commands that are not run here: document, how they begin, why.
const EXEMPT: &[(&str, &str, &str)] = &[
    ("README.md", "make demo", "runs until somebody ends it; examples/demo is built by each test run"),
    ("README.md", "make test", "is what runs this test"),
    ("README.md", "cargo install", "builds a release for minutes"),
    ("docs/demo.md", "createdb", "tests/it/demo.rs has a database of its own"),
    ("docs/demo.md", "pgvitals demo", "tests/it/demo.rs plays it, for it takes a while"),
    ("docs/fleet.md", "cargo build --release", "builds a release for minutes"),
    ("docs/kubernetes.md", "docker build", "wants a container runtime; deploy/image.rs judges the Dockerfile"),
    ("docs/fleet.md", "python3 benches/", "measures for minutes, alone on its machine"),
];

/// Documents that another test runs.
const RUN_ELSEWHERE: &[(&str, &str)] =
    &[("docs/sql.md", "store/questions.rs, on each version"), ("docs/privileges.md", "privileges.rs, on each version")];

/// Documents with JSON that no command answers with.
const OTHER_JSON: &[(&str, &str)] = &[
    ("docs/http.md", "requests and answers, which a test of their own compares"),
    ("docs/notify.md", "what a webhook gets, which notify/posts.rs receives"),
];

/// Words that begin a command: a block that begins with one says what it is in.
const PROGRAMS: [&str; 9] =
    ["cargo ", "curl ", "docker ", "kubectl ", "make ", "pgvitals ", "psql ", "python3 ", "select "];

/// "Each command in the docs is run by a test" (issue 7)
#[test]
fn each_command_of_the_documents_runs() {
    let site = Site::new();
    let (mut wrong, mut exempt, mut ran) = (Vec::new(), BTreeSet::new(), 0);
    let elsewhere = |path: &str| RUN_ELSEWHERE.iter().any(|(known, _)| *known == path);
    for path in all().into_iter().filter(|path| !elsewhere(path)) {
        let mut answers = String::new();
        for block in blocks(&path) {
            let place = format!("{path}:{}", block.line);
            match block.language.as_str() {
                "sh" | "console" | "sql" => {
                    answers.clear();
                    for command in commands(&block) {
                        let known = |(at, begin, _): &(&str, &str, _)| *at == path && command.text.starts_with(begin);
                        if let Some(found) = EXEMPT.iter().position(known) {
                            exempt.insert(found);
                            continue;
                        }
                        ran += 1;
                        match site.run(&block.language, &command.text) {
                            Ok(answer) => {
                                wrong.extend(command.misses(&answer).map(|line| {
                                    format!("{place}: `{}` does not show: {line}\nbut: {answer}", command.text)
                                }));
                                answers.push_str(&answer);
                            }
                            Err(why) => wrong.push(format!("{place}: `{}`: {why}", command.text)),
                        }
                    }
                }
                "json" if !OTHER_JSON.iter().any(|(known, _)| *known == path) => {
                    let mut missing = fields(&block.text);
                    missing.retain(|field| !answers.contains(&format!("\"{field}\":")));
                    if !missing.is_empty() {
                        wrong.push(format!("{place}: shown and not answered: {missing:?} in {answers}"));
                    }
                }
                "" if PROGRAMS.iter().any(|program| block.text.starts_with(program)) => {
                    wrong.push(format!("{place}: commands are fenced as sh, console or sql, so that they are run"));
                }
                _ => {}
            }
        }
    }
    let stale = EXEMPT.iter().enumerate().filter(|(index, _)| !exempt.contains(index));
    wrong.extend(stale.map(|(_, (path, begin, _))| format!("no command of {path} begins with `{begin}` any more")));
    assert!(ran > 20, "only {ran} commands were found");
    assert!(wrong.is_empty(), "{} of {ran} commands:\n{}", wrong.len(), wrong.join("\n"));
}

/// Configuration in the documents means something: a document's blocks of TOML together are settings that can be used.
#[test]
fn each_configuration_of_the_documents_can_be_used() {
    let home = tempfile::tempdir().unwrap();
    let (secrets, file) = (home.path().join("secrets"), home.path().join("pgvitals.toml"));
    std::fs::create_dir(&secrets).unwrap();
    for (name, secret) in [
        ("slack-url", "https://hooks.slack.com/services/T/B/X"),
        ("webhook", "of-some-length-0123"),
        ("orders-monitor", "postgres://monitor@orders-db:5432/orders"),
    ] {
        std::fs::write(secrets.join(name), secret).unwrap();
    }
    let mut found = 0;
    for path in all() {
        let blocks = blocks(&path).into_iter().filter(|block| block.language == "toml");
        let text: Vec<_> = blocks.map(|block| block.text).collect();
        if text.is_empty() {
            continue;
        }
        found += 1;
        let text = text.join("\n").replace("/run/secrets/", &format!("{}/", secrets.display()));
        std::fs::write(&file, text).unwrap();
        // It reads all settings, and then asks a pgvitals that isn't there.
        let asked = Tool::pgvitals().args(&["healthcheck", "--config", &file.display().to_string()]);
        let nobody = Closed::new();
        let output = asked.variable("PGVITALS_HTTP", &nobody.address.to_string()).run();
        assert_eq!(output.code, Some(1), "{path}: {}", output.stderr);
    }
    assert!(found >= 2, "only {found} documents with configuration");
}
