//! Tables as text, for scripts, pipes and terminals that can't do more: one, or one after the other.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use super::answers::{Queries, Statement, Summary};
use super::options::Options;
use super::wanted::Wanted;
use crate::cli::client::{Client, advised};
use crate::cli::text::printable;

/// Bytes of a statement's text in a table.
const QUERY_MAX: usize = 400;

/// Prints tables until it is stopped, or one.
pub(super) async fn show(client: &Client, options: &Options) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(options.interval);
    loop {
        ticks.tick().await;
        let lines = match lines(client, options).await {
            Ok(lines) => lines,
            Err(error) if options.once => return Err(advised(error)),
            // It may come back: a restart, an upgrade.
            Err(error) => vec![printable(&format!("{error:#}"), QUERY_MAX)],
        };
        let between = if options.once { "" } else { "\n" };
        match write(&format!("{}\n{between}", lines.join("\n"))) {
            Ok(()) if !options.once => {}
            // Nobody reads on.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            end => return Ok(end?),
        }
    }
}

async fn lines(client: &Client, options: &Options) -> anyhow::Result<Vec<String>> {
    let wanted = Wanted { limit: options.limit.unwrap_or(15), ..Wanted::of(options) };
    let summary: Summary = client.json(&wanted.summary()).await?;
    let queries: Queries = client.json(&wanted.queries()).await?;
    Ok(table(wanted.window().name, &summary, &queries))
}

/// The table, one line a statement, without line breaks at the ends of lines.
pub(super) fn table(window: &str, summary: &Summary, queries: &Queries) -> Vec<String> {
    let totals = &summary.totals;
    let connections = summary.connections.as_ref().and_then(|connections| connections.open);
    let mut lines = vec![
        format!(
            "last {window}: {} calls, {} errors, mean {} ms, P95 {} ms, P99 {} ms; {} connections, {} statements",
            totals.calls,
            totals.errors,
            millis(totals.mean_ms),
            millis(totals.p95_ms),
            millis(totals.p99_ms),
            connections.map_or_else(|| "-".to_owned(), |open| open.to_string()),
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
    line.push_str(&printable(&statement.query, QUERY_MAX));
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

fn write(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
