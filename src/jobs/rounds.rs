//! What rounds saw, in memory: all that there is without a store, and a server's vital signs with one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::insight::Vitals;
use crate::analyze::coverage::Before;
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::history::{History, Round, Sample};
use crate::snapshot::relation::{Key, Oid};
use crate::snapshot::set::Set;
use crate::store::read::health::Health;

/// So far back rounds are kept.
const KEPT: Nanos = Nanos::from_millis(48 * 3_600_000);
/// Samples that are kept, of all objects of a server together; beyond it the oldest half of the time goes.
const SAMPLES_MAX: usize = 100_000;

/// Of each server.
#[derive(Debug, Default)]
pub struct Rounds {
    servers: Mutex<BTreeMap<String, Seen>>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    at: Option<WallTime>,
    health: Option<Arc<Health>>,
    vitals: Option<Arc<Vitals>>,
    /// The server's count of calls at the first round of this process.
    first_calls: Option<Before>,
    /// Rounds were left out since then, because nothing happened.
    is_idle: bool,
}

impl Rounds {
    /// A round of a server was there.
    pub(super) fn saw(&self, server: &str, set: &Set) {
        let calls = || set.server.calls.clone().map(|calls| Before { at: set.at, calls });
        self.entry(server, |seen| {
            seen.at = Some(set.at);
            // After a reset of the server's nothing can be compared with what was before.
            let since = set.server.calls.as_ref().and_then(|calls| calls.since);
            if seen.first_calls.as_ref().is_none_or(|first| first.calls.since != since) {
                seen.first_calls = calls();
            }
        });
    }

    /// Keeps all of it, where no store does.
    pub(super) fn keep(&self, server: &str, set: Set, after_idle: bool) {
        self.entry(server, |seen| {
            let mut health = seen.health.take().map(Arc::unwrap_or_clone).unwrap_or_default();
            add(&mut health, set, after_idle);
            seen.health = Some(Arc::new(health));
        });
    }

    /// Figures of a server.
    pub(super) fn tell(&self, server: &str, vitals: Vitals) {
        self.entry(server, |seen| seen.vitals = Some(Arc::new(vitals)));
    }

    /// A round is left out, because nothing happened on the server.
    pub(super) fn leave_out(&self, server: &str) {
        self.entry(server, |seen| seen.is_idle = true);
    }

    /// Whether rounds were left out since the last one that was kept.
    pub(super) fn is_idle(&self, server: &str) -> bool {
        self.entry(server, |seen| seen.is_idle)
    }

    /// A round was kept: the next gap is another one.
    pub(super) fn kept(&self, server: &str) {
        self.entry(server, |seen| seen.is_idle = false);
    }

    /// When a server was last looked at by this process.
    pub fn at(&self, server: &str) -> Option<WallTime> {
        self.entry(server, |seen| seen.at)
    }

    /// What was seen of a server; `None` with a store, and before the first round.
    pub fn health(&self, server: &str) -> Option<Arc<Health>> {
        self.entry(server, |seen| seen.health.clone())
    }

    /// The server's count of calls at the first round of this process since it began.
    pub fn first_calls(&self, server: &str) -> Option<Before> {
        self.entry(server, |seen| seen.first_calls.clone())
    }

    /// Figures of the servers that this process looked at.
    pub fn vitals(&self) -> Vec<(String, Arc<Vitals>)> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.iter().filter_map(|(server, seen)| Some((server.clone(), seen.vitals.clone()?))).collect()
    }

    fn entry<T>(&self, server: &str, with: impl FnOnce(&mut Seen) -> T) -> T {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        with(servers.entry(server.to_owned()).or_default())
    }
}

/// One more round, and what is too old goes.
fn add(health: &mut Health, set: Set, after_idle: bool) {
    let (at, history) = (set.at, &mut health.history);
    let round = Round { at, after_idle, is_full: true };
    for database in &set.databases {
        push(&mut history.databases, database.oid, at, &database.figures);
        if database.is_seen {
            history.rounds.entry(database.oid).or_default().push(round);
        }
        for sequence in &database.sequences {
            let key = Key { database: database.oid, relation: sequence.oid };
            if let Some(value) = sequence.last_value {
                push(&mut history.sequences, key, at, &value);
            }
        }
    }
    for table in set.tables.iter().filter(|table| table.root.is_none()) {
        push(&mut history.tables, table.key, at, &table.figures);
    }
    for index in set.indexes.iter().filter(|index| index.root.is_none()) {
        push(&mut history.indexes, index.key, at, &index.figures);
    }
    history.connections.push(Sample { at, figures: set.server.connections });
    health.set = set;
    let mut kept = KEPT;
    forget(health, at.before(kept));
    while samples(&health.history) > SAMPLES_MAX && kept > Nanos::ZERO {
        kept = Nanos::new(kept.get() / 2);
        forget(health, at.before(kept));
    }
}

