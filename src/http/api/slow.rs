//! `metric=slow_queries`: executions that took long, one by one.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ask::{Ask, next};
use super::shape::{ms, rfc3339};
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::sql::statement::Tags;
use crate::stats::level::Thresholds;
use crate::stats::live::SlowExecution;

/// Slow executions, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SlowQueries {
    /// From here on; never below `slow_threshold`, as memory keeps few others.
    threshold_ms: f64,
    pub(in crate::http) slow_queries: Vec<SlowQuery>,
    /// Where the next page begins; null on the last one. New executions move those before.
    cursor: Option<String>,
}

/// One execution.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct SlowQuery {
    /// When it completed; of one that was running, when that was seen.
    #[schema(format = DateTime)]
    at: String,
    query_hash: String,
    query: String,
    /// Of a batch the whole span.
    duration_ms: f64,
    first_row_ms: Option<f64>,
    client_stall_ms: f64,
    rows: u64,
    /// good, warning, alert, critical.
    level: &'static str,
    database: String,
    user: String,
    application: String,
    /// Pairs that the application left in comments.
    #[schema(value_type = Object)]
    tags: Value,
    /// SQLSTATE.
    error: Option<String>,
    /// Statements that shared the span.
    statements: u32,
    /// W3C trace id, when a comment carried one.
    trace_id: Option<String>,
    /// Why it is kept: slow, error, sampled (`sample_rate`), running (in flight for 30 s; it is told again when it ends).
    reason: &'static str,
    /// Bind values of $1, $2, …; null unless `capture_parameters` is on.
    #[schema(value_type = Option<Vec<Object>>)]
    parameters: Value,
}

/// The answer.
pub(in crate::http) fn slow_queries(ask: &Ask<'_>) -> Result<SlowQueries, Problem> {
    let settings = ask.view.settings();
    let threshold = threshold(ask)?;
    let (skip, limit) = (ask.place()?, ask.limit(50)?);
    let slow = ask.slow(threshold);
    let shown = slow.iter().skip(skip).take(limit).map(|slow| SlowQuery::new(slow, &settings.levels));
    let slow_queries: Vec<SlowQuery> = shown.collect();
    let cursor = next(skip, slow_queries.len(), slow.len() > skip.saturating_add(slow_queries.len()));
    Ok(SlowQueries { threshold_ms: ms(threshold), slow_queries, cursor })
}

/// What was asked for, or the threshold below which nothing is kept.
pub(super) fn threshold(ask: &Ask<'_>) -> Result<Nanos, Problem> {
    let least = ask.view.settings().slow_threshold;
    let asked = ask.params.number("threshold", "milliseconds, a number of at least 0", |n| n >= 0.0)?;
    Ok(asked.map_or(least, |ms| Nanos::new((ms * 1e6) as u64)).max(least))
}

impl SlowQuery {
    /// The shape of an execution.
    pub(in crate::http) fn new(slow: &SlowExecution, levels: &Thresholds) -> Self {
        let trace = slow.trace.map(|trace| u128::from_be_bytes(trace.trace_id));
        Self {
            at: rfc3339(slow.at),
            query_hash: slow.query.hash.to_string(),
            query: slow.query.text.to_string(),
            duration_ms: ms(slow.duration),
            first_row_ms: slow.first_row.map(ms),
            client_stall_ms: ms(slow.client_stall),
            rows: slow.rows,
            level: levels.level(slow.duration).as_str(),
            database: slow.identity.database.to_string(),
            user: slow.identity.user.to_string(),
            application: slow.identity.application.to_string(),
            tags: tags(slow.tags.as_deref()),
            error: slow.error.map(|code| code.to_string()),
            statements: slow.statements,
            trace_id: trace.map(|id| format!("{id:032x}")),
            reason: slow.reason.as_str(),
            parameters: slow.parameters.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
        }
    }
}

/// Tags as an object, in order of appearance; the name that sqlc leaves stands under `name` unless a pair does.
pub(in crate::http) fn tags(tags: Option<&Tags>) -> Value {
    let mut object = Map::new();
    if let Some(tags) = tags {
        for (key, value) in &tags.pairs {
            object.insert(key.to_string(), Value::from(&**value));
        }
        if let Some(name) = &tags.name {
            object.entry("name").or_insert_with(|| Value::from(&**name));
        }
    }
    Value::Object(object)
}
