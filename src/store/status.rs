//! What writing costs and how far it has come, for metrics and answers.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::spool::Meter;
use super::upkeep::Weight;
use crate::base::units::{Nanos, WallTime};
use crate::stats::histogram::Histogram;

/// Nothing is waiting.
const NONE: i64 = i64::MIN;

/// Shared by who writes and who tells of it.
#[derive(Debug)]
pub struct Status {
    batches: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    offset_us: AtomicI64,
    written_to_us: AtomicI64,
    waiting_since_us: AtomicI64,
    sequence: AtomicI64,
    instance_id: AtomicI64,
    written: Notify,
    spool: Arc<Meter>,
    /// Durations of flushes and their sum; locked by who writes and who is scraped, each for a moment.
    flushes: Mutex<(Histogram, Nanos)>,
    last_us: AtomicI64,
    full: AtomicBool,
    /// What somebody has weighed last; locked by him and by who is scraped, each for a moment.
    weight: Mutex<Option<Weight>>,
}

impl Default for Status {
    fn default() -> Self {
        let [written_to_us, waiting_since_us] = [NONE, NONE].map(AtomicI64::new);
        let [batches, rows, bytes, failures] = [0; 4].map(AtomicU64::new);
        let [offset_us, sequence, instance_id] = [0; 3].map(AtomicI64::new);
        Self {
            batches,
            rows,
            bytes,
            failures,
            offset_us,
            written_to_us,
            waiting_since_us,
            sequence,
            instance_id,
            written: Notify::new(),
            spool: Arc::default(),
            flushes: Mutex::default(),
            last_us: AtomicI64::new(NONE),
            full: AtomicBool::new(false),
            weight: Mutex::default(),
        }
    }
}

/// The counters at one moment.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Counts {
    /// Batches in the store.
    pub batches: u64,
    /// Rows of the tables that grow.
    pub rows: u64,
    /// Bytes sent for them.
    pub bytes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Bytes of the batches in the journal.
    pub spool_bytes: u64,
    /// Bytes written to the journal.
    pub spool_written_bytes: u64,
}

impl Status {
    pub(super) fn wrote(&self, rows: u64, bytes: u64, took: Nanos, now: WallTime) {
        self.batches.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        let mut flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
        flushes.0.record(took);
        flushes.1 += took;
        drop(flushes);
        self.last_us.store(now.unix_micros(), Relaxed);
        self.written.notify_one();
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// The store is larger than it may be; true when it was not before. Whoever looks after it is called.
    pub(super) fn found_full(&self) -> bool {
        self.written.notify_one();
        !self.full.swap(true, Relaxed)
    }

    /// It is not; true when it was before.
    pub(super) fn found_room(&self) -> bool {
        self.full.swap(false, Relaxed)
    }

    /// Whether nothing is written because the store is larger than it may be.
    pub fn full(&self) -> bool {
        self.full.load(Relaxed)
    }

    /// What the store was found to be.
    pub fn weighed(&self, weight: Weight) {
        *self.weight.lock().unwrap_or_else(PoisonError::into_inner) = Some(weight);
    }

    /// What the store was found to be; `None` before this process has looked.
    pub fn weight(&self) -> Option<Weight> {
        *self.weight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Minutes that end at `since` or later wait to be written.
    pub(super) fn waiting(&self, since: Option<WallTime>) {
        self.waiting_since_us.store(since.map_or(NONE, WallTime::unix_micros), Relaxed);
    }

    /// Whose rows are in the store: `sequence` and those before it.
    pub(super) fn committed(&self, instance_id: i32, sequence: i64, to: Option<WallTime>) {
        self.instance_id.store(instance_id.into(), Relaxed);
        self.sequence.store(sequence, Relaxed);
        if let Some(to) = to {
            self.written_to_us.fetch_max(to.unix_micros(), Relaxed);
        }
    }

    pub(super) fn measured_offset(&self, offset_us: i64) {
        self.offset_us.store(offset_us, Relaxed);
    }

    /// Where the journal counts its bytes.
    pub(super) fn spool(&self) -> Arc<Meter> {
        Arc::clone(&self.spool)
    }

    /// Durations of flushes, and their sum.
    pub fn flushes(&self) -> (Histogram, Nanos) {
        self.flushes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the last batch was written.
    pub fn last(&self) -> Option<WallTime> {
        Some(self.last_us.load(Relaxed)).filter(|us| *us != NONE).map(WallTime::from_unix_micros)
    }

    /// Returns when something was written since the last time, or could have been were it not for the store's size; for
    /// one listener.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// The counters.
    pub fn counts(&self) -> Counts {
        Counts {
            batches: self.batches.load(Relaxed),
            rows: self.rows.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            failures: self.failures.load(Relaxed),
            spool_bytes: self.spool.held(),
            spool_written_bytes: self.spool.written(),
        }
    }

    /// What to add to our clock's time to get the store's, µs.
    pub fn offset_us(&self) -> i64 {
        self.offset_us.load(Relaxed)
    }

    /// All minutes of this process that end there or before are in the store; `None` before the first.
    pub fn written_to(&self) -> Option<WallTime> {
        Some(self.written_to_us.load(Relaxed)).filter(|us| *us != NONE).map(WallTime::from_unix_micros)
    }

    /// What this process is called in the store, once it has written.
    pub fn instance_id(&self) -> Option<i64> {
        Some(self.instance_id.load(Relaxed)).filter(|id| *id > 0)
    }

    /// What a flush takes on average; `None` before the first.
    pub fn flush_mean(&self) -> Option<Nanos> {
        let (durations, sum) = self.flushes();
        sum.get().checked_div(durations.count()).map(Nanos::new)
    }

    /// How long the oldest batch of the journal has been waiting at `now`; zero when it is empty.
    pub fn spool_age(&self, now: WallTime) -> Duration {
        if self.counts().spool_bytes > 0 { self.lag(now) } else { Duration::ZERO }
    }

    /// How long the oldest closed minute has been waiting at `now`.
    pub fn lag(&self, now: WallTime) -> Duration {
        let since = self.waiting_since_us.load(Relaxed);
        if since == NONE { Duration::ZERO } else { now.since(WallTime::from_unix_micros(since)).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_as_old_as_its_oldest_batch_and_an_empty_one_has_no_age() {
        let (status, at) = (Status::default(), |seconds: i64| WallTime::from_unix_micros(seconds * 1_000_000));
        status.waiting(Some(at(100)));
        assert_eq!((status.lag(at(130)).as_secs(), status.spool_age(at(130)).as_secs()), (30, 0), "it waits in memory");
        status.spool().held.store(1, Relaxed);
        assert_eq!(status.spool_age(at(130)).as_secs(), 30);
    }

    #[test]
    fn the_mean_flush_is_of_those_that_came_through() {
        let status = Status::default();
        assert_eq!(status.flush_mean(), None);
        status.failed();
        [10, 30].into_iter().for_each(|millis| status.wrote(1, 1, Nanos::from_millis(millis), WallTime::default()));
        assert_eq!(status.flush_mean(), Some(Nanos::from_millis(20)));
    }
}
