//! `metric=summary`: the headline. Totals and top are of data statements; what nobody looked at yet is null.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::alerts::{self, CountsBody, Known};
use super::ask::{Ask, Scope};
use super::seen::Seen;
use super::shape::{cores, mean_ms, ms, quantile_ms, tenths};
use super::slow::SlowQuery;
use super::statement::{Statement, total};
use crate::base::telemetry::Unmeasured;
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::sql::kind::Class;
use crate::stats::live::{GroupBy, Page, Reason};
use crate::stats::series::SeriesStats;
use crate::store::cost::Cost;
use crate::store::read::PastSessions;

/// The headline.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Summary {
    pub(in crate::http) totals: Totals,
    connections: Connections,
    transactions: Transactions,
    /// Data statements with most total time.
    top: Vec<Statement>,
    slow_queries: Slow,
    /// Now; null when the store doesn't answer.
    alerts: Option<CountsBody>,
    /// At the last look at the monitored servers; null before it.
    bloat: Option<BloatHeadline>,
    /// Likewise.
    indexes: Option<IndexHeadline>,
    /// Since the start: what was forwarded and not measured, by reason.
    unmeasured: BTreeMap<&'static str, u64>,
    /// pgvitals itself.
    #[serde(rename = "self")]
    own: Own,
}

/// All data statements together.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct Totals {
    calls: u64,
    errors: u64,
    aborted: u64,
    rows: u64,
    total_ms: f64,
    /// Null without calls, as the percentiles.
    mean_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    levels: Levels,
}

/// Calls by latency level, counted exactly.
#[derive(Serialize, ToSchema, Debug, Default)]
struct Levels {
    good: u64,
    warning: u64,
    alert: u64,
    critical: u64,
}

/// Client sessions.
#[derive(Serialize, ToSchema)]
struct Connections {
    /// Now, in this process; null of others, and of pgvitals serve.
    open: Option<u64>,
    /// In the window.
    opened: u64,
    /// Start-ups that failed in the window.
    failed: u64,
}

/// Explicit transactions that ended in the window.
#[derive(Serialize, ToSchema)]
struct Transactions {
    count: u64,
    committed: u64,
    rolled_back: u64,
    mean_ms: Option<f64>,
    p95_ms: Option<f64>,
    /// Summed.
    idle_in_transaction_ms: f64,
}

/// Executions over the threshold.
#[derive(Serialize, ToSchema)]
struct Slow {
    count: u64,
    /// The longest.
    worst: Option<SlowQuery>,
}

/// Tables that hold space which they do not need.
#[derive(Serialize, ToSchema)]
struct BloatHeadline {
    /// Those whose level is warning or critical.
    tables_over_threshold: u64,
    /// In all tables and indexes.
    wasted_bytes: u64,
}

/// Indexes that nobody uses.
#[derive(Serialize, ToSchema)]
struct IndexHeadline {
    unused: u64,
    unused_bytes: u64,
}

/// pgvitals itself; null is what this machine or this build doesn't tell.
#[derive(Serialize, ToSchema)]
struct Own {
    version: &'static str,
    uptime_s: f64,
    /// CPU time of the process over statements, since the start.
    cpu_us_per_query: Option<f64>,
    /// Processor cores that it used on average, since the start.
    cpu_cores: Option<f64>,
    resident_bytes: Option<u64>,
    series: u64,
    /// Samples lost since the start; that not every slow or failed execution is kept one by one is no loss.
    dropped: u64,
    /// Rows and bytes written to the monitoring tables since the start.
    rows_written: Option<u64>,
    bytes_written: Option<u64>,
    /// What writing a batch takes; null before the first.
    flush_mean_ms: Option<f64>,
    flush_lag_s: Option<f64>,
    /// The store's clock minus ours.
    clock_offset_ms: Option<f64>,
    spool_bytes: Option<u64>,
    /// How long the oldest batch of the journal has been waiting.
    spool_age_s: Option<f64>,
    /// Of the monitoring tables, as last weighed by this process.
    store_bytes: Option<u64>,
    /// For which every monitoring table has partitions, as last seen by this process.
    partitions_ahead_days: Option<f64>,
}

/// The answer.
pub(in crate::http) fn summary(ask: &Ask<'_>, seen: &[Arc<Seen>], known: &Known) -> Result<Summary, Problem> {
    let telemetry = &ask.app.sources.telemetry;
    let unmeasured = Unmeasured::ALL.iter().map(|reason| (reason.as_str(), telemetry.unmeasured_total(*reason)));
    let sessions = ask.sessions();
    let page = top_page(ask)?;
    let mut data = ask.statements(GroupBy::Hash);
    let whole = data.iter().map(|row| row.stats.total).sum();
    page.order(&mut data);
    let mut totals = total(&data);
    if let Some(together) = ask.past.and_then(|past| past.together.as_ref()) {
        totals.durations = together.clone();
    }
    Ok(Summary {
        totals: Totals::new(&totals),
        connections: Connections {
            open: (ask.scope == Scope::Own).then(|| ask.view.open_sessions()),
            opened: sessions.opened,
            failed: sessions.failed,
        },
        transactions: Transactions::new(&sessions),
        top: page.cut(&data).map(|row| Statement::new(row, whole)).collect(),
        slow_queries: Slow::new(ask),
        alerts: alerts::counts(known),
        bloat: BloatHeadline::new(seen),
        indexes: IndexHeadline::new(seen),
        unmeasured: unmeasured.collect(),
        own: Own::new(ask),
    })
}

