//! `pgvitals report`: the last daily report of each server, or a certain one, from the monitoring tables.

use std::io::Write;

use anyhow::{Context, bail};

use super::client::runtime;
use crate::store::alerts::reports;
use crate::store::settings::Settings;

/// Which, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Options {
    /// `2026-11-25`; the last day that has reports otherwise.
    pub(super) day: Option<String>,
    /// Of one server alone.
    pub(super) server: Option<String>,
    /// As data, a line each.
    pub(super) json: bool,
}

/// Prints them.
pub(super) fn run(store: &Settings, options: &Options, mut out: impl Write) -> anyhow::Result<()> {
    let read = reports::read(store, options.day.as_deref(), options.server.as_deref());
    let reports = runtime()?.block_on(read)?;
    if reports.is_empty() {
        bail!("no report of that day and server; the daily job makes them of the day before");
    }
    for report in reports {
        let text = if options.json { report.json } else { report.text };
        writeln!(out, "{}", text.trim_end()).context("can't write the report")?;
    }
    Ok(())
}
