//! Each rule, on a small house that breaks it and on one that doesn't.

use crate::House;

/// A table for two pure rooms and one that does IO.
const MAP: &str = "| room | may import | must not know |\n|---|---|---|\n| `base` | – | IO |\n\
                   | `wire` | base | IO |\n| `proxy` | base, wire | storage |\n| `app` | all of the above | – |\n";

/// A house of four rooms in which `files` replace or join what is there.
fn house(files: &[(&str, &str)]) -> House {
    let tidy = [
        ("ARCHITECTURE.md", MAP),
        ("docs/metrics.md", "`full`"),
        ("src/lib.rs", "pub mod base;\npub mod wire;\npub mod proxy;\npub mod app;\n"),
        ("src/base/mod.rs", "reasons! { Dropped { Full => \"full\" } }"),
        ("src/wire/mod.rs", "use crate::base::x;\nfn f<'a>(a: &'static str) -> char { '\"' }"),
        ("src/proxy/mod.rs", "use crate::wire::{f, g};\nasync fn f() {}"),
        ("src/app.rs", "use crate::{base, proxy::f};"),
    ];
    let kept = tidy.iter().filter(|(path, _)| !files.iter().any(|(other, _)| other == path));
    House::new(kept.chain(files).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
}

/// The house breaks exactly `rule`, at `place`.
#[track_caller]
fn breaks(files: &[(&str, &str)], rule: &str, place: &str) {
    let broken: Vec<String> = house(files).violations().iter().map(ToString::to_string).collect();
    assert!(
        broken.iter().any(|found| found.starts_with(&format!("{place}: {rule}: "))),
        "wanted {place}: {rule}, found {broken:#?}"
    );
    // A forbidden import may close a circle as well; that rule has its own case.
    let is_circle = |found: &str| found.contains(": import circle: ") || found.contains(": circle of files: ");
    let mut others = broken.iter().filter(|found| !is_circle(found));
    assert_eq!(others.find(|found| !found.starts_with(place)), None, "found elsewhere too");
}

/// The house breaks no rule.
#[track_caller]
fn is_fine(files: &[(&str, &str)]) {
    let broken: Vec<String> = house(files).violations().iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_tidy_house_has_no_violation() {
    is_fine(&[]);
}

#[test]
fn a_room_imports_only_what_the_table_allows() {
    breaks(&[("src/base/mod.rs", "\n\nuse crate::app::run;")], "import", "src/base/mod.rs:3");
    breaks(&[("src/wire/mod.rs", "fn f() { crate::app::run(); }")], "import", "src/wire/mod.rs:1");
    breaks(&[("src/wire/mod.rs", "use crate::{base::x, app::{a, b}};")], "import", "src/wire/mod.rs:1");
    breaks(&[("src/wire/mod.rs", "#[cfg(test)]\nmod tests { use crate::app; }")], "import", "src/wire/mod.rs:2");
    is_fine(&[("src/wire/mod.rs", "// crate::proxy is elsewhere\nconst A: &str = \"crate::proxy::x\";")]);
}

#[test]
fn rooms_that_import_each_other_are_a_circle() {
    let files = [("src/base/mod.rs", "use crate::wire::x;"), ("src/wire/mod.rs", "use crate::base::x;")];
    let broken: Vec<String> = house(&files).violations().iter().map(ToString::to_string).collect();
    assert!(broken.iter().any(|found| found.starts_with("src/base/mod.rs:1: import circle: ")), "{broken:?}");
    assert!(broken.iter().any(|found| found.starts_with("src/wire/mod.rs:1: import circle: ")), "{broken:?}");
}

#[test]
fn files_of_a_room_that_import_each_other_are_a_circle() {
    let circle = |a: &str, b: &str, c: &str| {
        let files = [
            ("src/wire/mod.rs", "mod a;\nmod b;\nmod c;\nmod d;"),
            ("src/wire/d/mod.rs", "pub mod e;"),
            ("src/wire/d/e.rs", "use crate::wire::a::A;"),
            ("src/wire/a.rs", a),
            ("src/wire/b.rs", b),
            ("src/wire/c.rs", c),
        ];
        let broken = house(&files).violations();
        broken.iter().filter(|found| found.rule == "circle of files").count()
    };
    assert_eq!(circle("use super::b::B;", "use crate::wire::{c::{self, C}, x};", "fn f() { super::a::f() }"), 3);
    assert_eq!(circle("use super::b::B;", "use super::{c, d};", "use super::X;"), 0);
    assert_eq!(circle("use super::d;\nfn f() { d::e::g() }", "", ""), 2, "by the name of a folder");
    assert_eq!(circle("use super::d;\nfn f() { x::d::e::g() }", "", ""), 0);
    assert_eq!(circle("use super::b::B;", "#[cfg(test)]\nmod tests { use super::super::a; }", ""), 0);
}

#[test]
fn a_pure_room_knows_no_io_outside_its_tests() {
    for code in ["use tokio::net;", "use std::fs;", "use std::{fmt, net::X};", "async fn f() {}", "type A = Mutex<u8>;"]
    {
        let broken = house(&[("src/wire/mod.rs", code)]).violations();
        assert!(broken.iter().any(|found| found.path == "src/wire/mod.rs"), "{code}: {broken:?}");
    }
    is_fine(&[("src/wire/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; }")]);
    breaks(&[("src/proxy/mod.rs", "use tokio_postgres::x;")], "forbidden word", "src/proxy/mod.rs:1");
}

#[test]
fn paths_name_their_room() {
    breaks(&[("src/wire/mod.rs", "use super::super::base;")], "super::super", "src/wire/mod.rs:1");
    breaks(&[("src/wire/mod.rs", "use crate::base::*;")], "glob import", "src/wire/mod.rs:1");
    breaks(&[("src/app.rs", "\npub use crate::base::x;")], "re-export", "src/app.rs:2");
    breaks(&[("src/app.rs", "\npub(crate) use crate::base::x;")], "re-export", "src/app.rs:2");
    is_fine(&[("src/wire/mod.rs", "use crate::wire::*;")]);
}

#[test]
fn rooms_and_table_agree() {
    breaks(
        &[("src/lib.rs", "mod base; mod wire; mod proxy; mod app; mod cellar;"), ("src/cellar.rs", "")],
        "unlisted room",
        "src/cellar.rs:1",
    );
    let longer = format!("{MAP}| `attic` | base | – |\n");
    breaks(&[("ARCHITECTURE.md", &longer)], "empty room", "ARCHITECTURE.md:7");
}

#[test]
fn files_and_functions_have_a_limit() {
    breaks(&[("src/app.rs", &"// line\n".repeat(401))], "long file", "src/app.rs:401");
    breaks(&[("src/http/dashboard/main.js", &"// line\n".repeat(401))], "long file", "src/http/dashboard/main.js:401");
    is_fine(&[("src/app.rs", &"// line\n".repeat(400))]);
    let function = |lines: usize| format!("\nfn long(a: [u8; 2]) {{\n{}}}\n", "    f();\n".repeat(lines - 2));
    breaks(&[("src/app.rs", &function(71))], "long function", "src/app.rs:2");
    is_fine(&[("src/app.rs", &function(70))]);
}

#[test]
fn a_file_that_no_mod_names_is_dead() {
    breaks(&[("src/wire/old.rs", "")], "dead file", "src/wire/old.rs:1");
    is_fine(&[("src/wire/mod.rs", "mod new;"), ("src/wire/new.rs", "mod deep;"), ("src/wire/new/deep.rs", "")]);
    is_fine(&[("src/wire/mod.rs", "#[path = \"tests/a.rs\"]\nmod a;"), ("src/wire/tests/a.rs", "")]);
    is_fine(&[("src/wire/mod.rs", "mod tests { mod a; }"), ("src/wire/tests/a.rs", "")]);
    is_fine(&[("tests/it/main.rs", "mod copy;"), ("tests/it/copy.rs", "")]);
}

#[test]
fn clocks_globals_and_leftovers_are_found() {
    breaks(&[("src/app.rs", "fn f() { Instant::now(); }")], "clock", "src/app.rs:1");
    breaks(&[("src/app.rs", "static A: u8 = 1;")], "global", "src/app.rs:1");
    is_fine(&[("src/app.rs", "#[global_allocator]\nstatic A: B = B;\nfn f(a: &'static str) {}")]);
    breaks(&[("src/app.rs", "fn f() { todo!() }")], "unfinished", "src/app.rs:1");
    breaks(&[("tests/a.rs", "#[test]\n#[ignore]\nfn f() {}")], "ignored test", "tests/a.rs:2");
    breaks(&[("tests/a.rs", "fn f() { std::thread::sleep(x) }")], "sleep in a test", "tests/a.rs:1");
    is_fine(&[("src/app.rs", "fn f() { time::sleep(x) }\nconst A: &str = r#\"todo!() \"::now()\"#;")]);
}

#[test]
fn names_that_people_meet_are_documented() {
    let reason = "reasons! { Dropped { Full => \"full\",\n Late => \"late\" } }";
    breaks(&[("src/base/mod.rs", reason)], "undocumented", "src/base/mod.rs:2");
    breaks(
        &[
            ("ARCHITECTURE.md", &format!("{MAP}| `http` | base | – |\n")),
            ("src/lib.rs", "mod base; mod wire; mod proxy; mod app; mod http;"),
            ("src/http/mod.rs", "const A: &str = \"pgvitals_secret_total\";"),
        ],
        "undocumented",
        "src/http/mod.rs:1",
    );
}

#[test]
fn every_line_of_the_contract_is_quoted_by_a_test() {
    let contract = "# Contract\n\n- Bytes pass.\n- Errors too.\n\n## What a proxy can't pass on\n\n- Addresses.\n";
    let contract = ("docs/transparency.md", contract);
    let (both, one) = ("/// \"Bytes pass.\"\n/// \"Errors too.\" (there)\nfn f() {}", "/// \"Bytes pass.\"\nfn f() {}");
    is_fine(&[contract, ("tests/a.rs", both)]);
    breaks(&[contract, ("tests/a.rs", one)], "unquoted", "docs/transparency.md:4");
}

#[test]
fn ground_rooms_hold_six_files() {
    let names = ["a", "b", "c", "d", "e", "f", "g"].map(|name| format!("src/base/{name}.rs"));
    let mods = "mod a; mod b; mod c; mod d; mod e; mod f; mod g;";
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    files.push(("src/base/mod.rs", mods));
    breaks(&files, "seventh file", "src/base/g.rs:1");
}
