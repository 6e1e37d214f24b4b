//! One second's data statements, for those who watch live.

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::answer::{KnownQuery, StatementRow};
use crate::base::units::WallTime;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::admission::Place;
use crate::stats::ceiling::{ALLOCATION, MAP_ENTRY};
use crate::stats::series::SeriesStats;

/// Statements that a watcher is shown.
const TOP: usize = 5;

/// What was merged in one second of wall-clock time.
#[derive(Clone, Debug, Default)]
pub(super) struct Second {
    number: i64,
    rows: FxHashMap<QueryHash, (Arc<KnownQuery>, SeriesStats)>,
}

impl Second {
    /// The empty second that holds `at`.
    pub(super) fn of(at: WallTime) -> Self {
        Self { number: at.unix_micros().div_euclid(1_000_000), rows: FxHashMap::default() }
    }

    /// Whether `at` is in it.
    pub(super) fn holds(&self, at: WallTime) -> bool {
        Self::of(at).number == self.number
    }

    pub(super) fn add(&mut self, place: &Place, stats: &SeriesStats) {
        if place.query.class == Class::Data {
            let (_, here) =
                self.rows.entry(place.key.0).or_insert_with(|| (Arc::clone(&place.query), SeriesStats::default()));
            here.merge(stats);
        }
    }

    pub(super) fn total(&self) -> SeriesStats {
        let mut total = SeriesStats::default();
        self.rows.values().for_each(|(_, stats)| total.merge(stats));
        total
    }

    /// The statements with most time, at most 5.
    pub(super) fn top(&self) -> Vec<StatementRow> {
        let mut rows: Vec<_> = self.rows.values().filter(|(_, stats)| stats.calls > 0).collect();
        rows.sort_by_key(|(query, stats)| (Reverse(stats.total), query.query.hash));
        let row = |(query, stats): &(Arc<KnownQuery>, SeriesStats)| StatementRow {
            query: Arc::clone(query),
            database: None,
            user: None,
            application: None,
            stats: stats.clone(),
        };
        rows.into_iter().take(TOP).map(row).collect()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let row = size_of::<(QueryHash, Arc<KnownQuery>, SeriesStats)>() + MAP_ENTRY + ALLOCATION;
        self.rows.values().map(|(_, stats)| row + stats.heap_bytes()).sum()
    }
}
