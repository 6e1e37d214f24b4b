//! Who may import whom, and what a pure room must not know.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, distinct};
use crate::{House, Violation, at};

/// Rooms that see bytes and stamps only.
const PURE: [&str; 7] = ["base", "wire", "sql", "session", "stats", "snapshot", "analyze"];

/// What a pure room must not say outside its tests.
const IO: [&str; 5] = ["tokio", "Mutex", "RwLock", "async", "await"];

/// Modules of `std` that a pure room must not use outside its tests.
const STD: [&str; 5] = ["net", "fs", "env", "process", "thread"];

/// The map that holds the table.
const MAP: &str = "ARCHITECTURE.md";

/// Rows of the table: room, line, rooms that it may import.
fn table(house: &House) -> Vec<(String, usize, BTreeSet<String>)> {
    let mut rows: Vec<(String, usize, BTreeSet<String>)> = Vec::new();
    let map = house.documents.get(MAP).map_or("", String::as_str);
    let body = map.lines().enumerate().skip_while(|(_, line)| !line.starts_with("| room | may import"));
    for (number, line) in body.skip(2).take_while(|(_, line)| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, room, allowed, ..] = cells[..] else { continue };
        let allowed = if allowed.starts_with("all of the above") {
            rows.iter().map(|(room, _, _)| room.clone()).collect()
        } else {
            let plain = allowed.split('(').next().unwrap_or_default();
            plain.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "–").collect()
        };
        rows.push((room.trim_matches('`').to_owned(), number + 1, allowed));
    }
    rows
}

/// Rooms that a source names by path, with places; its own room is left out.
fn named(source: &Source) -> Vec<(usize, String)> {
    let own = source.room().unwrap_or_default();
    let prefix = if own == "main" { "pgvitals::" } else { "crate::" };
    source.names_behind(prefix).into_iter().filter(|(_, room)| room != own && !room.is_empty()).collect()
}

/// Sources that belong to a room: all but the list of rooms itself.
fn inhabitants(house: &House) -> impl Iterator<Item = (&Source, &str)> {
    house.sources.iter().filter_map(|source| Some((source, source.room()?))).filter(|(_, room)| *room != "lib")
}

/// Each room of `src/` is in the table, and the table names no others.
pub(crate) fn listed(house: &House) -> Vec<Violation> {
    let rows = table(house);
    let known: BTreeSet<&str> = rows.iter().map(|(room, _, _)| room.as_str()).collect();
    let mut missing: Vec<Violation> = Vec::new();
    for (source, room) in inhabitants(house) {
        if !known.contains(room) && !missing.iter().any(|found| found.advice.contains(&format!("`{room}`"))) {
            missing.push(at(source, 0, "unlisted room", format!("add a row for `{room}` to the table in {MAP}")));
        }
    }
    let lived_in: BTreeSet<&str> = inhabitants(house).map(|(_, room)| room).collect();
    missing.extend(rows.iter().filter(|(room, _, _)| !lived_in.contains(room.as_str())).map(|(room, line, _)| {
        Violation {
            path: MAP.to_owned(),
            line: *line,
            rule: "empty room",
            advice: format!("nothing is in src/{room}: take its row out"),
        }
    }));
    missing
}

/// A room imports only what its row allows.
pub(crate) fn imports(house: &House) -> Vec<Violation> {
    let allowed: BTreeMap<String, BTreeSet<String>> =
        table(house).into_iter().map(|(room, _, allowed)| (room, allowed)).collect();
    let mut broken = Vec::new();
    for (source, room) in inhabitants(house) {
        for (place, other) in named(source) {
            let known = allowed.contains_key(&other);
            if known && !allowed.get(room).is_some_and(|rooms| rooms.contains(&other)) {
                let advice = format!("`{room}` may not import `{other}`: pass the value in, or move the code");
                broken.push(at(source, place, "import", advice));
            }
        }
    }
    broken
}

