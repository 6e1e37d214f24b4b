//! The documents and their fenced blocks, so that what they say to do is done.

use std::path::Path;

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Where its first line stands, from 1.
    pub(crate) line: usize,
    /// What stands behind the fence: `sh`, `sql`, `json`; often nothing.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// A document's text.
pub(crate) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md and what lies in `docs/`; its `design/` is for builders and says nothing to do.
pub(crate) fn all() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut paths: Vec<_> = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths
}

/// The blocks of a document, in order; indentation that the fence has is not theirs.
pub(crate) fn blocks(path: &str) -> Vec<Block> {
    let text = read(path);
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let indentation = line.len() - line.trim_start().len();
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```");
        let body: Vec<_> = body.map(|line| line.get(indentation..).unwrap_or_default()).collect();
        blocks.push(Block { line: number + 2, language: language.trim().to_owned(), text: body.join("\n") });
    }
    blocks
}
