//! Figures by tag: a second table, capped apart from the series (DESIGN §4). It holds data statements alone.
//!
//! A worker counts per statement and set of tags ([`TagSieve`]); the merge splits sets into keys and values
//! ([`TagTable`]). Keys whose values differ in each execution mint nothing.

use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ceiling::{ALLOCATION, MAP_ENTRY};
use super::harvest::HarvestedTags;
use super::level::Level;
use super::other::OTHER;
use super::series::SeriesStats;
use super::slots::{Cost, Slots};
use crate::base::units::Nanos;
use crate::session::observation::Observation;
use crate::sql::hash::QueryHash;
use crate::sql::query::{Pseudo, Query};
use crate::sql::statement::Tags;
use crate::sql::tags::high_cardinality;

/// Pairs of statement and tag set that a worker holds between two harvests, and keys of those that did not fit; further
/// keys are one more, `(other)`.
const SETS: usize = 1_024;
const OTHER_KEYS: usize = 32;

/// Values that a closed minute keeps, that an open one takes, and keys and (value, statement) pairs of both.
const VALUES: usize = 1_000;
const OPEN_VALUES: usize = 2 * VALUES;
const KEYS: usize = 64;
const PAIRS: usize = 4 * VALUES;

/// The pairs that mint rows.
fn countable(tags: &Tags) -> impl Iterator<Item = (&str, &str)> {
    tags.pairs.iter().map(|(key, value)| (&**key, &**value)).filter(|(key, _)| !high_cardinality(key))
}

/// A worker's table.
#[derive(Debug)]
pub(super) struct TagSieve {
    sets: Slots<TagSet>,
    other: HashMap<String, SeriesStats, FxBuildHasher>,
}

#[derive(Debug)]
struct TagSet {
    query: Arc<Query>,
    tags: Arc<Tags>,
}

impl Cost for TagSet {
    fn fixed(&self) -> usize {
        self.tags.pairs.iter().map(|(key, value)| key.len() + value.len() + 2 * ALLOCATION).sum::<usize>() + 64
    }

    fn grown(&self) -> usize {
        0
    }

    fn give_back(&mut self) {}
}

impl TagSieve {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { sets: Slots::new(SETS, most_bytes), other: HashMap::default() }
    }

    /// Counts one execution that has `tags`.
    pub(super) fn record(&mut self, tags: &Arc<Tags>, observation: &Observation, level: Level) {
        let mut set = xxh3_64_with_seed(tags.name.as_deref().unwrap_or_default().as_bytes(), 0);
        for (key, value) in countable(tags) {
            set = xxh3_64_with_seed(value.as_bytes(), xxh3_64_with_seed(key.as_bytes(), set));
        }
        let key = (observation.query.hash.as_u64(), set);
        if self.sets.has_room() || self.sets.has(key) {
            let owned = || TagSet { query: Arc::clone(&observation.query), tags: Arc::clone(tags) };
            self.sets.slot(key, owned).stats.record(observation, level);
            return;
        }
        countable(tags).for_each(|(key, _)| self.other(key).record(observation, level));
    }

    /// The figures of what did not fit, by key.
    fn other(&mut self, key: &str) -> &mut SeriesStats {
        let fits = self.other.contains_key(key) || self.other.len() < OTHER_KEYS;
        self.other.entry_ref(if fits { key } else { OTHER }).or_default()
    }

    /// What was recorded since the last time: per statement and set, and per key what did not fit.
    pub(super) fn harvest(&mut self) -> (Vec<HarvestedTags>, Vec<(String, SeriesStats)>) {
        let mut rows = Vec::new();
        self.sets.harvest(|set, stats| {
            rows.push(HarvestedTags {
                query: Arc::clone(&set.query),
                tags: Arc::clone(&set.tags),
                stats: stats.clone(),
            });
        });
        (rows, std::mem::take(&mut self.other).into_iter().collect())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.sets.memory_bytes() + self.other.values().map(|stats| 256 + stats.heap_bytes()).sum::<usize>()
    }
}

/// A minute's figures by key and value.
#[derive(Clone, Debug, Default)]
pub(super) struct TagTable {
    keys: HashMap<String, HashMap<String, Arc<TagValue>, FxBuildHasher>, FxBuildHasher>,
    values: usize,
    pairs: usize,
    bytes: usize,
}

