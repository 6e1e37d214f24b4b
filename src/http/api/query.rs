//! `metric=query`: everything that memory knows of one statement.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ask::Ask;
use super::params::{bad, refused};
use super::queries::{Sort, sort_rows};
use super::shape::{Series, Step, ms, percent, quantile_ms};
use super::slow::SlowQuery;
use super::statement::Statement;
use super::tags::{TagBody, by_value};
use crate::base::units::Nanos;
use crate::http::problem::{Kind, Problem};
use crate::sql::hash::QueryHash;
use crate::stats::histogram::Histogram;
use crate::stats::live::{GroupBy, StatementRow};
use crate::stats::series::SeriesStats;

/// Single executions shown, the newest.
const SAMPLES_MAX: usize = 20;

/// One statement: its figures, over time, by duration, by caller, by error.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct QueryDetail {
    #[serde(flatten)]
    statement: Statement,
    pub(in crate::http) series: Series,
    histogram: HistogramBody,
    /// Most total time first.
    callers: Vec<Caller>,
    /// By value of the tag `route`, or of `key` where that is given; most total time first. Empty where the application leaves none.
    routes: Vec<TagBody>,
    /// Calls by SQLSTATE, most frequent first.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    errors_by_code: Map<String, Value>,
    /// Its newest executions that were kept one by one: slow, failed, sampled, running.
    samples: Vec<SlowQuery>,
    /// What it used to be; null as memory is too short for one.
    #[schema(value_type = Option<Object>)]
    baseline: Option<Value>,
}

/// The durations as they were counted.
#[derive(Serialize, ToSchema)]
struct HistogramBody {
    /// Greatest value of each bucket that isn't empty.
    values_us: Vec<u32>,
    counts: Vec<u64>,
}

/// Who runs the statement.
#[derive(Serialize, ToSchema)]
struct Caller {
    database: String,
    user: String,
    application: String,
    calls: u64,
    errors: u64,
    total_ms: f64,
    p95_ms: Option<f64>,
    /// Of the statement's total time.
    share_percent: f64,
}

/// The answer.
pub(in crate::http) fn query(ask: &Ask<'_>) -> Result<QueryDetail, Problem> {
    let hash = hash(ask)?;
    let step = Step::of(ask)?;
    let Some(known) = ask.known(hash) else {
        return Err(Problem::new(Kind::UnknownQuery, format!("no statement with query_hash {hash} is known")));
    };
    let rows = ask.statements(GroupBy::Hash);
    let whole: Nanos = rows.iter().map(|row| row.stats.total).sum();
    let none = SeriesStats::default();
    let stats = rows.iter().find(|row| row.query.query.hash == hash).map_or(&none, |row| &row.stats);
    let settings = ask.view.settings();
    let kept = ask.slow(Nanos::ZERO);
    let samples = kept.iter().filter(|slow| slow.query.hash == hash).take(SAMPLES_MAX);
    let errors = ask.errors(hash);
    Ok(QueryDetail {
        statement: Statement::of(&known, stats, whole),
        series: Series::new(&ask.timeline(Some(hash)), step),
        histogram: HistogramBody::new(&stats.durations),
        callers: callers(ask, hash, stats.total)?,
        routes: by_value(ask, route(ask), Some(hash), stats.total)?,
        errors_by_code: errors.iter().map(|(code, count)| (code.to_string(), Value::from(*count))).collect(),
        samples: samples.map(|slow| SlowQuery::new(slow, &settings.levels)).collect(),
        baseline: None,
    })
}

/// The tag that tells where a statement comes from.
pub(super) fn route<'a>(ask: &Ask<'a>) -> &'a str {
    ask.params.get("key").unwrap_or("route")
}

pub(super) fn hash(ask: &Ask<'_>) -> Result<QueryHash, Problem> {
    let Some(text) = ask.params.get("hash") else {
        return Err(bad("metric=query needs hash: a statement's query_hash".to_owned()));
    };
    text.parse().map_err(|_| refused("hash", text, "16 hexadecimal digits"))
}

fn callers(ask: &Ask<'_>, hash: QueryHash, whole: Nanos) -> Result<Vec<Caller>, Problem> {
    let limit = ask.limit(50)?;
    let mut rows = ask.callers(hash);
    sort_rows(&mut rows, Sort::TotalMs);
    Ok(rows.iter().take(limit).map(|row| Caller::new(row, whole)).collect())
}

impl HistogramBody {
    fn new(durations: &Histogram) -> Self {
        let (values_us, counts) = durations.buckets().unzip();
        Self { values_us, counts }
    }
}

impl Caller {
    fn new(row: &StatementRow, whole: Nanos) -> Self {
        let part = |part: &Option<Box<str>>| part.as_deref().unwrap_or_default().to_owned();
        Self {
            database: part(&row.database),
            user: part(&row.user),
            application: part(&row.application),
            calls: row.stats.calls,
            errors: row.stats.errors,
            total_ms: ms(row.stats.total),
            p95_ms: quantile_ms(&row.stats.durations, 0.95),
            share_percent: percent(row.stats.total, whole),
        }
    }
}
