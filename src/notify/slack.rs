//! Slack, by an incoming webhook: blocks within Slack's limits, at most one message a second.

use serde_json::{Value, json};

use super::message::{Event, Message};
use super::settings::Settings;
use super::wording::{clean, shortened, title, words};
use crate::analyze::kind::{Severity, Unit};
use crate::analyze::report::{Report, StatementLine};

/// Slack refuses a message with more.
const BLOCKS_MAX: usize = 50;

/// Characters of a section's text, of 3,000 that Slack takes.
const SECTION_MAX: usize = 2_900;

/// Characters of a header, of 150.
const HEADER_MAX: usize = 140;

/// Characters of all text: from about 13,000 on Slack refuses the message (slackapi/bolt-js#2509).
const TEXT_MAX: usize = 11_500;

/// Rows of each list of a report; the rest is in the e-mail and behind the link.
const ROWS_MAX: usize = 5;

/// The body of the request.
pub(super) fn body(message: &Message, settings: &Settings) -> Value {
    let title = title(message);
    let mut blocks = Blocks::new(&title);
    match message {
        Message::Alerts(events) => alerts(&mut blocks, events, settings),
        Message::Report(report) => sections(&mut blocks, report),
    }
    if let Some(link) = &settings.link {
        // Slack takes what stands before `|` as the address.
        let address = link.as_str().replace('|', "%7C");
        blocks.end(format!("<{}|pgvitals>", escaped(&address, HEADER_MAX * 4)));
    }
    json!({ "text": escaped(&title, HEADER_MAX * 4), "blocks": blocks.list })
}

/// Blocks, as many as there is room for.
struct Blocks {
    list: Vec<Value>,
    left: usize,
    is_cut: bool,
}

impl Blocks {
    fn new(title: &str) -> Self {
        let title = escaped(title, HEADER_MAX);
        Self {
            left: TEXT_MAX.saturating_sub(title.chars().count()),
            is_cut: false,
            list: vec![json!({ "type": "header", "text": { "type": "plain_text", "text": title, "emoji": false } })],
        }
    }

    /// Adds a section unless there is no room for it and for the two blocks that end a message. `text` is escaped.
    fn section(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        if self.list.len() + 3 > BLOCKS_MAX || length > self.left {
            return false;
        }
        self.left -= length;
        // Verbatim: nothing in it becomes a link or a mention by itself.
        self.list.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } }));
        true
    }

    /// One of the blocks that end a message.
    fn end(&mut self, text: String) {
        self.list.push(json!({
            "type": "context",
            "elements": [{ "type": "mrkdwn", "text": text, "verbatim": true }],
        }));
    }
}

fn alerts(blocks: &mut Blocks, events: &[Event], settings: &Settings) {
    for (index, event) in events.iter().enumerate() {
        let words = words(event, settings);
        let mark = match (words.is_over, words.severity) {
            (true, _) => ":white_check_mark:",
            (_, Severity::Critical) => ":red_circle:",
            (_, Severity::Alert) => ":large_orange_circle:",
            (_, Severity::Warning) => ":large_yellow_circle:",
        };
        let mut text = format!("{mark} *{}*\n{}", words.lead, escaped(&words.sentence, SECTION_MAX / 2));
        // Server and database stand in the title.
        let facts = words.facts.iter().filter(|(name, _)| !matches!(*name, "server" | "database"));
        let facts: Vec<String> = facts.map(|(name, value)| format!("{name} {}", escaped(value, 200))).collect();
        text.push('\n');
        text.push_str(&facts.join(" · "));
        if !blocks.section(&cut(text)) {
            blocks.end(format!("and {} more", events.len() - index));
            return;
        }
    }
}

/// A section's text within Slack's limit. Cut inside an entity it would still be text, and no markup.
fn cut(text: String) -> String {
    shortened(&text, SECTION_MAX)
}