/// Figures of one value, by statement.
#[derive(Clone, Debug, Default)]
pub(super) struct TagValue {
    by_query: FxHashMap<QueryHash, SeriesStats>,
}

impl TagValue {
    /// All statements together.
    pub(super) fn total(&self) -> SeriesStats {
        let mut total = SeriesStats::default();
        self.by_query.values().for_each(|stats| total.merge(stats));
        total
    }

    /// One statement's part.
    pub(super) fn of(&self, query: QueryHash) -> Option<&SeriesStats> {
        self.by_query.get(&query)
    }

    /// Statement by statement.
    pub(super) fn by_statement(&self) -> impl Iterator<Item = (QueryHash, &SeriesStats)> {
        self.by_query.iter().map(|(query, stats)| (*query, stats))
    }
}

impl TagTable {
    /// Adds what a statement gained with `tags`.
    pub(super) fn add(&mut self, tags: &Tags, query: QueryHash, stats: &SeriesStats) {
        countable(tags).for_each(|(key, value)| self.add_value(key, value, query, stats));
    }

    /// Adds what did not fit into a worker's table.
    pub(super) fn add_other(&mut self, key: &str, stats: &SeriesStats) {
        self.add_value(key, OTHER, Pseudo::Other.query().hash, stats);
    }

    fn add_value(&mut self, key: &str, value: &str, query: QueryHash, stats: &SeriesStats) {
        let key = if self.keys.contains_key(key) || self.keys.len() < KEYS { key } else { OTHER };
        let full = self.values >= OPEN_VALUES;
        let values = self.keys.entry_ref(key).or_default();
        let value = if !full || values.contains_key(value) { value } else { OTHER };
        if !values.contains_key(value) {
            self.values += 1;
            self.bytes += size_of::<TagValue>() + value.len() + MAP_ENTRY + 2 * ALLOCATION;
        }
        let by_query = &mut Arc::make_mut(values.entry_ref(value).or_default()).by_query;
        let fits = self.pairs < PAIRS || by_query.contains_key(&query);
        let query = if fits { query } else { Pseudo::Other.query().hash };
        if !by_query.contains_key(&query) {
            self.pairs += 1;
            self.bytes += size_of::<(QueryHash, SeriesStats)>() + MAP_ENTRY;
        }
        let here = by_query.entry(query).or_default();
        let before = here.heap_bytes();
        here.merge(stats);
        self.bytes = self.bytes + here.heap_bytes() - before;
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &TagTable) {
        for (key, values) in &other.keys {
            for (value, figures) in values {
                figures.by_query.iter().for_each(|(query, stats)| self.add_value(key, value, *query, stats));
            }
        }
    }

    /// Keeps the values with most time; the rest of each key becomes `(other)`.
    pub(super) fn trim(&mut self) {
        if self.values <= VALUES {
            return;
        }
        let whole = std::mem::take(self);
        let mut rows: Vec<_> = whole
            .keys
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |(value, figures)| (key, value, figures)))
            .collect();
        rows.sort_by_cached_key(|(_, _, figures)| {
            std::cmp::Reverse(figures.by_query.values().map(|stats| stats.total).sum::<Nanos>())
        });
        let (other, named): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, value, _)| *value == OTHER);
        for (rank, (key, value, figures)) in named.into_iter().chain(other).enumerate() {
            let value = if rank < VALUES { value } else { OTHER };
            for (query, stats) in &figures.by_query {
                self.add_value(key, value, *query, stats);
            }
        }
    }

    /// Key, value, statement and figures.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str, QueryHash, &SeriesStats)> {
        self.keys.iter().flat_map(|(key, values)| {
            values.iter().flat_map(move |(value, figures)| {
                figures.by_query.iter().map(move |(query, stats)| (&**key, &**value, *query, stats))
            })
        })
    }

    /// Values of `key` and their figures.
    pub(super) fn values(&self, key: &str) -> impl Iterator<Item = (&str, &TagValue)> {
        self.keys.get(key).into_iter().flatten().map(|(value, figures)| (&**value, &**figures))
    }

    /// Figures of one value of `key`.
    pub(super) fn value(&self, key: &str, value: &str) -> Option<&TagValue> {
        self.keys.get(key)?.get(value).map(|figures| &**figures)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
#[path = "tests/tagged.rs"]
mod tests;
