//! What documents say for people to follow: links lead somewhere, messages and metrics that they quote are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// All files that a document may name, and the texts of those that are looked into.
pub(crate) struct Shelf {
    /// Documents by path: `README.md`, `docs/store.md`.
    pub(crate) documents: BTreeMap<String, String>,
    /// Texts in which a quoted message may stand.
    pub(crate) sources: Vec<String>,
}

/// Where messages are quoted, each in a line of its own behind `> `; `…` stands for what differs.
const QUOTING: &str = "docs/troubleshooting.md";
/// What a client is told begins so.
const OURS: &str = "pgvitals: ";
/// Where metrics are listed.
const METRICS: &str = "docs/metrics.md";
/// Names that look like metrics: roles, and the cookie.
const NO_METRICS: [&str; 5] =
    ["pgvitals_owner", "pgvitals_writer", "pgvitals_reader", "pgvitals_monitor", "pgvitals_session"];

impl Shelf {
    /// Everything that is wrong; `exists` says whether a path is there.
    pub(crate) fn wrong(&self, exists: impl Fn(&Path) -> bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for (path, text) in &self.documents {
            for target in links(text) {
                if let Some(what) = self.broken(path, target, &exists) {
                    wrong.push(format!("{path}: the link {target} {what}"));
                }
            }
            let metrics = self.documents.get(METRICS).map_or("", String::as_str);
            for name in metric_names(text).filter(|name| !NO_METRICS.contains(name)) {
                if !metrics.contains(&format!("`{name}`")) {
                    wrong.push(format!("{path}: no metric is called {name}"));
                }
            }
            if path == QUOTING {
                let untold = quotes(text).filter(|quote| !self.is_told(quote));
                wrong.extend(untold.map(|quote| format!("{path}: nobody says: {quote}")));
            }
        }
        wrong
    }

    /// Why a link leads nowhere.
    fn broken(&self, from: &str, target: &str, exists: &impl Fn(&Path) -> bool) -> Option<&'static str> {
        if target.contains("://") || target.starts_with("mailto:") {
            return None;
        }
        let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let path = if file.is_empty() { from.to_owned() } else { resolved(from, file) };
        if !exists(Path::new(&path)) {
            return Some("leads to no file");
        }
        let there = anchor.zip(self.documents.get(&path)).is_none_or(|(anchor, text)| anchors(text).contains(anchor));
        (!there).then_some("leads to no heading")
    }

    /// Whether one text has all the parts of a message.
    fn is_told(&self, quote: &str) -> bool {
        let parts: Vec<_> = quote.strip_prefix(OURS).unwrap_or(quote).split('…').map(trimmed).collect();
        self.sources.iter().any(|text| parts.iter().all(|part| text.contains(part)))
    }
}

fn trimmed(part: &str) -> &str {
    part.trim_matches([' ', ';', ':', ','])
}

/// A source as its messages read: lines that a backslash continues joined, one space between words.
pub(crate) fn flattened(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for (index, part) in source.split("\\\n").enumerate() {
        text.push_str(if index == 0 { part } else { part.trim_start() });
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quotes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("> "))
}

/// Targets of links, out of fenced blocks.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    targets.collect()
}

/// `pgvitals_…` where it stands alone between backticks, labels aside.
fn metric_names(text: &str) -> impl Iterator<Item = &str> {
    let spans = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| span.strip_prefix("pgvitals_").is_some_and(|name| !name.is_empty()));
    let names = spans.map(|span| span.split('{').next().unwrap_or_default());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'))
}

/// Headings as GitHub links to them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// A relative path from a document's place.
fn resolved(from: &str, file: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn what_leads_nowhere_is_named() {
    let document =
        "# A b: `c`\n[x](other.md#a-b-c) [y](../gone.md) [z](#nothing) `pgvitals_gone{a}` `pgvitals_there`\n";
    let quoting = "> pgvitals: no … left; go on\n\n> never said\n";
    let documents = [("docs/other.md", document), (QUOTING, quoting), (METRICS, "`pgvitals_there`")];
    let shelf = Shelf {
        documents: documents.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
        sources: vec![flattened("\"no {0} left; \\\n     go on\"")],
    };
    let wrong = shelf.wrong(|path| path.starts_with("docs"));
    assert_eq!(
        wrong,
        [
            "docs/other.md: the link ../gone.md leads to no file",
            "docs/other.md: the link #nothing leads to no heading",
            "docs/other.md: no metric is called pgvitals_gone",
            "docs/troubleshooting.md: nobody says: never said",
        ]
    );
}