/// Which statements are on top.
pub(super) fn top_page(ask: &Ask<'_>) -> Result<Page, Problem> {
    Ok(Page { class: Some(Class::Data), limit: ask.limit(50)?, ..Page::default() })
}

impl Totals {
    fn new(stats: &SeriesStats) -> Self {
        let quantile = |q| quantile_ms(&stats.durations, q);
        let [good, warning, alert, critical] = stats.levels;
        Self {
            calls: stats.calls,
            errors: stats.errors,
            aborted: stats.aborted,
            rows: stats.rows,
            total_ms: ms(stats.total),
            mean_ms: mean_ms(stats.total, stats.calls),
            p50_ms: quantile(0.50),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            max_ms: (stats.calls > 0).then(|| ms(stats.max)),
            levels: Levels { good, warning, alert, critical },
        }
    }
}

impl Transactions {
    fn new(sessions: &PastSessions) -> Self {
        let (committed, rolled_back) = (sessions.committed, sessions.rolled_back);
        Self {
            count: committed + rolled_back,
            committed,
            rolled_back,
            mean_ms: mean_ms(sessions.transaction_time, committed + rolled_back),
            p95_ms: quantile_ms(&sessions.transactions, 0.95),
            idle_in_transaction_ms: ms(sessions.idle_in_transaction),
        }
    }
}

impl Slow {
    fn new(ask: &Ask<'_>) -> Self {
        let settings = ask.view.settings();
        let mut slow = ask.slow(settings.slow_threshold);
        // One that was told of while it ran is told again when it ends.
        slow.retain(|slow| slow.reason != Reason::Running);
        let worst = slow.iter().max_by_key(|slow| (slow.duration, slow.at));
        // Of the tables there is the longest alone, which is counted with the others.
        let past = ask.past.map_or(0, |past| past.slow_count.saturating_sub(past.slow.len() as u64));
        Self { count: slow.len() as u64 + past, worst: worst.map(|slow| SlowQuery::new(slow, &settings.levels)) }
    }
}

impl BloatHeadline {
    fn new(seen: &[Arc<Seen>]) -> Option<Self> {
        let vitals = || seen.iter().map(|seen| &seen.vitals);
        (!seen.is_empty()).then(|| Self {
            tables_over_threshold: vitals().map(|one| one.tables_over_threshold).sum(),
            wasted_bytes: vitals().map(|one| one.table_bloat_bytes + one.index_bloat_bytes).sum(),
        })
    }
}

impl IndexHeadline {
    fn new(seen: &[Arc<Seen>]) -> Option<Self> {
        let vitals = || seen.iter().map(|seen| &seen.vitals);
        (!seen.is_empty()).then(|| Self {
            unused: vitals().map(|one| one.unused_indexes).sum(),
            unused_bytes: vitals().map(|one| one.unused_index_bytes).sum(),
        })
    }
}

impl Own {
    fn new(ask: &Ask<'_>) -> Self {
        let cost = Cost::of(ask.view, &ask.app.sources.telemetry);
        let uptime = ask.view.at().since(ask.view.started());
        let weight = ask.app.sources.store.as_ref().and_then(|store| store.status.weight());
        // Who measures nothing writes nothing.
        let store = ask.app.sources.store.as_ref().filter(|_| ask.app.measures());
        let counts = store.map(|store| store.status.counts());
        Self {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: uptime.as_secs_f64(),
            cpu_us_per_query: cost.us_per_call().map(tenths),
            cpu_cores: cost.cores(uptime).map(cores),
            resident_bytes: cost.resident_bytes,
            series: cost.series,
            dropped: cost.dropped,
            rows_written: counts.map(|counts| counts.rows),
            bytes_written: counts.map(|counts| counts.bytes),
            flush_mean_ms: store.and_then(|store| store.status.flush_mean()).map(Nanos::as_millis_f64),
            flush_lag_s: store.map(|store| store.status.lag(ask.view.at()).as_secs_f64()),
            clock_offset_ms: store.map(|store| store.status.offset_us() as f64 / 1_000.0),
            spool_bytes: counts.map(|counts| counts.spool_bytes),
            spool_age_s: store.map(|store| store.status.spool_age(ask.view.at()).as_secs_f64()),
            store_bytes: weight.map(|weight| weight.bytes),
            partitions_ahead_days: weight.map(|weight| (weight.days_ahead * 10.0).round() / 10.0),
        }
    }
}
