//! The daily report: yesterday against the week before, as data that is kept, and as text and HTML made from it.

use serde::{Deserialize, Serialize};

use crate::analyze::alert::Alert;
use crate::analyze::bloat::Bloated;
use crate::analyze::capacity::{Capacity, Growth};
use crate::analyze::days::{Day, DayFigures};
use crate::analyze::indexes::{IndexUse, Status};
use crate::analyze::level::{Bloat, Use};
use crate::analyze::recommend::Recommendation;
use crate::base::units::WallTime;

/// Rows of each list.
const ROWS_MAX: usize = 10;

/// A report on one server and one local day.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The monitored server.
    pub server: String,
    /// The local day, `2026-11-25`.
    pub day: String,
    /// It is about a server that was made up.
    #[serde(default)]
    pub demo: bool,
    /// All data statements of the day.
    pub totals: Totals,
    /// And on a day of the week before.
    pub totals_before: Totals,
    /// Statements that got slower.
    pub worse: Vec<StatementLine>,
    /// Statements that got faster.
    pub better: Vec<StatementLine>,
    /// Statements seen first.
    pub new: Vec<StatementLine>,
    /// Statements called more often.
    pub grown: Vec<StatementLine>,
    /// Alerts that opened on the day, also those that nobody was told of.
    pub alerts: Vec<AlertLine>,
    /// What is bloated, the most wasted first.
    pub bloat: Vec<BloatLine>,
    /// Indexes that nobody uses.
    pub unused_indexes: Vec<IndexLine>,
    /// What is full next.
    pub forecast: Vec<ForecastLine>,
    /// What to do first.
    pub recommendations: Vec<Recommendation>,
}

/// Figures of a day.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Executions.
    pub calls: f64,
    /// Of these, failed.
    pub errors: f64,
    /// Their durations summed up, in ms.
    pub total_ms: f64,
    /// P95 in ms; `None` without executions.
    pub p95_ms: Option<f64>,
}

/// A statement's day.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StatementLine {
    /// Its hash.
    pub query_hash: String,
    /// Operations and targets.
    pub summary: String,
    /// Calls of the day.
    pub calls: u64,
    /// Calls on a day before.
    pub calls_before: f64,
    /// Mean duration in ms.
    pub mean_ms: f64,
    /// And before.
    pub mean_ms_before: Option<f64>,
    /// Time that it took more, or less, than before, in ms.
    pub extra_ms: f64,
}

/// An alert that opened.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct AlertLine {
    /// What it is about.
    pub kind: String,
    /// Of what.
    pub subject: String,
    /// How bad.
    pub severity: String,
    /// Sightings.
    pub count: u64,
    /// Over by now.
    pub is_resolved: bool,
    /// Nobody was told.
    pub is_silent: bool,
    /// As it was told.
    pub message: String,
}

/// A bloated table or index.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct BloatLine {
    /// Which.
    pub subject: String,
    /// Of its size.
    pub percent: f64,
    /// Bytes of it.
    pub wasted_bytes: u64,
    /// What to do.
    pub advice: String,
}

/// An unused index.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct IndexLine {
    /// Which.
    pub subject: String,
    /// On disk.
    pub size_bytes: u64,
    /// Why it is said.
    pub reason: String,
}

/// Something that grows towards its limit.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ForecastLine {
    /// What.
    pub subject: String,
    /// Days until it is full.
    pub days: f64,
    /// At the earliest.
    pub earliest_days: Option<f64>,
}

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The monitored server.
    pub server: &'a str,
    /// The local day, `2026-11-25`.
    pub day: &'a str,
    /// From when to when that is.
    pub from: WallTime,
    /// The end.
    pub to: WallTime,
    /// All data statements of it.
    pub totals: Totals,
    /// And on a day of the week before, on average.
    pub totals_before: Totals,
    /// Its statements.
    pub statements: &'a Day<'a>,
    /// Rows of alerts of this server.
    pub alerts: &'a [Alert],
    /// Tables and indexes.
    pub bloated: &'a [Bloated<'a>],
    /// Indexes.
    pub uses: &'a [IndexUse<'a>],
    /// What grows.
    pub capacity: &'a Capacity,
    /// What to do.
    pub recommendations: &'a [Recommendation],
}