/// No room can reach itself over others' imports.
pub(crate) fn circles(house: &House) -> Vec<Violation> {
    let mut edges: BTreeMap<&str, BTreeMap<String, (&Source, usize)>> = BTreeMap::new();
    for (source, room) in inhabitants(house) {
        for (place, other) in named(source) {
            edges.entry(room).or_default().entry(other).or_insert((source, place));
        }
    }
    let mut broken = Vec::new();
    for (room, targets) in &edges {
        for (target, (source, place)) in targets {
            let mut seen = BTreeSet::new();
            let mut todo = vec![target.as_str()];
            while let Some(next) = todo.pop() {
                if seen.insert(next) {
                    todo.extend(edges.get(next).into_iter().flat_map(|others| others.keys().map(String::as_str)));
                }
            }
            if seen.contains(room) {
                let advice = format!("`{room}` → `{target}` comes back to `{room}`: cut one of the edges");
                broken.push(at(source, *place, "import circle", advice));
            }
        }
    }
    broken
}

/// Pure rooms know no IO; the data plane knows neither storage nor HTTP.
pub(crate) fn purity(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (source, room) in inhabitants(house) {
        let words: &[&str] = match room {
            _ if PURE.contains(&room) => &IO,
            "proxy" => &["tokio_postgres", "axum"],
            _ => continue,
        };
        for word in words {
            let places = source.find(word).filter(|place| !source.in_test(*place));
            broken.extend(places.map(|place| {
                at(
                    source,
                    place,
                    "forbidden word",
                    format!("`{room}` must not know `{word}`: move it to a room that may"),
                )
            }));
        }
        if PURE.contains(&room) {
            let std = source.names_behind("std::").into_iter().filter(|(place, _)| !source.in_test(*place));
            broken.extend(std.filter(|(_, module)| STD.contains(&module.as_str())).map(|(place, module)| {
                at(
                    source,
                    place,
                    "IO in a pure room",
                    format!("`{room}` must not use `std::{module}`: take the value as a parameter"),
                )
            }));
        }
    }
    broken
}

/// Paths name their room: no `super::super`, no glob of another room.
pub(crate) fn reach(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (source, room) in inhabitants(house) {
        broken.extend(source.find("super::super").map(|place| {
            at(source, place, "super::super", format!("write `crate::{room}::…`, so that the path names its room"))
        }));
        for place in source.find("use crate::") {
            let statement = source.code[place..].split(';').next().unwrap_or_default();
            let other = Source::new("", statement).names_behind("crate::");
            if statement.contains('*') && distinct(&other).iter().any(|name| *name != room) {
                broken.push(at(source, place, "glob import", "name what is imported from another room".to_owned()));
            }
        }
    }
    broken
}

/// `pub use` stands only in a `mod.rs`, only for the room's own items, never at the crate's root.
pub(crate) fn reexports(house: &House) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in house.sources.iter().filter(|source| source.path.starts_with("src/")) {
        for needle in ["pub use ", "pub(crate) use "] {
            for place in source.find(needle).filter(|place| !source.in_test(*place)) {
                let own = source.room().map_or(String::new(), |room| format!("crate::{room}::"));
                let statement = source.code[place + needle.len()..].split(';').next().unwrap_or_default();
                let foreign = statement.starts_with("crate::") && !statement.starts_with(&own);
                if foreign || !source.path.ends_with("/mod.rs") {
                    let advice = "a path always names its room: import the item where it is used".to_owned();
                    broken.push(at(source, place, "re-export", advice));
                }
            }
        }
    }
    broken
}

/// Ground rooms stay small: without a cap they end as a `util`.
pub(crate) fn ground_is_small(house: &House) -> Vec<Violation> {
    ["base", "runtime"]
        .into_iter()
        .filter_map(|room| {
            let mut files = inhabitants(house)
                .filter(|(source, other)| *other == room && !source.path.ends_with("/mod.rs") && !source.in_test(0));
            let seventh = files.nth(6)?.0;
            Some(at(seventh, 0, "seventh file", format!("`{room}` holds six files at most: move what is not ground")))
        })
        .collect()
}
