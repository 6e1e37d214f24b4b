//! Sizes, dead files, clocks, globals, and what must not be left behind.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{House, Violation, at};

/// Lines of a file.
const FILE_LINES: usize = 400;

/// Files of the dashboard and its tests, which have no other rules.
const SCRIPTS: [&str; 3] = [".js", ".mjs", ".css"];

/// Lines of a function, signature and braces included.
const FUNCTION_LINES: usize = 70;

/// The files that may read a clock: the product's one, and the tests' one.
const CLOCKS: [&str; 2] = ["src/runtime/clock.rs", "tests/it/support/clock.rs"];

/// No file grows beyond what one reads at a sitting.
pub(crate) fn file_lengths(house: &House) -> Vec<Violation> {
    let scripts = house.documents.iter().filter(|(path, _)| SCRIPTS.iter().any(|ending| path.ends_with(ending)));
    let ours = scripts.filter(|(path, _)| !path.contains("/vendor/")).map(|(path, text)| (path, text.as_str()));
    let all = house.sources.iter().map(|source| (&source.path, source.text.as_str())).chain(ours);
    let long = all.map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > FILE_LINES);
    long.map(|(path, lines)| {
        let advice = format!("{lines} lines, {FILE_LINES} at most: one file does one thing");
        Violation { path: path.clone(), line: FILE_LINES + 1, rule: "long file", advice }
    })
    .collect()
}

/// No function needs scrolling.
pub(crate) fn function_lengths(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in &house.sources {
        for function in source.functions().iter().filter(|function| function.lines > FUNCTION_LINES) {
            let advice =
                format!("`{}` has {} lines, {FUNCTION_LINES} at most: split it", function.name, function.lines);
            broken.push(Violation { path: source.path.clone(), line: function.line, rule: "long function", advice });
        }
    }
    broken
}

/// Whether Cargo starts at this file by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    // A client in Rust is a package of its own.
    let is_client = matches!(parts[..], ["tests", "clients", _, "src", "main.rs"]);
    is_client
        || matches!(
            parts[..],
            ["src", "lib.rs" | "main.rs"] | ["tests" | "benches", _] | ["tests" | "benches", _, "main.rs"]
        )
}

/// Every file is named by a `mod`.
pub(crate) fn dead_files(house: &House) -> Vec<Violation> {
    let named: BTreeSet<String> = house.sources.iter().flat_map(Source::modules).flatten().collect();
    let dead = house.sources.iter().filter(|source| !is_root(&source.path) && !named.contains(&source.path));
    dead.map(|source| at(source, 0, "dead file", "no `mod` names it: declare it or delete it".to_owned())).collect()
}

/// One file reads the clock.
pub(crate) fn clocks(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in &house.sources {
        if CLOCKS.contains(&source.path.as_str()) || source.path.starts_with("benches/") {
            continue;
        }
        broken.extend(source.code.match_indices("::now()").map(|(place, _)| {
            at(source, place, "clock", format!("take the time as a parameter, or ask {}", CLOCKS[0]))
        }));
    }
    broken
}

/// No globals in the product but an allocator and the pseudo statements.
pub(crate) fn statics(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in house.sources.iter().filter(|source| source.path.starts_with("src/")) {
        for place in source.find("static") {
            let before = source.code[..place].trim_end_matches(' ');
            let allocator = before.trim_end().ends_with("#[global_allocator]");
            let table =
                source.path == "src/sql/query.rs" && source.code[place..].starts_with("static QUERIES: LazyLock<");
            if !before.ends_with('\'') && !allocator && !table {
                broken.push(at(source, place, "global", "own the state and hand it over; no `static`".to_owned()));
            }
        }
    }
    broken
}

/// Nothing unfinished anywhere; tests neither skip nor sleep.
pub(crate) fn unfinished(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in &house.sources {
        for word in ["todo!", "unimplemented!", "dbg!"] {
            let places = source.find(word);
            broken.extend(places.map(|place| at(source, place, "unfinished", format!("finish it: no `{word}`"))));
        }
        broken.extend(source.find("#[ignore").map(|place| {
            at(source, place, "ignored test", "assert what happens today and say so, or delete the test".to_owned())
        }));
        for word in ["thread::sleep", "time::sleep"] {
            let places = source.find(word).filter(|place| source.in_test(*place));
            broken.extend(places.map(|place| at(source, place, "sleep in a test", "await the event".to_owned())));
        }
    }
    broken
}
