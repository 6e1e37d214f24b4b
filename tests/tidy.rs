//! The rules of the house, checked on the text of the sources (LAYOUT §4). No server, no build, under a second.
//!
//! A failure says where, which rule, and what to do. If a rule is in the way, change the structure, or the rule here
//! with the reason in the commit.

#![allow(clippy::unwrap_used, clippy::string_slice)] // A panic is a test's way to fail.

#[path = "tidy/cases.rs"]
mod cases;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/prose.rs"]
mod prose;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use source::Source;

/// All that the rules look at: sources, and the documents that they are compared with.
pub(crate) struct House {
    /// Every `.rs` file under `src`, `tests` and `benches`.
    pub(crate) sources: Vec<Source>,
    /// `ARCHITECTURE.md`, `config/*.toml`, all of `docs/`, and the dashboard's files, by path.
    pub(crate) documents: BTreeMap<String, String>,
}

/// One broken rule.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) advice: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// A rule's report about a place in a source.
pub(crate) fn at(source: &Source, at: usize, rule: &'static str, advice: String) -> Violation {
    Violation { path: source.path.clone(), line: source.line(at), rule, advice }
}

impl House {
    /// Builds a house from paths and texts: the repository's, or a test's.
    pub(crate) fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let (sources, documents): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| path.ends_with(".rs"));
        let sources = sources.iter().map(|(path, text)| Source::new(path, text)).collect();
        Self { sources, documents: documents.into_iter().collect() }
    }

    /// Everything that is wrong with it.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let rules: [fn(&House) -> Vec<Violation>; 16] = [
            rooms::listed,
            rooms::imports,
            rooms::circles,
            files::circles,
            rooms::purity,
            rooms::reach,
            rooms::reexports,
            rooms::ground_is_small,
            shape::file_lengths,
            shape::function_lengths,
            shape::dead_files,
            shape::clocks,
            shape::statics,
            shape::unfinished,
            docs::mentioned,
            docs::quoted,
        ];
        rules.iter().flat_map(|rule| rule(self)).collect()
    }
}

/// Adds every file below `folder` whose name ends with one of `endings`.
fn collect(root: &Path, folder: &str, endings: &[&str], files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    for entry in entries.map(Result::unwrap) {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            if !path.ends_with("/node_modules") {
                collect(root, &path, endings, files);
            }
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            files.push((path.clone(), std::fs::read_to_string(root.join(&path)).unwrap()));
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect(root, folder, &[".rs"], &mut files);
    }
    collect(root, "docs", &[".md"], &mut files);
    collect(root, "src/http/dashboard", &[".js", ".css"], &mut files);
    collect(root, "tests/browser", &[".mjs"], &mut files);
    collect(root, "config", &[".toml"], &mut files);
    let map = "ARCHITECTURE.md";
    files.push((map.to_owned(), std::fs::read_to_string(root.join(map)).unwrap()));
    files.sort();

    let house = House::new(files);
    assert!(house.sources.len() > 20, "tidy must see the sources, it saw {}", house.sources.len());
    let broken: Vec<String> = house.violations().iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{} rules are broken:\n{}", broken.len(), broken.join("\n"));
}

/// Links, quoted messages and metrics in what people read.
#[test]
fn the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut sources) = (Vec::new(), Vec::new());
    collect(root, "docs", &[".md"], &mut files);
    for entry in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    collect(root, "src", &[".rs"], &mut sources);
    // What libpq says, as a test writes it down.
    sources.extend(files.iter().filter(|(path, _)| path == "docs/channel-binding.md").cloned());
    let sources = sources.iter().map(|(_, text)| prose::flattened(text)).collect();
    let shelf = prose::Shelf { documents: files.into_iter().collect(), sources };
    let wrong = shelf.wrong(|path| root.join(path).exists());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
