//! What is known of each query hash: text, class, summary, tables, name. Filled by the merge, when a hash is new.
//!
//! It is part of the merged state and shared with readers as that is, so a plain map does: nobody else writes.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::ceiling::{ALLOCATION, MAP_ENTRY};
use super::live::KnownQuery;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::query::Query;

/// How long a text is kept that no series refers to: links in lists of slow executions still find it.
const KEPT_UNUSED: Nanos = Nanos::from_millis(90 * 60 * 1_000);

/// Known queries by hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    known: FxHashMap<QueryHash, Known>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Known {
    query: Arc<KnownQuery>,
    seen: WallTime,
}

impl Registry {
    /// What is known of `query`, described now if it is new.
    pub(super) fn learn(&mut self, query: &Arc<Query>, at: WallTime) -> Arc<KnownQuery> {
        if let Some(known) = self.known.get_mut(&query.hash) {
            known.seen = known.seen.max(at);
            return Arc::clone(&known.query);
        }
        let known = Arc::new(KnownQuery::of(query));
        self.bytes += cost(&known);
        self.known.insert(query.hash, Known { query: Arc::clone(&known), seen: at });
        known
    }

    /// What is known of a hash.
    pub(super) fn get(&self, hash: QueryHash) -> Option<&Arc<KnownQuery>> {
        self.known.get(&hash).map(|known| &known.query)
    }

    /// Gives a known query the first name that was seen for it.
    pub(super) fn name(&mut self, hash: QueryHash, name: &str) {
        let Some(known) = self.known.get_mut(&hash) else { return };
        if known.query.name.is_none() {
            self.bytes += name.len();
            known.query = Arc::new(KnownQuery { name: Some(name.into()), ..KnownQuery::clone(&known.query) });
        }
    }

    /// Lets go of what is not in `used` and was not seen for long, or passes `most_bytes`; unused longest goes first.
    pub(super) fn sweep(&mut self, used: &FxHashSet<QueryHash>, now: WallTime, most_bytes: usize) {
        let horizon = now.before(KEPT_UNUSED);
        let mut unused: Vec<(WallTime, QueryHash, usize)> = self
            .known
            .iter()
            .filter(|(hash, _)| !used.contains(hash))
            .map(|(hash, known)| (known.seen, *hash, cost(&known.query)))
            .collect();
        unused.sort_unstable_by_key(|(seen, ..)| std::cmp::Reverse(*seen));
        let mut kept = 0;
        for (seen, hash, bytes) in unused {
            kept += bytes;
            if seen < horizon || kept > most_bytes {
                self.known.remove(&hash);
                self.bytes -= bytes;
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

fn cost(known: &KnownQuery) -> usize {
    let names = known.tables.iter().chain(&known.filters);
    let names: usize = names.map(|name| size_of::<Box<str>>() + name.len() + ALLOCATION).sum();
    size_of::<(QueryHash, Known)>()
        + MAP_ENTRY
        + size_of::<KnownQuery>()
        + size_of::<Query>()
        + 4 * ALLOCATION
        + known.query.text.len()
        + known.summary.len()
        + known.name.as_ref().map_or(0, |name| name.len())
        + names
}

#[cfg(test)]
#[path = "tests/registry.rs"]
mod tests;
