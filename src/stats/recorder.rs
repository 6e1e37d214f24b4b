//! One worker's aggregates between two harvests. Not `Sync`: the worker owns it, nothing locks.
//!
//! A known series costs a look-up and some additions; entries stay from one harvest to the next, so that nothing is
//! allocated per statement.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Settings;
use super::ceiling;
use super::harvest::{Harvest, HarvestedSeries};
use super::histogram::Histogram;
use super::level::Thresholds;
use super::live::{Reason, SessionStats};
use super::other::Others;
use super::sampler::Sampler;
use super::sieve::Sieve;
use super::slots::{Cost, Slot, SlotKey, Slots};
use super::tagged::TagSieve;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::identity::Identity;
use crate::session::observation::{Event, Observation, Observer, Outcome};
use crate::sql::query::Query;

/// Takes what sessions tell, one per worker.
#[derive(Debug)]
pub struct Recorder {
    telemetry: Arc<Telemetry>,
    levels: Thresholds,
    slow_threshold: Nanos,
    sampler: Sampler,
    series: Slots<Whose>,
    others: Others,
    tagged: TagSieve,
    sessions: SessionStats,
    sieve: Sieve,
    /// Executions since the last harvest.
    pending: u64,
    dirty: bool,
    not_sync: PhantomData<Cell<()>>,
}

/// Whose figures a slot holds, and those that only metrics want.
#[derive(Debug)]
struct Whose {
    query: Arc<Query>,
    identity: Arc<Identity>,
    first_rows: Histogram,
}

impl Cost for Whose {
    fn fixed(&self) -> usize {
        self.query.text.len() + size_of::<Query>() + ceiling::ALLOCATION
    }

    fn grown(&self) -> usize {
        self.first_rows.heap_bytes()
    }

    fn give_back(&mut self) {
        self.first_rows = Histogram::default();
    }
}

impl Recorder {
    /// An empty recorder of one of `workers` workers.
    pub fn new(settings: &Settings, workers: usize, telemetry: Arc<Telemetry>) -> Self {
        let bytes = ceiling::worker_bytes(workers);
        Self {
            telemetry,
            levels: settings.levels,
            slow_threshold: settings.slow_threshold,
            sampler: Sampler::new(settings.sample_rate),
            series: Slots::new(ceiling::worker_series(settings.max_series, workers), bytes / 4 * 3),
            others: Others::default(),
            tagged: TagSieve::new(bytes / 4),
            sessions: SessionStats::default(),
            sieve: Sieve::new(ceiling::worker_samples(workers), settings.capture_parameters),
            pending: 0,
            dirty: false,
            not_sync: PhantomData,
        }
    }

    /// Goes on under other settings; `workers` as at the start.
    pub fn tune(&mut self, settings: &Settings, workers: usize) {
        self.levels = settings.levels;
        self.slow_threshold = settings.slow_threshold;
        self.sampler.tune(settings.sample_rate);
        self.sieve.tune(settings.capture_parameters);
        self.series.limit(ceiling::worker_series(settings.max_series, workers));
    }

    /// What was recorded since the last harvest; `None` when nothing was. `at` and `now` are one moment on both clocks.
    pub fn harvest(&mut self, at: WallTime, now: Stamp) -> Option<Harvest> {
        if !std::mem::take(&mut self.dirty) {
            return None;
        }
        let mut harvest = Harvest::empty(at);
        self.series.harvest(|whose, stats| {
            harvest.series.push(HarvestedSeries {
                query: Arc::clone(&whose.query),
                identity: Arc::clone(&whose.identity),
                stats: stats.clone(),
                first_rows: whose.first_rows.clone(),
            });
            whose.first_rows.clear();
        });
        (harvest.tagged, harvest.tagged_other) = self.tagged.harvest();
        (harvest.slow, harvest.refused) = self.sieve.harvest(at, now);
        harvest.sessions = self.sessions.clone();
        self.sessions.clear();
        self.pending = 0;
        Some(harvest)
    }

    /// Bytes that were read were written `span` later; a sample of such spans is enough.
    pub fn forwarded(&mut self, span: Nanos) {
        self.sessions.forwarded(span);
        self.dirty = true;
    }

    /// Executions since the last harvest: what is lost when the recorder has to be thrown away.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// Bytes that it holds.
    pub fn memory_bytes(&self) -> usize {
        self.series.memory_bytes() + self.tagged.memory_bytes() + self.sessions.heap_bytes()
    }

