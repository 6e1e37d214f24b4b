//! One source file, read just well enough: code without comments and literals, test code, functions, paths.

use std::collections::BTreeSet;
use std::ops::Range;

/// A file of the repository with its path relative to the root, `/` between folders.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// `text` with comments and the insides of literals blanked; same length, same lines.
    pub(crate) code: String,
    tests: Vec<Range<usize>>,
}

/// A function's name, first line and number of lines.
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let tests = test_ranges(path, &code);
        Self { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    /// The room that a file under `src/` belongs to: its first folder, or its stem.
    pub(crate) fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split('/').next()?.trim_end_matches(".rs"))
    }

    /// The line, counted from 1, of a byte.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.code.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }

    /// Whether a byte is in test code.
    pub(crate) fn in_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Where `needle` stands in the code as words of its own.
    pub(crate) fn find<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let bytes = self.code.as_bytes();
        self.code.match_indices(needle).map(|(at, _)| at).filter(move |at| {
            let (first, last) = (needle.as_bytes().first(), needle.as_bytes().last());
            let before = at.checked_sub(1).and_then(|i| bytes.get(i));
            let after = bytes.get(at + needle.len());
            let joined = word(first) && word(before) || word(last) && word(after);
            !joined
        })
    }

    /// First names behind `prefix` (as in `crate::`), also those of a group: `crate::{a, b::c}`.
    pub(crate) fn names_behind(&self, prefix: &str) -> Vec<(usize, String)> {
        let mut names = Vec::new();
        for at in self.find(prefix) {
            let rest = &self.code[at + prefix.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let end = closing(group, '{', '}').unwrap_or(group.len());
                let mut depth = 0_u32;
                let mut start = true;
                for (offset, char) in group[..end].char_indices() {
                    if start && depth == 0 && (char.is_alphabetic() || char == '_') {
                        names.push((at, word_of(&group[offset..]).to_owned()));
                        start = false;
                    }
                    match char {
                        '{' => depth += 1,
                        '}' => depth = depth.saturating_sub(1),
                        ',' => start = true,
                        _ => {}
                    }
                }
            } else if !word_of(rest).is_empty() {
                names.push((at, word_of(rest).to_owned()));
            }
        }
        names
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function<'_>> {
        let mut functions = Vec::new();
        for at in self.find("fn ") {
            let rest = &self.code[at + 3..];
            let name = word_of(rest);
            let mut depth = 0_i32;
            let body = rest.char_indices().find(|(_, char)| {
                depth += i32::from(matches!(char, '(' | '[')) - i32::from(matches!(char, ')' | ']'));
                depth < 0 || (depth == 0 && matches!(char, '{' | ';'))
            });
            let Some((open, '{')) = body else { continue };
            let Some(length) = closing(&rest[open + 1..], '{', '}') else { continue };
            let (line, last) = (self.line(at), self.line(at + 3 + open + 1 + length));
            functions.push(Function { name, line, lines: last - line + 1 });
        }
        functions
    }

    /// Files that its `mod name;` lines may stand for: one of each inner list must exist.
    pub(crate) fn modules(&self) -> Vec<[String; 2]> {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let stem = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let root = matches!(stem, "mod" | "lib" | "main") || folder == "tests" || folder == "benches";
        let own = if root { folder.to_owned() } else { format!("{folder}/{stem}") };
        let mut modules = Vec::new();
        for at in self.find("mod ") {
            let name = word_of(&self.code[at + 4..]);
            if !self.code[at + 4 + name.len()..].starts_with(';') {
                continue;
            }
            let base = self.enclosing(at).iter().fold(own.clone(), |path, inline| format!("{path}/{inline}"));
            if let Some(path) = self.path_attribute(at) {
                let from = if base == own { folder.to_owned() } else { base };
                modules.push([format!("{from}/{path}"), String::new()]);
            } else {
                modules.push([format!("{base}/{name}.rs"), format!("{base}/{name}/mod.rs")]);
            }
        }
        modules
    }

    /// Names of the inline modules around a byte, outermost first.
    fn enclosing(&self, at: usize) -> Vec<&str> {
        let mut names = Vec::new();
        for open in self.find("mod ").take_while(|open| *open < at) {
            let name = word_of(&self.code[open + 4..]);
            let rest = self.code[open + 4 + name.len()..].trim_start();
            let start = self.code.len() - rest.len();
            if let Some(body) = rest.strip_prefix('{')
                && closing(body, '{', '}').is_some_and(|end| start + 1 + end > at)
            {
                names.push(name);
            }
        }
        names
    }

    /// `x.rs` of a `#[path = "x.rs"]` on the item that begins at or shortly before a byte.
    fn path_attribute(&self, at: usize) -> Option<&str> {
        let item = self.code[..at].rfind([';', '}', '{']).map_or(0, |end| end + 1);
        let attribute = self.text.get(item..at)?;
        attribute.split_once("#[path = \"")?.1.split_once('"').map(|(path, _)| path)
    }

    /// Contents of string literals between two bytes, with where each begins.
    pub(crate) fn strings(&self, range: Range<usize>) -> Vec<(usize, &str)> {
        let mut strings = Vec::new();
        let mut quotes = self.code[range.clone()].match_indices('"').map(|(at, _)| range.start + at);
        while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
            strings.push((open, &self.text[open + 1..close]));
        }
        strings
    }
}

