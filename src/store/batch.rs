//! Minutes as rows of the tables, with the key that keeps them from being written twice. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::figures::{Figures, micros, signed};
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::hash::QueryHash;
use crate::stats::level::Thresholds;
use crate::stats::live::{KnownQuery, Reason};
use crate::stats::minutes::{Noted, Span};
use crate::stats::series::SeriesKey;

/// What series are called in the store, of those whose statement and names a batch has been told.
pub(super) type Told = FxHashMap<SeriesKey, i64>;

/// One process's life (STORE §1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// Random; never that of another life.
    pub boot: u128,
    /// Its name among its kin; may repeat.
    pub instance: String,
    /// What outlives it.
    pub service: String,
    /// The program's.
    pub version: String,
    /// When it began to measure, µs since the Unix epoch.
    pub started_us: i64,
    /// It never measured anything: what it writes was made up, to be looked at.
    #[serde(default)]
    pub is_demo: bool,
}

/// Rows that are written in one transaction, once. Times are µs since the Unix epoch by the process's own clock.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// Whose.
    pub origin: Arc<Origin>,
    /// With the boot: what it is known by.
    pub sequence: i64,
    /// UTC day of its begin, in days since the Unix epoch; part of its key.
    pub day: i32,
    /// The last one for a while: nothing happened since, or the process ended.
    pub idle: bool,
    pub(super) queries: BTreeMap<String, QueryRow>,
    pub(super) series: BTreeMap<i64, SeriesRow>,
    pub(super) stats: Vec<StatsRow>,
    pub(super) errors: Vec<ErrorRow>,
    pub(super) tags: Vec<TagRow>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) idle_after: Vec<IdleRow>,
    pub(super) slow: Vec<SlowRow>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct QueryRow {
    pub(super) query: String,
    pub(super) kind: String,
    pub(super) class: String,
    pub(super) summary: String,
    pub(super) name: Option<String>,
    pub(super) tables: Vec<String>,
    #[serde(default)]
    pub(super) filters: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct SeriesRow {
    pub(super) server: String,
    pub(super) query_hash: String,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) application: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct StatsRow {
    pub(super) series_id: i64,
    pub(super) bucket_us: i64,
    pub(super) figures: Figures,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ErrorRow {
    pub(super) series_id: i64,
    pub(super) bucket_us: i64,
    pub(super) errors: i64,
    pub(super) sqlstate: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TagRow {
    pub(super) bucket_us: i64,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) query_hash: String,
    pub(super) figures: Figures,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct SessionRow {
    pub(super) bucket_us: i64,
    pub(super) startup_us: i64,
    pub(super) transaction_us: i64,
    pub(super) idle_in_transaction_us: i64,
    pub(super) transaction_statements: i64,
    pub(super) open: i64,
    pub(super) opened: i64,
    pub(super) failed: i64,
    pub(super) closed: i64,
    pub(super) ended_by_error: i64,
    pub(super) committed: i64,
    pub(super) rolled_back: i64,
    pub(super) buckets_us: Vec<i32>,
    pub(super) counts: Vec<i64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct IdleRow {
    pub(super) series_id: i64,
    pub(super) bucket_us: i64,
    pub(super) idle_us: i64,
    pub(super) times: i64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct SlowRow {
    pub(super) at_us: i64,
    #[serde(default = "slow")]
    pub(super) reason: String,
    pub(super) series: SeriesRow,
    pub(super) duration_ms: f64,
    pub(super) first_row_ms: Option<f64>,
    pub(super) client_stall_ms: f64,
    pub(super) rows: i64,
    pub(super) level: String,
    pub(super) sqlstate: Option<String>,
    pub(super) tags: Option<String>,
    pub(super) trace_id: Option<String>,
    #[serde(default)]
    pub(super) parameters: Option<String>,
    pub(super) suppressed: i64,
}

/// The one reason that batches had which earlier versions journaled.
fn slow() -> String {
    Reason::Slow.as_str().to_owned()
}

impl Origin {
    /// A life that begins now.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(instance: &str, service: &str, started: WallTime) -> Result<Self, getrandom::Error> {
        let mut boot = [0; 16];
        getrandom::fill(&mut boot)?;
        Ok(Self {
            boot: u128::from_be_bytes(boot),
            instance: instance.to_owned(),
            service: service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_us: started.unix_micros(),
            is_demo: false,
        })
    }
}

impl Batch {
    /// One without rows. `now` is when it was begun; its day stays with it.
    pub fn empty(origin: &Arc<Origin>, sequence: i64, now: WallTime) -> Self {
        Self {
            origin: Arc::clone(origin),
            sequence,
            day: i32::try_from(now.unix_micros().div_euclid(86_400_000_000)).unwrap_or_default(),
            idle: false,
            queries: BTreeMap::new(),
            series: BTreeMap::new(),
            stats: Vec::new(),
            errors: Vec::new(),
            tags: Vec::new(),
            sessions: Vec::new(),
            idle_after: Vec::new(),
            slow: Vec::new(),
        }
    }

    /// One without rows that has the same key.
    pub(super) fn sibling(&self) -> Self {
        Self { day: self.day, ..Self::empty(&self.origin, self.sequence, WallTime::default()) }
    }

    /// Executions in it: what is lost with it.
    pub fn calls(&self) -> u64 {
        self.stats.iter().map(|row| row.figures.calls.unsigned_abs()).sum()
    }

    /// Rows of the tables that grow.
    pub fn rows(&self) -> usize {
        self.stats.len()
            + self.errors.len()
            + self.tags.len()
            + self.sessions.len()
            + self.idle_after.len()
            + self.slow.len()
    }

    /// First and last bucket of its statistics.
    pub(super) fn buckets(&self) -> Option<(i64, i64)> {
        let sessions = self.sessions.iter().map(|row| row.bucket_us);
        let buckets = self.stats.iter().map(|row| row.bucket_us).chain(sessions);
        buckets
            .fold(None, |range, at| Some(range.map_or((at, at), |(from, to): (i64, i64)| (from.min(at), to.max(at)))))
    }

    /// Adds the rows of a span, and what `told` doesn't have of their series.
    pub(super) fn add_span(&mut self, span: &Span, told: &mut Told) {
        let bucket_us = span.from().unix_micros();
        for row in span.series().filter(|row| !row.stats.is_empty()) {
            let key = SeriesKey::of(&row.query.query, row.identity);
            let series_id = *told.entry(key).or_insert_with(|| self.add_series(row.query, row.identity));
            if row.stats.calls + row.stats.prepares > 0 {
                self.stats.push(StatsRow { series_id, bucket_us, figures: Figures::of(row.stats) });
            }
            for (code, count) in row.stats.codes.iter() {
                let sqlstate = code.as_str().to_owned();
                self.errors.push(ErrorRow { series_id, bucket_us, errors: signed(count), sqlstate });
            }
            if row.stats.idle_after_times > 0 {
                let (idle_us, times) = (micros(row.stats.idle_after), signed(row.stats.idle_after_times));
                self.idle_after.push(IdleRow { series_id, bucket_us, idle_us, times });
            }
        }
        for tag in span.tags() {
            self.tags.push(TagRow {
                bucket_us,
                key: tag.key.to_owned(),
                value: tag.value.to_owned(),
                query_hash: tag.query.to_string(),
                figures: Figures::of(tag.stats),
            });
        }
        self.add_sessions(span);
    }

    fn add_sessions(&mut self, span: &Span) {
        let sessions = span.sessions();
        if !sessions.is_eventful() {
            return;
        }
        let mut transactions = sessions.committed.clone();
        transactions.merge(&sessions.rolled_back);
        self.sessions.push(SessionRow {
            bucket_us: span.from().unix_micros(),
            startup_us: micros(sessions.startup_time),
            transaction_us: micros(sessions.transaction_time),
            idle_in_transaction_us: micros(sessions.idle_in_transaction),
            transaction_statements: signed(sessions.transaction_statements),
            open: signed(span.open_sessions()),
            opened: signed(sessions.opened),
            failed: signed(sessions.failed.iter().map(|(_, count)| count).sum()),
            closed: signed(sessions.closed),
            ended_by_error: signed(sessions.ended.iter().map(|(_, count)| count).sum()),
            committed: signed(sessions.committed.count()),
            rolled_back: signed(sessions.rolled_back.count()),
            buckets_us: transactions.buckets().map(|(top, _)| top.cast_signed()).collect(),
            counts: transactions.buckets().map(|(_, count)| signed(count)).collect(),
        });
    }

    /// Adds an execution.
    pub(super) fn add_slow(&mut self, noted: &Noted, levels: &Thresholds) {
        let slow = &noted.execution;
        let tags = slow.tags.as_ref().filter(|tags| !(tags.pairs.is_empty() && tags.name.is_none())).map(|tags| {
            let pairs = tags.pairs.iter().map(|(key, value)| (key.to_string(), serde_json::Value::from(&**value)));
            let name = tags.name.as_ref().map(|name| ("name".to_owned(), serde_json::Value::from(&**name)));
            serde_json::Value::Object(pairs.chain(name).collect()).to_string()
        });
        // It may be written long before its minute is over.
        self.queries.entry(slow.query.hash.to_string()).or_insert_with(|| {
            let name = slow.tags.as_ref().and_then(|tags| tags.name.clone());
            query(&KnownQuery { name, ..KnownQuery::of(&slow.query) })
        });
        self.slow.push(SlowRow {
            at_us: slow.at.unix_micros(),
            reason: slow.reason.as_str().to_owned(),
            series: series(slow.query.hash, &slow.identity),
            duration_ms: slow.duration.as_millis_f64(),
            first_row_ms: slow.first_row.map(Nanos::as_millis_f64),
            client_stall_ms: slow.client_stall.as_millis_f64(),
            rows: signed(slow.rows),
            level: levels.level(slow.duration).as_str().to_owned(),
            sqlstate: slow.error.map(|code| code.as_str().to_owned()),
            tags,
            trace_id: slow.trace.map(|trace| trace.trace_id.iter().map(|byte| format!("{byte:02x}")).collect()),
            parameters: slow.parameters.as_deref().map(str::to_owned),
            suppressed: signed(noted.suppressed),
        });
    }

    /// The series' id; it and its statement are remembered.
    fn add_series(&mut self, known: &KnownQuery, identity: &Identity) -> i64 {
        let row = series(known.query.hash, identity);
        let id = series_id(&row);
        self.queries.entry(row.query_hash.clone()).or_insert_with(|| query(known));
        self.series.entry(id).or_insert(row);
        id
    }
}

fn query(known: &KnownQuery) -> QueryRow {
    QueryRow {
        query: known.query.text.to_string(),
        kind: known.query.kind.as_str().to_owned(),
        class: known.class.as_str().to_owned(),
        summary: known.summary.to_string(),
        name: known.name.as_ref().map(ToString::to_string),
        tables: known.tables.iter().map(ToString::to_string).collect(),
        filters: known.filters.iter().map(ToString::to_string).collect(),
    }
}

fn series(hash: QueryHash, identity: &Identity) -> SeriesRow {
    SeriesRow {
        server: identity.server.to_string(),
        query_hash: hash.to_string(),
        database: identity.database.to_string(),
        user: identity.user.to_string(),
        application: identity.application.to_string(),
    }
}

/// STORE §2: needs no sequence and no coordination.
fn series_id(row: &SeriesRow) -> i64 {
    let mut hasher = Sha256::new();
    for part in [&row.server, &row.query_hash, &row.database, &row.user, &row.application] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0_u64, |id, byte| id << 8 | u64::from(*byte)).cast_signed()
}

#[cfg(test)]
#[path = "tests/batch.rs"]
mod tests;
