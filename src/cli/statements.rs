//! The table of statements that `top` shows, from the answers of `/api/performance` (API.md).

use std::fmt::Write;

use serde::Deserialize;

/// Answer of `metric=summary`, as far as it is shown.
#[derive(Deserialize, Debug)]
pub(super) struct Summary {
    totals: Totals,
    connections: Connections,
}

#[derive(Deserialize, Debug)]
struct Totals {
    calls: u64,
    errors: u64,
    mean_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

#[derive(Deserialize, Debug)]
struct Connections {
    open: u64,
}

/// Answer of `metric=queries`, as far as it is shown.
#[derive(Deserialize, Debug)]
pub(super) struct Queries {
    queries: Vec<Statement>,
    total: u64,
}

#[derive(Deserialize, Debug)]
struct Statement {
    query: String,
    calls: u64,
    errors: u64,
    mean_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    share_percent: Option<f64>,
}

const QUERY_MAX: usize = 400;

/// The table, one line a statement, without line breaks at the ends of lines.
pub(super) fn table(summary: &Summary, queries: &Queries) -> Vec<String> {
    let totals = &summary.totals;
    let mut lines = vec![
        format!(
            "last hour: {} calls, {} errors, mean {} ms, P95 {} ms, P99 {} ms; {} connections, {} statements",
            totals.calls,
            totals.errors,
            millis(totals.mean_ms),
            millis(totals.p95_ms),
            millis(totals.p99_ms),
            summary.connections.open,
            queries.total,
        ),
        String::new(),
        format!("{:>9} {:>7} {:>9} {:>9} {:>9} {:>6}  query", "calls", "errors", "mean ms", "P95 ms", "P99 ms", "time"),
    ];
    lines.extend(queries.queries.iter().map(line));
    lines
}

fn line(statement: &Statement) -> String {
    let mut line = String::new();
    let share = statement.share_percent.map_or_else(|| "-".to_owned(), |share| format!("{share:.0} %"));
    let (mean, p95, p99) = (millis(statement.mean_ms), millis(statement.p95_ms), millis(statement.p99_ms));
    let (calls, errors) = (statement.calls, statement.errors);
    write!(line, "{calls:>9} {errors:>7} {mean:>9} {p95:>9} {p99:>9} {share:>6}  ").unwrap_or_default();
    line.push_str(&printable(&statement.query));
    line
}

/// Three significant digits are what the histogram holds.
fn millis(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.2}"),
        Some(value) if value < 100.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

/// Text that came from a client, on one line: a terminal must not obey it (FIELD (g)).
pub(super) fn printable(text: &str) -> String {
    let mut words = String::new();
    for c in text.chars().map(|c| if is_obeyed(c) { ' ' } else { c }) {
        if !(c == ' ' && words.ends_with(' ')) {
            words.push(c);
        }
        if words.len() >= QUERY_MAX {
            words.push('…');
            break;
        }
    }
    words
}

/// Control characters, line breaks, and what turns the direction of writing.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
