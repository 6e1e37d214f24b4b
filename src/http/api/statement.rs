//! A *statement*: the row that several answers show, with exactly the fields of API.md.

use serde::Serialize;
use utoipa::ToSchema;

use super::shape::{mean_ms, ms, percent, quantile_ms};
use crate::base::units::Nanos;
use crate::stats::level::Level;
use crate::stats::live::{Filter, KnownQuery, StatementRow};
use crate::stats::series::SeriesStats;

/// Figures of one statement over the window. Of a route what is not kept is null: `aborted`, bytes, the least and the
/// greatest, the first row, the client's stalls, `batched` and `level`.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct Statement {
    /// 16 hex digits.
    pub(in crate::http) query_hash: String,
    /// Canonical text: no literal is in it.
    query: String,
    kind: &'static str,
    class: &'static str,
    /// Operations and targets in order.
    summary: String,
    tables: Vec<String>,
    /// Left out unless it splits the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    /// Executions, errors and aborted ones included.
    calls: u64,
    errors: u64,
    /// The connection was lost meanwhile.
    aborted: Option<u64>,
    rows: u64,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    total_ms: f64,
    /// Percentiles, mean, least and greatest are null without calls.
    mean_ms: Option<f64>,
    min_ms: Option<f64>,
    max_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    /// Over calls with rows.
    first_row_mean_ms: Option<f64>,
    /// Estimate of waiting for the client, summed.
    client_stall_ms: Option<f64>,
    /// Calls that shared their span with others.
    batched: Option<u64>,
    /// Level of the call at the 95th percentile: good, warning, alert, critical.
    level: Option<&'static str>,
    /// Of the total time of all statements in the window.
    share_percent: f64,
    /// With `sparkline=p95_ms`: 24 points over the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) sparkline: Option<Vec<Option<f64>>>,
}

impl Statement {
    /// The row's shape; `whole` is the total time of all statements.
    pub(in crate::http) fn new(row: &StatementRow, whole: Nanos) -> Self {
        let owned = |part: &Option<Box<str>>| part.as_deref().map(str::to_owned);
        Self {
            database: owned(&row.database),
            user: owned(&row.user),
            application: owned(&row.application),
            ..Self::of(&row.query, &row.stats, whole)
        }
    }

    /// The same without the parts of a key.
    pub(in crate::http) fn of(known: &KnownQuery, stats: &SeriesStats, whole: Nanos) -> Self {
        let quantile = |q| quantile_ms(&stats.durations, q);
        Self {
            query_hash: known.query.hash.to_string(),
            query: known.query.text.to_string(),
            kind: known.query.kind.as_str(),
            class: known.class.as_str(),
            summary: known.summary.to_string(),
            tables: known.tables.iter().map(ToString::to_string).collect(),
            calls: stats.calls,
            errors: stats.errors,
            aborted: Some(stats.aborted),
            rows: stats.rows,
            bytes_in: Some(stats.bytes_in),
            bytes_out: Some(stats.bytes_out),
            total_ms: ms(stats.total),
            mean_ms: mean_ms(stats.total, stats.calls),
            min_ms: (stats.calls > 0).then(|| ms(stats.min)),
            max_ms: (stats.calls > 0).then(|| ms(stats.max)),
            p50_ms: quantile(0.50),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            first_row_mean_ms: mean_ms(stats.first_row, stats.first_row_calls),
            client_stall_ms: Some(ms(stats.client_stall)),
            batched: Some(stats.batched),
            level: level(&stats.levels).map(Level::as_str),
            share_percent: percent(stats.total, whole),
            ..Self::default()
        }
    }

    /// Without what sums by tag don't hold, where the filter asks for such. Memory knows more of them than the tables.
    pub(in crate::http) fn kept_by(self, filter: &Filter) -> Self {
        if filter.tag.is_none() {
            return self;
        }
        Self {
            aborted: None,
            bytes_in: None,
            bytes_out: None,
            min_ms: None,
            max_ms: None,
            first_row_mean_ms: None,
            client_stall_ms: None,
            batched: None,
            level: None,
            ..self
        }
    }
}

/// All rows together. Cheaper than another walk over every series of every minute.
pub(in crate::http) fn total(rows: &[StatementRow]) -> SeriesStats {
    rows.iter().fold(SeriesStats::default(), |mut total, row| {
        total.merge(&row.stats);
        total
    })
}

/// The level of the call at the 95th percentile, from the exact counts; `None` without calls.
fn level(counts: &[u64; 4]) -> Option<Level> {
    let rank = (counts.iter().sum::<u64>() as f64 * 0.95).ceil() as u64;
    let levels = [Level::Good, Level::Warning, Level::Alert, Level::Critical];
    let mut seen = 0;
    levels.into_iter().zip(counts).find_map(|(level, count)| {
        seen += count;
        (rank > 0 && seen >= rank).then_some(level)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_that_of_the_call_at_the_95th_percentile() {
        assert_eq!(level(&[0; 4]), None);
        assert_eq!(level(&[95, 0, 0, 5]), Some(Level::Good));
        assert_eq!(level(&[94, 0, 0, 6]), Some(Level::Critical));
        assert_eq!(level(&[0, 1, 0, 0]), Some(Level::Warning));
    }
}