/// The identifier at the start of `text`.
pub(crate) fn word_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The offset of the bracket that closes one opened just before `text`.
pub(crate) fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 1_u32;
    for (at, char) in text.char_indices() {
        if char == open {
            depth += 1;
        } else if char == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// What `#[cfg(test)]` covers; all of a file that is a test by its place.
fn test_ranges(path: &str, code: &str) -> Vec<Range<usize>> {
    if path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") {
        return std::iter::once(0..code.len()).collect();
    }
    let mut ranges = Vec::new();
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let rest = &code[at..];
        let end = match rest.find(['{', ';']) {
            Some(open) if rest[open..].starts_with('{') => {
                closing(&rest[open + 1..], '{', '}').map_or(rest.len(), |length| open + 1 + length)
            }
            Some(end) => end,
            None => rest.len(),
        };
        ranges.push(at..at + end);
    }
    ranges
}

/// Blanks comments and the insides of string, byte string and character literals.
fn blank(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while at < out.len() {
        at = match literal(text.as_bytes(), at) {
            Some((inside, next)) => {
                out[inside].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                next
            }
            None => at + 1,
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// If a comment or a literal begins at `at`: what of it to blank, and where to go on.
fn literal(text: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let rest = text.get(at..)?;
    let find = |from: usize, what: &[u8]| {
        text[from..].windows(what.len()).position(|window| window == what).map_or(text.len(), |found| from + found)
    };
    match rest {
        [b'/', b'/', ..] => Some((at..find(at, b"\n"), find(at, b"\n"))),
        [b'/', b'*', ..] => {
            let end = (find(at + 2, b"*/") + 2).min(text.len());
            Some((at..end, end))
        }
        [b'"', ..] => {
            let mut end = at + 1;
            while end < text.len() && text[end] != b'"' {
                end += if text[end] == b'\\' { 2 } else { 1 };
            }
            Some((at + 1..end.min(text.len()), end + 1))
        }
        [b'r', next, ..] if (*next == b'"' || *next == b'#') && !joined(text, at) => {
            let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
            let open = at + 1 + hashes;
            if text.get(open) != Some(&b'"') {
                return None;
            }
            let mut mark = vec![b'"'];
            mark.resize(1 + hashes, b'#');
            let end = find(open + 1, &mark);
            Some((open + 1..end, (end + mark.len()).min(text.len())))
        }
        [b'\'', b'\\', ..] => {
            let end = find(at + 3, b"'");
            Some((at + 1..end, end + 1))
        }
        [b'\'', first, ..] => {
            // A character, unless it is a lifetime: 'a without a quote behind one character.
            let width = std::str::from_utf8(&rest[1..rest.len().min(5)]).map_or_else(
                |error| if error.valid_up_to() == 0 { 1 } else { usize::from(first.leading_ones().max(1) as u8) },
                |valid| valid.chars().next().map_or(1, char::len_utf8),
            );
            (text.get(at + 1 + width) == Some(&b'\'')).then(|| (at + 1..at + 1 + width, at + 2 + width))
        }
        _ => None,
    }
}

/// Whether the byte before `at` belongs to the same word; `br"…"` and `cr"…"` are literals all the same.
fn joined(text: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let prefix = matches!(before(1), b'b' | b'c') && !word(before(2));
    word(before(1)) && !prefix
}

/// Every distinct first name behind a prefix, without places.
pub(crate) fn distinct(names: &[(usize, String)]) -> BTreeSet<&str> {
    names.iter().map(|(_, name)| name.as_str()).collect()
}
