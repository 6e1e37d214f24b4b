//! A server as its last round saw it: rows that answers show, made once for each round, not for each question.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::shape::{rfc3339, tenths};
use crate::analyze;
use crate::analyze::bloat::Bloated;
use crate::analyze::capacity::{Capacity, Growth};
use crate::analyze::days::Day;
use crate::analyze::indexes::{IndexUse, Status};
use crate::analyze::level::{self, Use};
use crate::analyze::recommend::{Recommendation, bytes};
use crate::base::units::WallTime;
use crate::jobs::insight::{Insight, Vitals};
use crate::session::identity::normal_application;
use crate::snapshot::activity::SessionsBy;
use crate::snapshot::relation::{Method, Withheld};
use crate::snapshot::server::Server;
use crate::snapshot::set::Set;
use crate::store::read::health::Health;

/// A server at its last round.
#[derive(Clone, Debug)]
pub(in crate::http) struct Seen {
    /// Its name.
    pub(in crate::http) server: String,
    /// When that was.
    pub(in crate::http) at: WallTime,
    /// All indexes, the ones to drop first.
    pub(in crate::http) indexes: Vec<IndexRow>,
    /// All tables, the most wasted first.
    pub(in crate::http) tables: Vec<BloatRow>,
    /// Bloat of all indexes, likewise.
    pub(in crate::http) bloated: Vec<BloatRow>,
    /// What grows.
    pub(in crate::http) capacity: CapacityRows,
    /// What to do about what was seen.
    pub(in crate::http) recommendations: Vec<Recommendation>,
    /// Of all databases.
    pub(in crate::http) bytes: u64,
    /// As `server_version_num`.
    pub(in crate::http) version_number: u32,
    /// Who works there.
    pub(in crate::http) sight: Sight,
    /// In a few figures.
    pub(in crate::http) vitals: Vitals,
}

impl Seen {
    /// What a round and those before it say.
    pub(in crate::http) fn new(health: &Health, server: &str, rules: &analyze::Settings) -> Self {
        let insight = Insight::of(health, rules);
        Self {
            server: server.to_owned(),
            at: health.set.at,
            indexes: IndexRow::all(server, &insight),
            tables: insight.tables.iter().map(|one| BloatRow::new(server, one)).collect(),
            bloated: insight.indexes.iter().map(|one| BloatRow::new(server, one)).collect(),
            capacity: CapacityRows::new(server, &insight.capacity),
            recommendations: insight.recommendations(server, rules, &Day::default(), 0.0),
            bytes: bytes(&health.set),
            version_number: health.set.server.version_number,
            sight: Sight::new(&health.set),
            vitals: insight.vitals(),
        }
    }
}

/// One index; of a partitioned table the topmost, with sums of all partitions.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct IndexRow {
    server: String,
    pub(in crate::http) database: String,
    pub(in crate::http) schema: String,
    pub(in crate::http) table: String,
    pub(in crate::http) index: String,
    /// Since the last reset of the server's counters.
    scans: u64,
    size_bytes: u64,
    /// Null: no use was seen.
    #[schema(format = DateTime)]
    last_used: Option<String>,
    /// Days without use, or without use as far as was watched.
    unused_days: f64,
    /// active, low_usage, unused, drop, not_enough_history.
    status: &'static str,
    reason: String,
    /// What takes it away, where that is the advice.
    statement: Option<String>,
    /// What brings it back.
    undo: Option<String>,
}

impl IndexRow {
    /// All of a server in their order.
    fn all(server: &str, insight: &Insight<'_>) -> Vec<Self> {
        let mut uses: Vec<&IndexUse<'_>> = insight.uses.iter().collect();
        uses.sort_by_key(|one| (rank(one.status), Reverse(one.index.figures.size_bytes)));
        uses.into_iter().map(|one| Self::new(server, one)).collect()
    }

    fn new(server: &str, one: &IndexUse<'_>) -> Self {
        let (names, figures, evidence) = (&one.index.names, &one.index.figures, &one.evidence);
        let unused = evidence.last_used_ago.unwrap_or(evidence.unused);
        Self {
            server: server.to_owned(),
            database: names.database.clone(),
            schema: names.schema.clone(),
            table: names.table.clone(),
            index: names.index.clone(),
            scans: figures.scans,
            size_bytes: figures.size_bytes,
            last_used: evidence.last_used.map(rfc3339),
            unused_days: tenths(unused.as_secs_f64() / 86_400.0),
            status: one.status.as_str(),
            reason: one.reason.clone(),
            statement: one.statement.clone(),
            undo: one.undo.clone(),
        }
    }
}

/// What asks for a decision comes first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Used(Use::Drop) => 0,
        Status::Used(Use::Unused) => 1,
        Status::Used(Use::LowUsage) => 2,
        Status::NotEnoughHistory => 3,
        Status::Used(Use::Active) => 4,
    }
}

/// One table or index.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct BloatRow {
    server: String,
    pub(in crate::http) database: String,
    pub(in crate::http) schema: String,
    pub(in crate::http) table: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) index: Option<String>,
    live_tuples: Option<u64>,
    dead_tuples: Option<u64>,
    size_bytes: u64,
    /// Null: see `withheld`.
    pub(in crate::http) bloat_percent: Option<f64>,
    wasted_bytes: Option<u64>,
    /// healthy, monitor, warning, critical.
    level: Option<&'static str>,
    /// How it was found out: docs/health.md.
    method: Option<&'static str>,
    /// Why nothing is said.
    withheld: Option<&'static str>,
    advice: Option<String>,
    statement: Option<String>,
}