fn sections(blocks: &mut Blocks, report: &Report) {
    let (now, before) = (&report.totals, &report.totals_before);
    let p95 = |ms: Option<f64>| ms.map_or("–".to_owned(), |ms| Unit::Millis.show(ms));
    let totals = vec![
        format!("calls {:.0}, before {:.0}", now.calls, before.calls),
        format!("errors {:.0}, before {:.0}", now.errors, before.errors),
        format!("time {}, before {}", Unit::Millis.show(now.total_ms), Unit::Millis.show(before.total_ms)),
        format!("p95 {}, before {}", p95(now.p95_ms), p95(before.p95_ms)),
    ];
    list(blocks, "Data statements, and on a day of the week before", &totals);
    let advice = report.recommendations.iter().map(|one| match &one.statement {
        Some(statement) => format!("{}: {} – {statement}", one.subject, one.evidence),
        None => format!("{}: {}", one.subject, one.evidence),
    });
    list(blocks, "What to do", &advice.collect::<Vec<_>>());
    list(blocks, "Slower statements", &statements(&report.worse));
    list(blocks, "Faster statements", &statements(&report.better));
    list(blocks, "New statements", &statements(&report.new));
    let alerts = report.alerts.iter().map(|one| {
        let state = if one.is_resolved { "over" } else { "open" };
        format!("{}, {state}: {}", one.severity, one.message)
    });
    list(blocks, "New alerts", &alerts.collect::<Vec<_>>());
    let bloat = report.bloat.iter().map(|one| {
        let wasted = Unit::Bytes.show(one.wasted_bytes as f64);
        format!("{}: {}, {wasted} wasted", one.subject, Unit::Percent.show(one.percent))
    });
    list(blocks, "Bloat", &bloat.collect::<Vec<_>>());
    let unused = report.unused_indexes.iter();
    let unused = unused.map(|one| format!("{}: {}", one.subject, Unit::Bytes.show(one.size_bytes as f64)));
    list(blocks, "Unused indexes", &unused.collect::<Vec<_>>());
    let full = report.forecast.iter().map(|one| format!("{}: in {}", one.subject, Unit::Days.show(one.days)));
    list(blocks, "Full within a year", &full.collect::<Vec<_>>());
    if blocks.is_cut {
        blocks.end("The rest is too long for Slack; `pgvitals report` shows it.".to_owned());
    }
}

fn statements(lines: &[StatementLine]) -> Vec<String> {
    let line = |one: &StatementLine| {
        let before = one.mean_ms_before.map(|ms| format!(", before {}", Unit::Millis.show(ms))).unwrap_or_default();
        format!(
            "{}: mean {}{before}, calls {} ({})",
            one.summary,
            Unit::Millis.show(one.mean_ms),
            one.calls,
            one.query_hash
        )
    };
    lines.iter().map(line).collect()
}

/// A heading and the first rows of a list; nothing of an empty one.
fn list(blocks: &mut Blocks, heading: &str, rows: &[String]) {
    if rows.is_empty() {
        return;
    }
    let mut text = format!("*{heading}*");
    for row in rows.iter().take(ROWS_MAX) {
        text.push_str("\n• ");
        text.push_str(&escaped(&clean(row), SECTION_MAX / (ROWS_MAX + 1)));
    }
    if rows.len() > ROWS_MAX {
        text.push_str(&format!("\nand {} more", rows.len() - ROWS_MAX));
    }
    // What is left out is said once, at the end.
    blocks.is_cut |= !blocks.section(&cut(text));
}

/// Text as Slack takes it, at most `most` characters when escaped: `<!channel>` calls nobody.
fn escaped(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most.saturating_sub(1);
    let mut digits = [0; 4];
    for c in text.chars() {
        let part = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => c.encode_utf8(&mut digits),
        };
        let length = part.chars().count();
        if length > left {
            out.push('…');
            return out;
        }
        left -= length;
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_never_longer_than_it_may_be_and_never_cut_inside_an_entity() {
        assert_eq!(escaped("a<!channel>&b", 100), "a&lt;!channel&gt;&amp;b");
        for most in 1..40 {
            let text = escaped("<<<<<&&&&&>>>>>", most);
            assert!(text.chars().count() <= most, "{most}: {text}");
            let bare = text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").replace('…', "");
            assert_eq!(bare, "", "{most}: {text}");
        }
    }
}
