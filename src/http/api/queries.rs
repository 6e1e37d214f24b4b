//! `metric=queries`: all statements, sorted, searched, page by page.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::params::refused;
use super::shape::Sparkline;
use super::statement::Statement;
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::sql::hash::QueryHash;
use crate::stats::live::{GroupBy, StatementRow, Window};
use crate::stats::series::SeriesStats;

/// Statements of every class: each row says its own.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Queries {
    /// Largest first.
    pub(in crate::http) queries: Vec<Statement>,
    /// Rows that there are, on all pages.
    total: usize,
    /// Where the next page begins; null on the last one. Figures move, so a row may move between pages meanwhile.
    cursor: Option<String>,
}

/// Values of `group_by`.
pub(in crate::http) const GROUPS: &[&str] = &["hash", "hash,database", "hash,database,user,application"];

/// Points of a sparkline.
const SPARKLINE_POINTS: usize = 24;

/// What rows may be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Named as in API.md.
pub(in crate::http) enum Sort {
    TotalMs,
    Calls,
    MeanMs,
    P95Ms,
    Errors,
    P99Ms,
    MaxMs,
    Rows,
}

impl Sort {
    const ALL: [Sort; 8] =
        [Sort::TotalMs, Sort::Calls, Sort::MeanMs, Sort::P95Ms, Sort::Errors, Sort::P99Ms, Sort::MaxMs, Sort::Rows];

    /// The names, in the order of [`Sort::ALL`].
    pub(in crate::http) const NAMES: &[&str] =
        &["total_ms", "calls", "mean_ms", "p95_ms", "errors", "p99_ms", "max_ms", "rows"];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().zip(Self::ALL).find_map(|(known, sort)| (*known == name).then_some(sort))
    }

    fn key(self, stats: &SeriesStats) -> u64 {
        let quantile = |q| stats.durations.quantile(q).unwrap_or_default().get();
        match self {
            Sort::TotalMs => stats.total.get(),
            Sort::Calls => stats.calls,
            Sort::MeanMs => stats.total.get().checked_div(stats.calls).unwrap_or_default(),
            Sort::P95Ms => quantile(0.95),
            Sort::Errors => stats.errors,
            Sort::P99Ms => quantile(0.99),
            Sort::MaxMs => stats.max.get(),
            Sort::Rows => stats.rows,
        }
    }
}

/// Sorts rows, largest first; ties by hash and the other parts of the key, so that pages don't shuffle.
pub(in crate::http) fn sort_rows(rows: &mut [StatementRow], sort: Sort) {
    rows.sort_by_cached_key(|row| {
        let parts = (row.database.clone(), row.user.clone(), row.application.clone());
        (std::cmp::Reverse(sort.key(&row.stats)), row.query.query.hash, parts)
    });
}

/// The answer.
pub(in crate::http) fn queries(ask: &Ask<'_>) -> Result<Queries, Problem> {
    let params = ask.params;
    let sort = params.choice("sort", Sort::NAMES, Sort::parse)?.unwrap_or(Sort::TotalMs);
    let group = params.choice("group_by", GROUPS, group)?.unwrap_or_default();
    let spark = params.choice("sparkline", &["p95_ms"], |name| (name == "p95_ms").then_some(()))?.is_some();
    let (limit, skip) = (ask.limit(50)?, offset(ask)?);

    let mut rows = ask.statements(group);
    let whole: Nanos = rows.iter().map(|row| row.stats.total).sum();
    if let Some(wanted) = params.get("search").map(str::to_lowercase) {
        rows.retain(|row| matches(row, &wanted));
    }
    sort_rows(&mut rows, sort);

    let total = rows.len();
    let page: Vec<&StatementRow> = rows.iter().skip(skip).take(limit).collect();
    let mut queries: Vec<Statement> = page.iter().map(|row| Statement::new(row, whole)).collect();
    if spark {
        for (statement, points) in queries.iter_mut().zip(sparklines(ask, group, &page)) {
            statement.sparkline = Some(points);
        }
    }
    let next = skip.saturating_add(queries.len());
    Ok(Queries { cursor: (next < total && !queries.is_empty()).then(|| next.to_string()), queries, total })
}

pub(super) fn group(name: &str) -> Option<GroupBy> {
    match name {
        "hash" => Some(GroupBy::Hash),
        "hash,database" => Some(GroupBy::HashDatabase),
        "hash,database,user,application" => Some(GroupBy::Full),
        _ => None,
    }
}

fn offset(ask: &Ask<'_>) -> Result<usize, Problem> {
    let Some(cursor) = ask.params.get("cursor") else { return Ok(0) };
    cursor.parse().map_err(|_| refused("cursor", cursor, "the cursor of the answer before"))
}

fn matches(row: &StatementRow, wanted: &str) -> bool {
    let query = &row.query.query;
    query.text.to_lowercase().contains(wanted) || query.hash.to_string().contains(wanted)
}

/// What tells the rows of one grouping apart.
type Key<'r> = (QueryHash, Option<&'r str>, Option<&'r str>, Option<&'r str>);

fn key(row: &StatementRow) -> Key<'_> {
    (row.query.query.hash, row.database.as_deref(), row.user.as_deref(), row.application.as_deref())
}

/// A sparkline for each row of the page. Memory is read once per step, not once per row.
fn sparklines(ask: &Ask<'_>, group: GroupBy, page: &[&StatementRow]) -> Vec<Vec<Option<f64>>> {
    let window = ask.window;
    // Of what the tables hold rows have no steps here: those points are null.
    let Some(memory) = ask.memory else { return page.iter().map(|_| vec![None; SPARKLINE_POINTS]).collect() };
    let mut lines: Vec<Sparkline> = page.iter().map(|_| Sparkline::new(window, SPARKLINE_POINTS)).collect();
    let places: HashMap<Key<'_>, usize> = page.iter().enumerate().map(|(place, row)| (key(row), place)).collect();
    for step in ask.view.timeline(memory, &ask.filter, None).iter().filter(|step| step.stats.is_some()) {
        let span = Window { from: step.at, to: step.at.after(step.step) };
        for row in ask.view.statements(span, &ask.filter, group) {
            if let Some(line) = places.get(&key(&row)).and_then(|place| lines.get_mut(*place)) {
                line.add(step.at, &row.stats.durations);
            }
        }
    }
    lines.iter().map(Sparkline::p95_ms).collect()
}
