//! `metric=query`: everything that is known of one statement.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ask::Ask;
use super::baseline::{BaselineBody, Learned};
use super::shape::{Series, ms, percent, quantile_ms};
use super::slow::SlowQuery;
use super::statement::{Statement, total};
use super::tags::{TagBody, by_value};
use crate::base::units::Nanos;
use crate::http::problem::{Kind, Problem};
use crate::stats::histogram::Histogram;
use crate::stats::live::{GroupBy, Sort, StatementRow, sort_rows};

/// Single executions shown, the newest.
pub(super) const SAMPLES_MAX: usize = 20;

/// One statement: its figures, over time, by duration, by caller, by error.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct QueryDetail {
    #[serde(flatten)]
    statement: Statement,
    pub(in crate::http) series: Series,
    histogram: HistogramBody,
    /// Most total time first; null of a route.
    callers: Option<Vec<Caller>>,
    /// By value of the tag `route`, or of `key` where that is given; most total time first. Empty where the application leaves none.
    routes: Vec<TagBody>,
    /// Calls by SQLSTATE, most frequent first; null of a route.
    #[schema(value_type = Option<std::collections::HashMap<String, u64>>)]
    errors_by_code: Option<Map<String, Value>>,
    /// Its newest executions that were kept one by one: slow, failed, sampled, running.
    samples: Vec<SlowQuery>,
    /// What is usual for it; null without a store, and of a route.
    baseline: Option<BaselineBody>,
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
pub(in crate::http) fn query(ask: &Ask<'_>, learned: Option<Learned>) -> Result<QueryDetail, Problem> {
    let hash = ask.hash()?;
    let step = ask.step()?;
    let Some(known) = ask.known(hash) else {
        return Err(Problem::new(Kind::UnknownQuery, format!("no statement with query_hash {hash} is known")));
    };
    let whole: Nanos = ask.statements(GroupBy::Hash).iter().map(|row| row.stats.total).sum();
    let callers = ask.callers(hash);
    let stats = &total(&callers);
    let settings = ask.view.settings();
    let kept = ask.slow(Nanos::ZERO);
    let samples = kept.iter().filter(|slow| slow.query.hash == hash).take(SAMPLES_MAX);
    let errors = ask.errors(hash);
    let errors = errors.iter().map(|(code, count)| (code.to_string(), Value::from(*count)));
    // Of a route only sums are known.
    let is_whole = ask.filter.tag.is_none();
    Ok(QueryDetail {
        statement: Statement::of(&known, stats, whole).kept_by(&ask.filter),
        series: Series::new(&ask.timeline(Some(hash)), step),
        histogram: HistogramBody::new(&stats.durations),
        callers: if is_whole { Some(shown(ask, callers, stats.total)?) } else { None },
        routes: by_value(ask, ask.tag_key(), Some(hash), stats.total)?,
        errors_by_code: is_whole.then(|| errors.collect()),
        samples: samples.map(|slow| SlowQuery::new(slow, &settings.levels)).collect(),
        baseline: learned.map(|learned| BaselineBody::new(ask, learned)),
    })
}

fn shown(ask: &Ask<'_>, mut rows: Vec<StatementRow>, whole: Nanos) -> Result<Vec<Caller>, Problem> {
    let limit = ask.limit(50)?;
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
