//! What a worker hands over: everything since its last harvest, by value.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::ceiling::ALLOCATION;
use super::histogram::Histogram;
use super::live::{ActiveStatement, ActiveTransaction, SessionStats, SlowExecution};
use super::other::Others;
use super::series::{SeriesKey, SeriesStats};
use crate::base::units::WallTime;
use crate::session::identity::Identity;
use crate::sql::query::Query;
use crate::sql::statement::Tags;

/// One worker's second, or more when a hand-over was late.
#[derive(Debug, Default)]
pub struct Harvest {
    /// When it was taken.
    pub at: WallTime,
    /// Statements in flight; the worker fills it in.
    pub active: Vec<ActiveStatement>,
    /// Open transactions; the worker fills it in.
    pub transactions: Vec<ActiveTransaction>,
    /// Sessions open; the worker fills it in.
    pub open_sessions: u64,
    pub(super) series: Vec<HarvestedSeries>,
    pub(super) tagged: Vec<HarvestedTags>,
    /// By key: executions whose tag set did not fit.
    pub(super) tagged_other: Vec<(Box<str>, SeriesStats)>,
    pub(super) sessions: SessionStats,
    pub(super) slow: Vec<SlowExecution>,
    /// Bytes that may be on their way from this worker; 0 when it had nothing to say yet.
    pub(super) share: usize,
}

/// What one series gained.
#[derive(Debug)]
pub(super) struct HarvestedSeries {
    pub(super) query: Arc<Query>,
    pub(super) identity: Arc<Identity>,
    pub(super) stats: SeriesStats,
    /// Times to the first row, for metrics alone.
    pub(super) first_rows: Histogram,
}

/// What one statement gained with one set of tags.
#[derive(Debug)]
pub(super) struct HarvestedTags {
    pub(super) query: Arc<Query>,
    pub(super) tags: Arc<Tags>,
    pub(super) stats: SeriesStats,
}

impl Harvest {
    /// A harvest of a worker that recorded nothing.
    pub fn empty(at: WallTime) -> Self {
        Self { at, ..Self::default() }
    }

    /// Adds an `older` harvest whose hand-over was refused. What is active stays as it is now.
    ///
    /// Counts stay exact. Where both together pass the worker's share of what may be on its way
    /// ([`HARVESTS`](super::ceiling::HARVESTS)), the older one's series go to `(other)`, its tags and slow executions to nobody.
    pub fn merge(&mut self, older: Harvest) {
        self.share = self.share.max(older.share);
        let crowded = self.memory_bytes() + older.memory_bytes() > self.share;
        let mut places: FxHashMap<SeriesKey, usize> =
            self.series.iter().enumerate().map(|(at, row)| (row.key(), at)).collect();
        let mut others = Others::default();
        for mut row in older.series {
            if crowded {
                (row.query, row.identity) = others.of(&row.identity);
            }
            match places.get(&row.key()).and_then(|at| self.series.get_mut(*at)) {
                Some(here) => {
                    here.stats.merge(&row.stats);
                    here.first_rows.merge(&row.first_rows);
                }
                None => {
                    places.insert(row.key(), self.series.len());
                    self.series.push(row);
                }
            }
        }
        if !crowded {
            self.tagged.extend(older.tagged);
            self.slow.extend(older.slow);
        }
        self.tagged_other.extend(older.tagged_other);
        self.sessions.merge(&older.sessions);
    }

    /// Bytes that it holds, texts aside: those belong to the registry.
    pub fn memory_bytes(&self) -> usize {
        let series: usize = self.series.iter().map(HarvestedSeries::memory_bytes).sum();
        let tagged: usize = self.tagged.iter().map(|row| size_of::<HarvestedTags>() + row.stats.heap_bytes()).sum();
        let slow = self.slow.len() * (size_of::<SlowExecution>() + ALLOCATION);
        let active =
            self.active.len() * size_of::<ActiveStatement>() + self.transactions.len() * size_of::<ActiveTransaction>();
        series + tagged + slow + active + self.sessions.heap_bytes()
    }
}

impl HarvestedSeries {
    pub(super) fn key(&self) -> SeriesKey {
        SeriesKey::of(&self.query, &self.identity)
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.stats.heap_bytes() + self.first_rows.heap_bytes()
    }
}

#[cfg(test)]
#[path = "tests/harvest.rs"]
mod tests;
