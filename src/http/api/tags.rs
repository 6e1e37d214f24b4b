//! `metric=tags`: figures by the value of a tag that applications leave in comments.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::params::bad;
use super::shape::{ms, percent, quantile_ms};
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::sql::hash::QueryHash;
use crate::stats::live::TagRow;

/// Figures by value of one tag.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Tags {
    /// Most total time first.
    pub(in crate::http) tags: Vec<TagBody>,
}

/// One value.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct TagBody {
    /// The value; `(other)` for what did not fit.
    value: String,
    calls: u64,
    errors: u64,
    rows: u64,
    total_ms: f64,
    p95_ms: Option<f64>,
    /// Of the total time of all data statements in the window, or of the one that was asked for, tagged or not.
    share_percent: f64,
    /// Distinct statements seen with it.
    statements: u64,
}

/// The answer. The filter means nothing here: values are counted over all series, data statements alone.
pub(in crate::http) fn tags(ask: &Ask<'_>) -> Result<Tags, Problem> {
    let Some(key) = ask.params.get("key") else {
        return Err(bad("metric=tags needs key: the tag's key, such as route".to_owned()));
    };
    Ok(Tags { tags: by_value(ask, key, None, ask.data_time())? })
}

/// Figures of one or of all statements by value of a tag, most total time first; shares are of `whole`.
pub(super) fn by_value(
    ask: &Ask<'_>,
    key: &str,
    hash: Option<QueryHash>,
    whole: Nanos,
) -> Result<Vec<TagBody>, Problem> {
    let limit = ask.limit(50)?;
    let mut rows = ask.tags(key, hash);
    rows.sort_by(|a, b| b.stats.total.cmp(&a.stats.total).then_with(|| a.value.cmp(&b.value)));
    Ok(rows.iter().take(limit).map(|row| TagBody::new(row, whole)).collect())
}

impl TagBody {
    fn new(row: &TagRow, whole: Nanos) -> Self {
        Self {
            value: row.value.to_string(),
            calls: row.stats.calls,
            errors: row.stats.errors,
            rows: row.stats.rows,
            total_ms: ms(row.stats.total),
            p95_ms: quantile_ms(&row.stats.durations, 0.95),
            share_percent: percent(row.stats.total, whole),
            statements: row.statements,
        }
    }
}
