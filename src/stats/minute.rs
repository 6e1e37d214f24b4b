//! Everything that was measured in one span of time, a minute or several.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::admission::{Evicted, Place};
use super::ceiling::{ALLOCATION, MAP_ENTRY};
use super::live::{KnownQuery, SessionStats};
use super::other::{Others, is_other};
use super::series::{SeriesKey, SeriesStats};
use super::tagged::TagTable;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;

/// The length of a fresh one.
pub(super) const MINUTE: Nanos = Nanos::from_millis(60_000);

/// Figures of a span.
#[derive(Clone, Debug)]
pub(super) struct Minute {
    /// Begin, included.
    pub(super) from: WallTime,
    /// End, excluded.
    pub(super) to: WallTime,
    series: FxHashMap<SeriesKey, Arc<Series>>,
    pub(super) tags: TagTable,
    pub(super) sessions: SessionStats,
    /// Sessions that were open when it was last told; for the outbox alone.
    pub(super) open_sessions: u64,
    bytes: usize,
}

/// One series in it.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) query: Arc<KnownQuery>,
    pub(super) identity: Arc<Identity>,
    pub(super) stats: SeriesStats,
}

/// A row without what grows.
const ROW: usize = size_of::<Series>() + ALLOCATION + size_of::<(SeriesKey, Arc<Series>)>() + MAP_ENTRY;

impl Minute {
    /// The empty minute that holds `at`.
    pub(super) fn of(at: WallTime) -> Self {
        let from = at.minute();
        Self {
            from,
            to: from.after(MINUTE),
            series: FxHashMap::default(),
            tags: TagTable::default(),
            sessions: SessionStats::default(),
            open_sessions: 0,
            bytes: 0,
        }
    }

    /// Its length.
    pub(super) fn step(&self) -> Nanos {
        self.to.since(self.from)
    }

    /// Whether `at` is in it.
    pub(super) fn holds(&self, at: WallTime) -> bool {
        self.from <= at && at < self.to
    }

    /// Adds figures to a series.
    pub(super) fn add(&mut self, place: &Place, stats: &SeriesStats) {
        let row = self.series.entry(place.key).or_insert_with(|| {
            self.bytes += ROW;
            let (query, identity) = (Arc::clone(&place.query), Arc::clone(&place.identity));
            Arc::new(Series { query, identity, stats: SeriesStats::default() })
        });
        let here = &mut Arc::make_mut(row).stats;
        let before = here.heap_bytes();
        here.merge(stats);
        self.bytes = self.bytes + here.heap_bytes() - before;
    }

    /// Adds all of `other`, whose span is joined to this one's.
    pub(super) fn merge(&mut self, other: &Minute) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        for (key, row) in &other.series {
            if self.series.contains_key(key) {
                let (query, identity) = (Arc::clone(&row.query), Arc::clone(&row.identity));
                self.add(&Place { key: *key, query, identity }, &row.stats);
            } else {
                self.series.insert(*key, Arc::clone(row));
                self.bytes += ROW + row.stats.heap_bytes();
            }
        }
        self.tags.merge(&other.tags);
        self.tags.trim();
        self.sessions.merge(&other.sessions);
        self.open_sessions = other.open_sessions;
    }

    /// Gives back what a growing minute needs and a closed one doesn't.
    pub(super) fn close(&mut self) {
        self.tags.trim();
        self.series.shrink_to_fit();
    }

    /// Whether any of these series is in it.
    pub(super) fn has_any(&self, evicted: &[Evicted]) -> bool {
        evicted.iter().any(|evicted| self.series.contains_key(&evicted.key))
    }

    /// Moves the figures of series that made room.
    pub(super) fn fold(&mut self, evicted: &[Evicted]) {
        for Evicted { key, to } in evicted {
            if let Some(row) = self.series.remove(key) {
                self.bytes -= ROW + row.stats.heap_bytes();
                self.add(to, &row.stats);
            }
        }
        self.series.shrink_to_fit();
    }

    /// Leaves rows of their own to the series with most calls, as many as fit into `most_bytes`; the others' figures go
    /// to `(other)`.
    pub(super) fn shed(&mut self, most_bytes: usize, others: &mut Others) {
        let mut ranked: Vec<(SeriesKey, Arc<Series>)> = self.series.drain().collect();
        ranked.sort_by_key(|(key, row)| (std::cmp::Reverse(row.stats.calls), key.0, key.1));
        self.bytes = 0;
        for (key, row) in ranked {
            let (query, identity) = (Arc::clone(&row.query), Arc::clone(&row.identity));
            if is_other(key) || self.bytes < most_bytes {
                self.add(&Place { key, query, identity }, &row.stats);
            } else {
                self.add(&Place::other(&identity, others), &row.stats);
            }
        }
        self.series.shrink_to_fit();
    }

    /// All series.
    pub(super) fn series(&self) -> impl Iterator<Item = (SeriesKey, &Series)> {
        self.series.iter().map(|(key, series)| (*key, &**series))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes + self.tags.memory_bytes() + self.sessions.heap_bytes()
    }
}
