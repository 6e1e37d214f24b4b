//! `pgvitals top`: statements of a running pgvitals as a table that refreshes.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::client::{Client, runtime};
use super::statements::{Queries, Summary, printable, table};
use crate::config::load::Loaded;

/// Wrapping is off while a table is drawn, so that a long line is cut and stays one line.
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";
const LINE_END: &str = "\x1b[K\n";
const CLEAR_BELOW: &str = "\x1b[J";

/// How to show it.
#[derive(Debug)]
pub(super) struct Options {
    /// One table, then the end.
    pub(super) once: bool,
    /// A `sort` of API.md.
    pub(super) sort: String,
    /// Rows.
    pub(super) limit: u64,
    /// Between two tables.
    pub(super) interval: Duration,
}

/// Shows tables until Ctrl-C, or one.
pub(super) fn run(loaded: &Loaded, options: &Options) -> anyhow::Result<()> {
    let http = &loaded.app.http;
    let client = Client::new(&http.listen, http.token.clone());
    runtime()?.block_on(async {
        tokio::select! {
            result = show(&client, options) => result,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    })
}

async fn show(client: &Client, options: &Options) -> anyhow::Result<()> {
    let is_terminal = std::io::stdout().is_terminal() && !options.once;
    let mut drawn = 0;
    let mut ticks = tokio::time::interval(options.interval);
    loop {
        ticks.tick().await;
        let lines = match lines(client, options).await {
            Ok(lines) => lines,
            Err(error) if options.once => return Err(error),
            // It may come back: a restart, an upgrade.
            Err(error) => vec![printable(&format!("{error:#}"))],
        };
        write(&if is_terminal { frame(&lines, drawn) } else { plain(&lines, options.once) })?;
        drawn = lines.len();
        if options.once {
            return Ok(());
        }
    }
}

async fn lines(client: &Client, options: &Options) -> anyhow::Result<Vec<String>> {
    let Options { sort, limit, .. } = options;
    let summary: Summary = client.json("/api/performance?metric=summary&hours=1").await?;
    let path = format!("/api/performance?metric=queries&hours=1&sort={sort}&limit={limit}");
    let queries: Queries = client.json(&path).await?;
    Ok(table(&summary, &queries))
}

/// Draws over the table before, of `drawn` lines; what stands above it stays.
fn frame(lines: &[String], drawn: usize) -> String {
    let back = if drawn == 0 { String::new() } else { format!("\r\x1b[{drawn}A") };
    let lines: String = lines.iter().flat_map(|line| [line.as_str(), LINE_END]).collect();
    format!("{WRAP_OFF}{back}{lines}{CLEAR_BELOW}{WRAP_ON}")
}

fn plain(lines: &[String], once: bool) -> String {
    let between = if once { "" } else { "\n" };
    format!("{}\n{between}", lines.join("\n"))
}

fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
