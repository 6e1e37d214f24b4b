//! Which statements come first, and which are searched for: one order for rows of memory and of the tables.

use super::answer::StatementRow;
use crate::sql::kind::Class;
use crate::stats::series::SeriesStats;

/// What statements may be sorted by, largest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)] // Named as in the API.
pub enum Sort {
    #[default]
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
    pub const NAMES: &[&str] = &["total_ms", "calls", "mean_ms", "p95_ms", "errors", "p99_ms", "max_ms", "rows"];

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().zip(Self::ALL).find_map(|(known, sort)| (*known == name).then_some(sort))
    }

    /// Whether sums don't tell it: it takes every row's durations.
    pub const fn needs_durations(self) -> bool {
        matches!(self, Sort::P95Ms | Sort::P99Ms)
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
pub fn sort_rows(rows: &mut [StatementRow], sort: Sort) {
    rows.sort_by_cached_key(|row| {
        let parts = (row.database.clone(), row.user.clone(), row.application.clone());
        (std::cmp::Reverse(sort.key(&row.stats)), row.query.query.hash, parts)
    });
}

/// A part of all statements.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// What comes first.
    pub sort: Sort,
    /// Only statements whose text or hash contains this, which is in lower case.
    pub search: Option<String>,
    /// Only of this class.
    pub class: Option<Class>,
    /// Rows before the page.
    pub skip: usize,
    /// Rows on it.
    pub limit: usize,
}

impl Page {
    /// Leaves the rows that are asked for, on whatever page, in their order.
    pub fn order(&self, rows: &mut Vec<StatementRow>) {
        rows.retain(|row| self.admits(row));
        sort_rows(rows, self.sort);
    }

    /// The page of ordered rows.
    pub fn cut<'a>(&self, rows: &'a [StatementRow]) -> impl Iterator<Item = &'a StatementRow> + use<'a> {
        rows.iter().skip(self.skip).take(self.limit)
    }

    fn admits(&self, row: &StatementRow) -> bool {
        let query = &row.query.query;
        let is_found =
            |wanted: &str| query.text.to_lowercase().contains(wanted) || query.hash.to_string().contains(wanted);
        self.class.is_none_or(|class| class == row.query.class) && self.search.as_deref().is_none_or(is_found)
    }
}
