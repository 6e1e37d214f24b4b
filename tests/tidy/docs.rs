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

/// The contract, and where its lines end.
const CONTRACT: &str = "docs/transparency.md";
const CONTRACT_END: &str = "\n## What a proxy can't pass on";

/// Each line of the contract is quoted, in quotation marks, where a test holds it.
pub(crate) fn quoted(house: &House) -> Vec<Violation> {
    let Some(contract) = house.documents.get(CONTRACT) else { return Vec::new() };
    let lines = contract.split(CONTRACT_END).next().unwrap_or_default().lines().enumerate();
    let promises = lines.filter_map(|(line, text)| Some((line + 1, text.strip_prefix("- ")?)));
    let held = |promise: &str| {
        let quote = format!("/// \"{promise}\"");
        house.sources.iter().any(|source| source.text.match_indices(&quote).any(|(at, _)| source.in_test(at)))
    };
    let advice = "quote the whole line above the test that holds it".to_owned();
    promises
        .filter(|(_, promise)| !held(promise))
        .map(|(line, _)| Violation { path: CONTRACT.to_owned(), line, rule: "unquoted", advice: advice.clone() })
        .collect()
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
