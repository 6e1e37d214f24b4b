//! What a reader of a log, a metric or the configuration meets is in the documents under the same name.

use crate::source::{Source, closing};
use crate::{House, Violation, at};

/// Reasons, metric names and configuration keys are mentioned in `docs/`; its `design/` is for builders, not users.
pub(crate) fn mentioned(house: &House) -> Vec<Violation> {
    let docs: String = house
        .documents
        .iter()
        .filter(|(path, _)| path.starts_with("docs/") && !path.starts_with("docs/design/"))
        .map(|(_, text)| text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    let mut broken = Vec::new();
    for source in house.sources.iter().filter(|source| source.path.starts_with("src/")) {
        for (place, kind, name) in names(source) {
            // The encoder adds the suffixes that OpenMetrics wants.
            let written = ["", "_total", "_info"].map(|suffix| format!("`{name}{suffix}`"));
            if !written.iter().any(|name| docs.contains(name)) {
                broken.push(at(source, place, "undocumented", format!("{kind} `{name}`: say in docs/ what it means")));
            }
        }
    }
    broken
}

/// The names in a source that people meet: place, what it is, name.
fn names(source: &Source) -> Vec<(usize, &'static str, &str)> {
    let mut names = Vec::new();
    for place in source.find("reasons! {") {
        let body = place + "reasons! {".len();
        let end = closing(&source.code[body..], '{', '}').map_or(body, |length| body + length);
        names.extend(source.strings(body..end).into_iter().map(|(place, name)| (place, "the reason", name)));
    }
    let room = source.room().unwrap_or_default();
    let product = source.strings(0..source.code.len()).into_iter().filter(|(place, _)| !source.in_test(*place));
    for (place, text) in product {
        let before = source.code[..place].trim_end();
        if room == "http" && text.strip_prefix("pgvitals_").is_some_and(is_identifier) {
            names.push((place, "the metric", text));
        }
        if source.path == "src/config/keys.rs" && before.ends_with("key:") {
            names.push((place, "the key", text));
        }
    }
    names
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
