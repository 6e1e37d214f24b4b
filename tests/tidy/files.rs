//! Which file names which other file's items by path.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, closing, word_of};
use crate::{House, Violation, at};

/// Files by the path of their module: `sql::lexer`.
type Modules<'a> = BTreeMap<String, &'a Source>;

/// No file can reach itself over others' imports. What a `mod.rs` declares is no import.
pub(crate) fn circles(house: &House) -> Vec<Violation> {
    let modules: Modules<'_> = house.sources.iter().filter_map(|source| Some((module(source)?, source))).collect();
    let edges: BTreeMap<&str, BTreeMap<&str, usize>> =
        modules.iter().map(|(module, source)| (module.as_str(), imported(module, source, &modules))).collect();
    let mut broken = Vec::new();
    for (module, targets) in &edges {
        for (target, place) in targets {
            let mut seen = BTreeSet::new();
            let mut todo = vec![*target];
            while let Some(next) = todo.pop() {
                if seen.insert(next) {
                    todo.extend(edges.get(next).into_iter().flat_map(BTreeMap::keys));
                }
            }
            if seen.contains(module) {
                let advice = format!("`{module}` → `{target}` comes back: give what both need a file of its own");
                broken.push(at(modules[*module], *place, "circle of files", advice));
            }
        }
    }
    broken
}

fn module(source: &Source) -> Option<String> {
    let inside = source.path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let is_test = source.in_test(0);
    (!is_test).then(|| inside.trim_end_matches("/mod").replace('/', "::"))
}

/// Files that a source names outside of its tests, with places. What a `use` brings may be a folder, whose name begins
/// further paths.
fn imported<'a>(module: &str, source: &Source, modules: &'a Modules<'_>) -> BTreeMap<&'a str, usize> {
    let parent: Vec<&str> = module.rsplit_once("::").map_or(Vec::new(), |(parent, _)| parent.split("::").collect());
    let mut begins = vec![("crate::".to_owned(), Vec::new()), ("super::".to_owned(), parent)];
    let (mut next, mut found) = (0, BTreeMap::new());
    while let Some((prefix, base)) = begins.get(next).cloned() {
        next += 1;
        let is_begin = |place: &usize| !source.in_test(*place) && !source.code[..*place].ends_with("::");
        for place in source.find(&prefix).filter(is_begin) {
            for mut path in paths(&source.code[place + prefix.len()..], &base) {
                path.pop_if(|last| *last == "self");
                let longest = (1..=path.len()).rev().map(|length| path[..length].join("::"));
                let target = longest.filter_map(|name| modules.get_key_value(&name)).next();
                let Some((target, _)) = target.filter(|(target, _)| *target != module) else { continue };
                found.entry(target.as_str()).or_insert(place);
                let brought = format!("{}::", path.last().unwrap_or(&""));
                if path.join("::") == *target && begins.iter().all(|(known, _)| *known != brought) {
                    begins.push((brought, target.split("::").collect()));
                }
            }
        }
    }
    found
}

/// The paths that begin here, a group's each for itself.
fn paths<'a>(mut text: &'a str, base: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut path = base.to_vec();
    loop {
        text = text.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            let inside = &group[..closing(group, '{', '}').unwrap_or(group.len())];
            return members(inside).into_iter().flat_map(|member| paths(member, &path)).collect();
        }
        let word = word_of(text);
        if !word.is_empty() {
            path.push(word);
        }
        match text[word.len()..].strip_prefix("::") {
            Some(rest) if !word.is_empty() => text = rest,
            _ => return vec![path],
        }
    }
}

/// Parts between the commas of a group that are not inside another one.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0_u32, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(&group[start..]);
    members.retain(|member| !member.trim().is_empty());
    members
}