    #[inline]
    fn statement(&mut self, observation: Observation) {
        self.pending += 1;
        self.dirty = true;
        let level = self.levels.level(observation.duration);
        let slot = slot(&mut self.series, &mut self.others, &observation.query, &observation.identity);
        slot.stats.record(&observation, level);
        if let Some(first_row) = observation.first_row {
            slot.meta.first_rows.record(first_row);
        }
        if let Some(tags) = observation.tags() {
            self.tagged.record(tags, &observation, level);
        }
        let (span, statements, reported) = match observation.batch {
            Some(batch) => (batch.span, batch.statements.get(), batch.leader),
            None => (observation.duration, 1, true),
        };
        let slow = reported && span >= self.slow_threshold;
        if slow {
            self.keep(observation, Reason::Slow, span, statements);
        } else if let Outcome::Failed(_) = observation.outcome {
            self.keep_alone(observation, Reason::Error);
        } else if self.sampler.takes() {
            self.keep_alone(observation, Reason::Sampled);
        }
    }

    /// Keeps one that is told by itself, whatever it shared its read with.
    #[cold]
    fn keep_alone(&mut self, observation: Observation, reason: Reason) {
        let duration = observation.duration;
        self.keep(observation, reason, duration, 1);
    }

    #[cold]
    fn keep(&mut self, observation: Observation, reason: Reason, span: Nanos, statements: u32) {
        if !self.sieve.keep(observation, reason, span, statements) {
            self.telemetry.dropped(reason.dropped(), 1);
        }
    }
}

/// The series' slot, or that of `(other)` when it is new and there is no room.
#[inline]
fn slot<'a>(
    series: &'a mut Slots<Whose>,
    others: &mut Others,
    query: &Arc<Query>,
    identity: &Arc<Identity>,
) -> &'a mut Slot<Whose> {
    let whose = |query: &Arc<Query>, identity: &Arc<Identity>| Whose {
        query: Arc::clone(query),
        identity: Arc::clone(identity),
        first_rows: Histogram::default(),
    };
    let key = (query.hash.as_u64(), identity.key());
    if series.has_room() || series.has(key) {
        return series.slot(key, || whose(query, identity));
    }
    let (query, identity) = others.of(identity);
    let key: SlotKey = (query.hash.as_u64(), identity.key());
    series.slot(key, || whose(&query, &identity))
}

impl Observer for Recorder {
    #[inline]
    fn observe(&mut self, event: Event) {
        match event {
            Event::Statement(observation) => self.statement(observation),
            Event::Overhead { bytes_in, bytes_out } => self.overhead(bytes_in, bytes_out),
            rare => self.rare(rare),
        }
    }
}

impl Recorder {
    #[inline]
    fn overhead(&mut self, bytes_in: u64, bytes_out: u64) {
        self.dirty = true;
        self.sessions.overhead_in += bytes_in;
        self.sessions.overhead_out += bytes_out;
    }

    /// What is not told of each statement.
    #[inline(never)]
    fn rare(&mut self, event: Event) {
        match event {
            Event::Discarded(reason, count) => return self.telemetry.discarded(reason, count),
            Event::Lost(count) => return self.telemetry.dropped(Dropped::Opaque, count),
            Event::Unmeasured(reason) => return self.telemetry.unmeasured(reason),
            Event::Statement(observation) => self.statement(observation),
            Event::Prepared { query, identity, time } => {
                let stats = &mut slot(&mut self.series, &mut self.others, &query, &identity).stats;
                stats.prepares += 1;
                stats.prepare_time += time.unwrap_or_default();
            }
            Event::IdleInTransaction { after, identity, span } => {
                let stats = &mut slot(&mut self.series, &mut self.others, &after, &identity).stats;
                stats.idle_after += span;
                stats.idle_after_times += 1;
                self.sessions.idle_in_transaction += span;
            }
            Event::Transaction(transaction) => self.sessions.transaction(&transaction),
            Event::Started { startup, .. } => self.sessions.started(startup),
            Event::StartupFailed(code) => self.sessions.startup_failed(code),
            Event::Ended(code) => self.sessions.session_ended(code),
            Event::Overhead { bytes_in, bytes_out } => self.overhead(bytes_in, bytes_out),
            Event::ProtocolError => self.sessions.protocol_errors += 1,
            Event::Mismatch => self.sessions.mismatches += 1,
        }
        self.dirty = true;
    }
}

#[cfg(test)]
#[path = "tests/recorder.rs"]
mod tests;
