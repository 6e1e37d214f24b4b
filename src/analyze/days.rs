//! A statement's day against the week before it, by sums: which got slower or faster, which are new, called more often, or
//! fail more often.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::analyze::baseline::{CALLS_MIN, Hour};
use crate::analyze::level::{DAY, days};
use crate::analyze::statements::{SLOWER_MIN_MS_PER_HOUR, Statement, is_jump};
use crate::base::units::{Nanos, WallTime};
use crate::sql::kind::{Class, Kind};
use crate::sql::query::Query;
use crate::stats::live::{KnownQuery, StatementRow};
use crate::stats::series::SeriesStats;

/// So many times the calls of the days before is growth.
const GROWTH_MIN: f64 = 2.0;

/// So many times the mean duration is slower, or by its inverse faster.
const RATIO_MIN: f64 = 1.2;

/// A statement's day, and the seven days before it.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The statement, where it ran, and its day; only [`Class::Data`] is looked at. Durations may lack.
    pub row: StatementRow,
    /// The week.
    pub week: SeriesStats,
    /// When it was seen first.
    pub first_seen: WallTime,
}

/// Statements by their hours: the day from `from` to `to`, and the week before it. Hours don't say how many rows there were.
pub fn of_hours(statements: &[Statement], from: WallTime, to: WallTime) -> Vec<Compared> {
    let compared = statements.iter().map(|statement| {
        let query = Query { hash: statement.query_hash, kind: Kind::Other, text: Box::default() };
        let query = KnownQuery {
            query: Arc::new(query),
            class: statement.class,
            summary: statement.summary.as_str().into(),
            tables: Vec::new(),
            filters: Vec::new(),
            name: None,
        };
        let stats = sum(&statement.hours, from, to);
        let database = statement.database.as_deref().map(Into::into);
        Compared {
            row: StatementRow { query: Arc::new(query), database, user: None, application: None, stats },
            week: sum(&statement.hours, from.before(days(7)), from),
            first_seen: statement.first_seen,
        }
    });
    compared.collect()
}

/// Calls, errors and time of the hours from `from` to `to`.
fn sum(hours: &[Hour], from: WallTime, to: WallTime) -> SeriesStats {
    let mut stats = SeriesStats::default();
    for hour in hours.iter().filter(|hour| from <= hour.at && hour.at < to) {
        stats.calls += hour.calls;
        stats.errors += hour.errors;
        stats.total += hour.total;
    }
    stats
}

/// Figures of a statement's day.
#[derive(Clone, Copy, Debug)]
pub struct DayFigures<'a> {
    /// Whose.
    pub of: &'a Compared,
    /// Calls of the day.
    pub calls: u64,
    /// Calls a day before; 0 of a new one.
    pub calls_before: f64,
    /// Mean duration of the day, in ms.
    pub mean_ms: f64,
    /// And before.
    pub mean_ms_before: Option<f64>,
    /// Errors of the day.
    pub errors: u64,
    /// Time of the day that its calls would not have taken before, in ms; negative: that they saved.
    pub extra_ms: f64,
}

/// Statements of a day, sorted by what changed.
#[derive(Clone, Debug, Default)]
pub struct Day<'a> {
    /// Slower, the most extra time first.
    pub worse: Vec<DayFigures<'a>>,
    /// Faster, the most time saved first.
    pub better: Vec<DayFigures<'a>>,
    /// Seen first on that day, the most calls first.
    pub new: Vec<DayFigures<'a>>,
    /// Called twice as often as before, or more; the most calls first.
    pub grown: Vec<DayFigures<'a>>,
    /// Failing well more often than before, the most errors first.
    pub failing: Vec<DayFigures<'a>>,
}

impl<'a> Day<'a> {
    /// Every list.
    pub fn lists(&self) -> [&[DayFigures<'a>]; 5] {
        [&self.worse, &self.better, &self.new, &self.grown, &self.failing]
    }
}

/// The data statements of the day that begins at `from`.
pub fn day(statements: &[Compared], from: WallTime) -> Day<'_> {
    let mut day = Day::default();
    for statement in statements.iter().filter(|statement| statement.row.query.class == Class::Data) {
        let Some(figures) = figures(statement, from) else { continue };
        if statement.first_seen >= from {
            day.new.push(figures);
            continue;
        }
        let before = &statement.week;
        if before.calls >= CALLS_MIN && is_jump((figures.calls, figures.errors), (before.calls, before.errors)) {
            day.failing.push(figures);
        }
        if figures.calls_before >= CALLS_MIN as f64 && figures.calls as f64 >= GROWTH_MIN * figures.calls_before {
            day.grown.push(figures);
        }
        let ratio = figures.mean_ms_before.map_or(1.0, |before| figures.mean_ms / before);
        let enough = figures.calls.min(before.calls) >= CALLS_MIN && figures.extra_ms.abs() >= SLOWER_MIN_MS_PER_HOUR;
        if enough && ratio >= RATIO_MIN {
            day.worse.push(figures);
        } else if enough && ratio <= 1.0 / RATIO_MIN {
            day.better.push(figures);
        }
    }
    day.worse.sort_by(|a, b| b.extra_ms.total_cmp(&a.extra_ms));
    day.better.sort_by(|a, b| a.extra_ms.total_cmp(&b.extra_ms));
    day.new.sort_by_key(|figures| Reverse(figures.calls));
    day.grown.sort_by_key(|figures| Reverse(figures.calls));
    day.failing.sort_by_key(|figures| Reverse(figures.errors));
    day
}

fn figures(statement: &Compared, from: WallTime) -> Option<DayFigures<'_>> {
    let (now, before) = (&statement.row.stats, &statement.week);
    let mean_ms = mean(now, |stats| stats.total.as_millis_f64())?;
    let mean_ms_before = mean(before, |stats| stats.total.as_millis_f64());
    // Of a statement that is younger than the week, only the days that it was there.
    let age = from.since(statement.first_seen.max(from.before(days(7)))).as_secs_f64() / DAY.as_secs_f64();
    Some(DayFigures {
        of: statement,
        calls: now.calls,
        calls_before: if age > 0.0 { before.calls as f64 / age.max(1.0) } else { 0.0 },
        mean_ms,
        mean_ms_before,
        errors: now.errors,
        extra_ms: mean_ms_before.map_or(0.0, |before| (mean_ms - before) * now.calls as f64),
    })
}

impl DayFigures<'_> {
    /// What a call had to do with its being slower, as a sentence that goes on: more rows, or a client that takes them
    /// slowly.
    pub fn cause(&self) -> Option<String> {
        let (now, before) = (&self.of.row.stats, &self.of.week);
        let rows = |stats| mean(stats, |stats: &SeriesStats| stats.rows as f64);
        let stall = |stats| mean(stats, |stats: &SeriesStats| Nanos::as_millis_f64(stats.client_stall));
        let (rows, rows_before) = (rows(now)?, rows(before)?);
        let (stall, stall_before) = (stall(now)?, stall(before)?);
        let slower = self.mean_ms - self.mean_ms_before?;
        if stall - stall_before >= slower / 2.0 {
            return Some(format!(
                "of that {stall:.1} ms a call are waiting for the client to take rows, after {stall_before:.1} ms"
            ));
        }
        (rows >= 1.5 * rows_before.max(1.0))
            .then(|| format!("a call returns or changes {rows:.0} rows, after {rows_before:.0}"))
    }
}

/// A figure for each call.
fn mean(stats: &SeriesStats, figure: impl Fn(&SeriesStats) -> f64) -> Option<f64> {
    (stats.calls > 0).then(|| figure(stats) / stats.calls as f64)
}