/// A sample, unless the one before says the same.
fn push<K: Eq + Hash, T: Clone + PartialEq>(all: &mut HashMap<K, Vec<Sample<T>>>, key: K, at: WallTime, figures: &T) {
    let samples = all.entry(key).or_default();
    if samples.last().is_none_or(|last| last.figures != *figures) {
        samples.push(Sample { at, figures: figures.clone() });
    }
}

fn samples(history: &History) -> usize {
    history.tables.values().map(Vec::len).sum::<usize>() + history.indexes.values().map(Vec::len).sum::<usize>()
}

/// What is from before `from`; the last sample from before stands for how an object was then, if it is in the set.
fn forget(Health { set, history }: &mut Health, from: WallTime) {
    history.rounds.values_mut().for_each(|rounds| rounds.retain(|round| round.at >= from));
    history.rounds.retain(|_, rounds| !rounds.is_empty());
    history.connections.retain(|sample| sample.at >= from);
    let sequences = set.databases.iter().flat_map(|database| {
        database.sequences.iter().map(|sequence| Key { database: database.oid, relation: sequence.oid })
    });
    let tables = set.tables.iter().map(|table| table.key);
    let relations: HashSet<Key> = tables.chain(set.indexes.iter().map(|index| index.key)).chain(sequences).collect();
    let databases: HashSet<Oid> = set.databases.iter().map(|database| database.oid).collect();
    forget_samples(&mut history.databases, from, &databases);
    forget_samples(&mut history.tables, from, &relations);
    forget_samples(&mut history.indexes, from, &relations);
    forget_samples(&mut history.sequences, from, &relations);
}

fn forget_samples<K: Eq + Hash, T>(all: &mut HashMap<K, Vec<Sample<T>>>, from: WallTime, there: &HashSet<K>) {
    all.retain(|key, samples| {
        let old = samples.partition_point(|sample| sample.at < from);
        samples.drain(..old.saturating_sub(1));
        samples.last().is_some_and(|last| last.at >= from) || there.contains(key)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::database::Database;
    use crate::snapshot::index::{Index, IndexFigures};

    const HOUR: u64 = 3_600_000;
    const INDEX: Key = Key { database: Oid(1), relation: Oid(7) };

    fn set(hour: u64, scans: u64) -> Set {
        let index =
            Index { key: INDEX, figures: IndexFigures { scans, ..IndexFigures::default() }, ..Index::default() };
        let database = Database { oid: Oid(1), is_seen: true, ..Database::default() };
        let at = WallTime::default().after(Nanos::from_millis(hour * HOUR));
        Set { at, indexes: vec![index], databases: vec![database], ..Set::default() }
    }

    #[test]
    fn a_round_is_kept_and_a_sample_of_what_changed() {
        let rounds = Rounds::default();
        assert!(rounds.health("db").is_none());
        [(0, 5), (1, 5), (2, 6)].into_iter().for_each(|(hour, scans)| rounds.keep("db", set(hour, scans), false));
        let health = rounds.health("db").unwrap();
        assert_eq!(health.set, set(2, 6));
        let scans: Vec<u64> = health.history.indexes[&INDEX].iter().map(|sample| sample.figures.scans).collect();
        assert_eq!(scans, [5, 6]);
        assert_eq!(health.history.rounds[&Oid(1)].len(), 3);
        assert!(rounds.health("other").is_none());
    }

    #[test]
    fn what_is_older_than_two_days_is_forgotten_but_for_how_it_stood_then() {
        let rounds = Rounds::default();
        (0..100).for_each(|hour| rounds.keep("db", set(hour, hour / 90), false));
        let history = rounds.health("db").unwrap().history.clone();
        assert_eq!(history.rounds[&Oid(1)].len(), 49);
        let samples: Vec<_> = history.indexes[&INDEX].iter().map(|sample| sample.figures.scans).collect();
        assert_eq!(samples, [0, 1], "the first stands for the time before the second");
        assert_eq!(history.connections.len(), 49);
    }

    #[test]
    fn of_what_is_gone_for_two_days_nothing_is_kept() {
        let rounds = Rounds::default();
        rounds.keep("db", set(0, 7), false);
        let gone = |hour| Set { indexes: Vec::new(), ..set(hour, 0) };
        rounds.keep("db", gone(48), false);
        assert_eq!(rounds.health("db").unwrap().history.indexes.len(), 1);
        rounds.keep("db", gone(49), false);
        assert!(rounds.health("db").unwrap().history.indexes.is_empty(), "work tables come and go");
    }

    /// A round whose rows the store did not take was the end of the gap before it, and the gap was held for one in which
    /// nobody looked.
    #[test]
    fn rounds_were_left_out_until_one_is_kept() {
        let rounds = Rounds::default();
        rounds.leave_out("db");
        rounds.saw("db", &set(5, 0));
        assert!(rounds.is_idle("db"));
        rounds.kept("db");
        assert!(!rounds.is_idle("db"));
    }
}
