//! What a worker hands over: everything since its last harvest, by value.

use std::sync::Arc;

use super::histogram::Histogram;
use super::live::{ActiveStatement, ActiveTransaction, SessionStats, SlowExecution};
use super::series::SeriesStats;
use super::sieve::Refused;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::query::Query;
use crate::sql::statement::Tags;

/// A statement that has been in flight for so long is told by itself before it ends (STORE §2).
pub const RUNNING: Nanos = Nanos::from_millis(30_000);

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
    pub(super) tagged_other: Vec<(String, SeriesStats)>,
    pub(super) sessions: SessionStats,
    /// Single executions.
    pub(super) slow: Vec<SlowExecution>,
    /// Those that found no room.
    pub(super) refused: Vec<Refused>,
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

    /// Tells of an execution that has been in flight for [`RUNNING`], once.
    pub fn running(&mut self, execution: SlowExecution) {
        self.slow.push(execution);
    }

    /// Executions that it tells of one by one.
    #[cfg(test)]
    pub(crate) fn single(&self) -> impl Iterator<Item = &SlowExecution> {
        self.slow.iter()
    }

    /// Executions in it: what is lost with it.
    pub fn executions(&self) -> u64 {
        self.series.iter().map(|row| row.stats.calls).sum()
    }
}