/// The report.
pub fn report(facts: &Facts<'_>) -> Report {
    let day = facts.statements;
    let statements = |list: &[DayFigures<'_>]| list.iter().take(ROWS_MAX).map(statement_line).collect();
    let opened =
        |alert: &&Alert| alert.server == facts.server && facts.from <= alert.opened_at && alert.opened_at < facts.to;
    let mut alerts: Vec<&Alert> = facts.alerts.iter().filter(opened).collect();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), alert.opened_at));
    let mut bloated: Vec<_> = facts.bloated.iter().filter(|one| one.level >= Some(Bloat::Warning)).collect();
    bloated.sort_by_key(|one| std::cmp::Reverse(one.wasted_bytes()));
    let mut unused: Vec<_> =
        facts.uses.iter().filter(|one| matches!(one.status, Status::Used(Use::Unused | Use::Drop))).collect();
    unused.sort_by_key(|one| std::cmp::Reverse(one.index.figures.size_bytes));
    Report {
        server: facts.server.to_owned(),
        day: facts.day.to_owned(),
        demo: false,
        totals: facts.totals,
        totals_before: facts.totals_before,
        worse: statements(&day.worse),
        better: statements(&day.better),
        new: statements(&day.new),
        grown: statements(&day.grown),
        alerts: alerts.into_iter().map(alert_line).collect(),
        bloat: bloated.into_iter().take(ROWS_MAX).map(bloat_line).collect(),
        unused_indexes: unused.into_iter().take(ROWS_MAX).map(index_line).collect(),
        forecast: forecast(facts.capacity),
        recommendations: facts.recommendations.iter().take(ROWS_MAX).cloned().collect(),
    }
}

fn statement_line(figures: &DayFigures<'_>) -> StatementLine {
    StatementLine {
        query_hash: figures.of.row.query.query.hash.to_string(),
        summary: figures.of.row.query.shown(),
        calls: figures.calls,
        calls_before: figures.calls_before,
        mean_ms: figures.mean_ms,
        mean_ms_before: figures.mean_ms_before,
        extra_ms: figures.extra_ms,
    }
}

fn alert_line(alert: &Alert) -> AlertLine {
    AlertLine {
        kind: alert.kind.to_string(),
        subject: alert.subject.to_string(),
        severity: alert.severity.as_str().to_owned(),
        count: alert.count,
        is_resolved: !alert.is_open(),
        is_silent: alert.notified.is_none(),
        message: alert.message.clone(),
    }
}

fn bloat_line(one: &Bloated<'_>) -> BloatLine {
    BloatLine {
        subject: one.subject().to_string(),
        percent: one.bloat.map_or(0.0, |bloat| bloat.percent),
        wasted_bytes: one.wasted_bytes(),
        advice: one.advice.clone().unwrap_or_default(),
    }
}

fn index_line(one: &IndexUse<'_>) -> IndexLine {
    IndexLine {
        subject: crate::analyze::indexes::subject(one.index).to_string(),
        size_bytes: one.index.figures.size_bytes,
        reason: one.reason.clone(),
    }
}

/// What meets its limit within a year, the soonest first.
fn forecast(capacity: &Capacity) -> Vec<ForecastLine> {
    let disk = capacity.disk.iter().map(|growth| ("disk", growth));
    let sequences = capacity.sequences.iter().map(|growth| ("sequence", growth));
    let wraparound = capacity.wraparound.iter().map(|growth| ("freeze of", growth));
    let connections = capacity.connections.iter().map(|growth| ("connections", growth));
    let line = |(what, growth): (&str, &Growth)| {
        let place = [growth.database.as_deref().unwrap_or_default(), growth.name.as_str()];
        let subject =
            [what, place[0], place[1]].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let days = growth.full.days.filter(|days| *days <= 365.0)?;
        Some(ForecastLine { subject, days, earliest_days: growth.full.earliest })
    };
    let all = disk.chain(sequences).chain(wraparound).chain(connections);
    let mut lines: Vec<ForecastLine> = all.filter_map(line).collect();
    lines.sort_by(|a, b| a.days.total_cmp(&b.days));
    lines.truncate(ROWS_MAX);
    lines
}
