//! `pgvitals demo`: plays a month of an online shop that there never was into monitoring tables.

use std::io::Write;

use anyhow::Context;

use super::client::runtime;
use super::exit::Failure;
use super::load::store;
use crate::config::load::Loaded;
use crate::demo::play::{Played, SERVER, Wanted, play};

/// What to play.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Options {
    /// Full days.
    pub(super) days: u32,
    /// The same seed makes the same month.
    pub(super) seed: u64,
    /// Also where others' figures are.
    pub(super) mix: bool,
}

/// Plays it, and says how to look at it.
pub(super) fn run(loaded: &Loaded, options: Options, mut out: impl Write) -> Result<(), Failure> {
    let store = store(loaded, "no store is set to play into")?;
    let Options { days, seed, mix } = options;
    let wanted = Wanted {
        store: store.clone(),
        rules: loaded.app.analyze.clone(),
        zone: loaded.app.jobs.time_zone.clone(),
        days,
        seed,
        is_mixed: mix,
    };
    let played = runtime()?.block_on(play(&wanted)).map_err(anyhow::Error::from)?;
    let place = format!("schema {} at {}", store.schema, store.target);
    Ok(out.write_all(said(&played, &place).as_bytes()).context("can't write what was played")?)
}

fn said(played: &Played, place: &str) -> String {
    let Played { course, statements, calls, rounds, alerts, open, reports, is_again, took } = played;
    let time = |at: crate::base::units::WallTime| {
        jiff::Timestamp::from_microsecond(at.unix_micros()).map(|at| at.to_string()).unwrap_or_default()
    };
    let again = if *is_again { ", in place of the one before" } else { "" };
    format!(
        "demo data: a month of an online shop that there never was, as server `{SERVER}` in {place}{again}\n\
         played {calls} executions of {statements} statements from {} to {}\n\
         played {rounds} looks at the server, {alerts} alerts of which {open} are open, {reports} daily reports\n\
         took   {:.1} s\n\n\
         look at it, with the same --store:\n  \
         pgvitals serve --store URL --disk-capacity 240GiB     and http://127.0.0.1:7480/#/overview?server={SERVER}&range=7d\n  \
         pgvitals report --store URL --of {SERVER}\n  \
         psql URL -c 'select * from pgvitals.top_statements_24h'\n",
        time(course.from),
        time(course.to),
        took.as_secs_f64(),
    )
}
