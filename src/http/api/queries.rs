//! `metric=queries`: all statements, sorted, searched, page by page.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::params::refused;
use super::shape::sparkline;
use super::statement::Statement;
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::stats::live::{Filter, GroupBy, StatementRow};
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
const SPARKLINE_POINTS: u64 = 24;

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

    let mut rows = ask.view.statements(ask.window, &ask.filter, group);
    let whole: Nanos = rows.iter().map(|row| row.stats.total).sum();
    if let Some(wanted) = params.get("search").map(str::to_lowercase) {
        rows.retain(|row| matches(row, &wanted));
    }
    sort_rows(&mut rows, sort);

    let total = rows.len();
    let page = rows.iter().skip(skip).take(limit).map(|row| {
        let mut statement = Statement::new(row, whole);
        statement.sparkline = spark.then(|| row_sparkline(ask, row));
        statement
    });
    let queries: Vec<Statement> = page.collect();
    let next = skip.saturating_add(queries.len());
    Ok(Queries { cursor: (next < total && !queries.is_empty()).then(|| next.to_string()), queries, total })
}

fn group(name: &str) -> Option<GroupBy> {
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

fn row_sparkline(ask: &Ask<'_>, row: &StatementRow) -> Vec<Option<f64>> {
    let part =
        |part: &Option<Box<str>>, asked: &Option<String>| part.as_deref().map(str::to_owned).or_else(|| asked.clone());
    let filter = Filter {
        server: ask.filter.server.clone(),
        database: part(&row.database, &ask.filter.database),
        user: part(&row.user, &ask.filter.user),
        application: part(&row.application, &ask.filter.application),
    };
    let points = ask.view.timeline(ask.window, &filter, Some(row.query.query.hash));
    sparkline(&points, ask.window.from, ask.window.to, SPARKLINE_POINTS)
}
