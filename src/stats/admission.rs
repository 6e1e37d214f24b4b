//! Which series have a row of their own: at most `max_series`, and never more than memory allows (DESIGN §4).
//!
//! What does not fit goes to `(other)`. At each closing of a minute the series that were idle longest make room for as
//! many as were turned away.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::ceiling::MAP_ENTRY;
use super::live::KnownQuery;
use super::other::{Others, is_other};
use super::registry::Registry;
use super::series::SeriesKey;
use crate::base::units::WallTime;
use crate::session::identity::Identity;
use crate::sql::hash::QueryHash;
use crate::sql::query::Query;

/// Series that have a row of their own.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    series: FxHashMap<SeriesKey, Admitted>,
    limit: usize,
    others: Others,
    turned_away: FxHashSet<SeriesKey>,
}

#[derive(Clone, Debug)]
struct Admitted {
    place: Place,
    last: WallTime,
}

/// Where figures go.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: SeriesKey,
    pub(super) query: Arc<KnownQuery>,
    pub(super) identity: Arc<Identity>,
}

impl Place {
    /// The place of `(other)` of the server of `identity`.
    pub(super) fn other(identity: &Identity, others: &mut Others) -> Self {
        let (query, identity) = others.of(identity);
        Self { key: SeriesKey::of(&query, &identity), query: Arc::new(KnownQuery::of(&query)), identity }
    }
}

/// A series that made room, and the place that takes its figures.
#[derive(Debug)]
pub(super) struct Evicted {
    pub(super) key: SeriesKey,
    pub(super) to: Place,
}

impl Admission {
    pub(super) fn new(limit: usize) -> Self {
        Self { series: FxHashMap::default(), limit, others: Others::default(), turned_away: FxHashSet::default() }
    }

    /// Follows a clock that was set back to `now`: by what it showed before nobody would be idle for as long.
    pub(super) fn set_back(&mut self, now: WallTime) {
        self.series.values_mut().for_each(|admitted| admitted.last = admitted.last.min(now));
    }

    /// From now on at most so many series; those beyond make room when the minute closes.
    pub(super) fn limit(&mut self, most: usize) {
        self.limit = most;
    }

    /// The place of a series that was active at `at`; `room` says whether memory allows a new one.
    pub(super) fn place(
        &mut self,
        query: &Arc<Query>,
        identity: &Arc<Identity>,
        at: WallTime,
        room: bool,
        registry: &mut Registry,
    ) -> Place {
        let key = SeriesKey::of(query, identity);
        if let Some(admitted) = self.series.get_mut(&key) {
            admitted.last = admitted.last.max(at);
            return admitted.place.clone();
        }
        if is_other(key) || (room && self.series.len() < self.limit + self.others.len()) {
            let place = Place { key, query: registry.learn(query, at), identity: Arc::clone(identity) };
            self.series.insert(key, Admitted { place: place.clone(), last: at });
            return place;
        }
        if self.turned_away.len() < self.limit {
            self.turned_away.insert(key);
        }
        self.other(identity, at, registry)
    }

    fn other(&mut self, identity: &Identity, at: WallTime, registry: &mut Registry) -> Place {
        let (query, identity) = self.others.of(identity);
        self.place(&query, &identity, at, true, registry)
    }

    /// As many series as were turned away, of those that were idle since `minute`, longest idle first; and whatever is
    /// there beyond the limit.
    pub(super) fn make_room(&mut self, minute: WallTime, registry: &mut Registry) -> Vec<Evicted> {
        let beyond = self.series.len().saturating_sub(self.limit + self.others.len());
        let mut evicted = self.evict(beyond, None, registry);
        let wanted = std::mem::take(&mut self.turned_away).len();
        evicted.extend(self.evict(wanted, Some(minute), registry));
        evicted
    }

    /// A quarter of all series, longest idle first.
    pub(super) fn shed(&mut self, registry: &mut Registry) -> Vec<Evicted> {
        self.evict(self.series.len().div_ceil(4), None, registry)
    }

    fn evict(&mut self, most: usize, idle_since: Option<WallTime>, registry: &mut Registry) -> Vec<Evicted> {
        let mut idle: Vec<(WallTime, SeriesKey)> = self
            .series
            .iter()
            .filter(|(key, admitted)| !is_other(**key) && idle_since.is_none_or(|since| admitted.last < since))
            .map(|(key, admitted)| (admitted.last, *key))
            .collect();
        idle.sort_unstable_by_key(|(last, key)| (*last, key.0, key.1));
        idle.truncate(most);
        let mut evicted = Vec::with_capacity(idle.len());
        for (last, key) in idle {
            if let Some(admitted) = self.series.remove(&key) {
                evicted.push(Evicted { key, to: self.other(&admitted.place.identity, last, registry) });
            }
        }
        evicted
    }

    /// Hashes that a series refers to.
    pub(super) fn hashes(&self) -> FxHashSet<QueryHash> {
        self.series.keys().map(|key| key.0).collect()
    }

    /// Series, and the most that may be.
    pub(super) fn series(&self) -> (usize, usize) {
        (self.series.len(), self.limit)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let identity = size_of::<Identity>() + 96;
        self.series.len() * (size_of::<(SeriesKey, Admitted)>() + MAP_ENTRY + identity)
            + self.turned_away.len() * (size_of::<SeriesKey>() + MAP_ENTRY)
    }
}