impl BloatRow {
    /// The shape of one.
    fn new(server: &str, one: &Bloated<'_>) -> Self {
        Self {
            server: server.to_owned(),
            database: one.database.to_owned(),
            schema: one.schema.to_owned(),
            table: one.table.to_owned(),
            index: one.index.map(str::to_owned),
            live_tuples: one.live_tuples,
            dead_tuples: one.dead_tuples,
            size_bytes: one.size_bytes,
            bloat_percent: one.bloat.map(|bloat| tenths(bloat.percent)),
            wasted_bytes: one.bloat.map(|bloat| bloat.wasted_bytes),
            level: one.level.map(level::Bloat::as_str),
            method: one.bloat.map(|bloat| Method::as_str(bloat.method)),
            withheld: one.withheld.map(Withheld::as_str),
            advice: one.advice.clone(),
            statement: one.statement.clone(),
        }
    }
}

/// What grows; `tables` the fastest growing first. Each list has at most `limit` rows.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct CapacityRows {
    /// All databases together in bytes, against `disk_capacity`.
    pub(in crate::http) disk: Vec<GrowthRow>,
    /// Bytes.
    pub(in crate::http) databases: Vec<GrowthRow>,
    /// Bytes, indexes included; partitions are in their topmost parent.
    pub(in crate::http) tables: Vec<GrowthRow>,
    /// Values handed out.
    pub(in crate::http) sequences: Vec<GrowthRow>,
    /// Transaction ids and multixacts since the oldest row that is not frozen.
    pub(in crate::http) wraparound: Vec<GrowthRow>,
    /// Sessions.
    pub(in crate::http) connections: Vec<GrowthRow>,
}

/// One that grows.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct GrowthRow {
    server: String,
    /// Null of the server.
    pub(in crate::http) database: Option<String>,
    /// Empty of a database or the server itself.
    pub(in crate::http) name: String,
    now: f64,
    /// The most that was seen.
    peak: f64,
    /// Where it ends; null: nowhere, or nobody said.
    limit: Option<f64>,
    /// Null: not watched for long enough.
    growth_per_day: Option<f64>,
    /// Of `growth_per_day` by 95 %.
    low: Option<f64>,
    high: Option<f64>,
    /// Null: it does not grow, or has no limit.
    full_in_days: Option<f64>,
    earliest_full_in_days: Option<f64>,
    /// With `series=day`; left out of tables, of which metric=table tells more.
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<GrowthSeries>,
}

/// The most of each day (UTC).
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
struct GrowthSeries {
    step_seconds: u64,
    /// Begins of the days on which somebody looked.
    #[schema(format = DateTime)]
    at: Vec<String>,
    value: Vec<f64>,
}

impl CapacityRows {
    /// The shape of a server's.
    fn new(server: &str, capacity: &Capacity) -> Self {
        let rows = |all: &[Growth]| all.iter().map(|growth| GrowthRow::new(server, growth)).collect();
        let one = |growth: &Option<Growth>| growth.iter().map(|growth| GrowthRow::new(server, growth)).collect();
        Self {
            disk: one(&capacity.disk),
            databases: rows(&capacity.databases),
            tables: rows(&capacity.tables),
            sequences: rows(&capacity.sequences),
            wraparound: rows(&capacity.wraparound),
            connections: one(&capacity.connections),
        }
    }
}

impl GrowthRow {
    /// What is asked for most of the time.
    pub(in crate::http) fn without_series(&self) -> Self {
        Self { series: None, ..self.clone() }
    }

    fn new(server: &str, growth: &Growth) -> Self {
        Self {
            server: server.to_owned(),
            database: growth.database.clone(),
            name: growth.name.clone(),
            now: growth.now,
            peak: growth.peak,
            limit: growth.limit,
            growth_per_day: growth.trend.map(|trend| tenths(trend.per_day)),
            low: growth.trend.map(|trend| tenths(trend.low)),
            high: growth.trend.map(|trend| tenths(trend.high)),
            full_in_days: growth.full.days.map(tenths),
            earliest_full_in_days: growth.full.earliest.map(tenths),
            series: (!growth.past.is_empty()).then(|| GrowthSeries::new(&growth.past)),
        }
    }
}

impl GrowthSeries {
    fn new(days: &[(WallTime, f64)]) -> Self {
        let (at, value) = days.iter().map(|(at, value)| (rfc3339(*at), *value)).unzip();
        Self { step_seconds: 86_400, at, value }
    }
}

/// What a round saw of who works on the server, applications called as in statistics.
#[derive(Clone, Debug)]
pub(in crate::http) struct Sight(pub(in crate::http) Arc<Set>);

impl Sight {
    /// That of a set.
    fn new(set: &Set) -> Self {
        let named = |one: &SessionsBy| SessionsBy { application: normal_application(&one.application), ..one.clone() };
        let sessions = set.server.sessions.iter().map(named).collect();
        let server = Server { calls: set.server.calls.clone(), sessions, ..Server::default() };
        Self(Arc::new(Set { at: set.at, server, ..Set::default() }))
    }
}
