//! What the rules say of a server, at its last round and by its history: made once, for judging, answers and metrics.

use crate::analyze::Settings;
use crate::analyze::alert::{Finding, Look};
use crate::analyze::bloat::{self, Bloated};
use crate::analyze::capacity::{Capacity, capacity};
use crate::analyze::days::Day;
use crate::analyze::indexes::{self, IndexUse, Status};
use crate::analyze::judge::Judge;
use crate::analyze::level::{Bloat, Use, days};
use crate::analyze::recommend::{self, Recommendation, recommend};
use crate::analyze::redundant::{Redundant, redundant};
use crate::analyze::server::{IDS, sequence_used_percent};
use crate::base::units::WallTime;
use crate::snapshot::set::Set;
use crate::store::read::health::Health;

/// Trends are told from so many days at least.
const DAYS: u64 = 35;

/// From when on rounds are read: long enough to tell that an index is unused.
pub fn since(now: WallTime, rules: &Settings) -> WallTime {
    now.before(days(DAYS).max(rules.index.unused + days(2)))
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Insight<'a> {
    /// The last round.
    pub set: &'a Set,
    /// Use of indexes.
    pub uses: Vec<IndexUse<'a>>,
    /// Indexes that others stand for.
    pub redundant: Vec<Redundant<'a>>,
    /// Bloat of tables, the most wasted first.
    pub tables: Vec<Bloated<'a>>,
    /// Bloat of indexes, likewise.
    pub indexes: Vec<Bloated<'a>>,
    /// What grows, and where it ends.
    pub capacity: Capacity,
}

impl<'a> Insight<'a> {
    /// By these rules.
    pub fn of(health: &'a Health, rules: &Settings) -> Self {
        let Health { set, history } = health;
        Self {
            set,
            uses: indexes::uses(set, history, &rules.index),
            redundant: redundant(set),
            tables: bloat::tables(set, history, rules),
            indexes: bloat::indexes(set, history, rules),
            capacity: capacity(set, history, rules),
        }
    }

    /// What is beyond its threshold.
    pub fn findings(&self, server: &str, rules: &Settings) -> Vec<Finding> {
        let judge = Judge { settings: rules, server };
        let mut findings = judge.server(self.set);
        findings.extend(judge.indexes(self.set, &self.uses));
        findings.extend(judge.bloat(self.set.at, &self.tables));
        findings.extend(judge.bloat(self.set.at, &self.indexes));
        findings.extend(judge.disk(self.set.at, &self.capacity));
        findings
    }

    /// What was judged, and what of it could not be.
    pub fn looks(&self, server: &str, rules: &Settings) -> Vec<Look> {
        let judge = Judge { settings: rules, server };
        let bloated: Vec<_> = self.tables.iter().chain(&self.indexes).cloned().collect();
        let mut looks = judge.snapshot_looks(self.set, &bloated);
        looks.extend(judge.day_looks(self.set, &self.uses, &self.capacity));
        looks
    }

    /// What to do, the most important first; with statements that got slower on a `day` on which all took so long.
    pub fn recommendations(
        &self,
        server: &str,
        rules: &Settings,
        day: &Day<'_>,
        total_ms_per_day: f64,
    ) -> Vec<Recommendation> {
        let bloated: Vec<_> = self.tables.iter().chain(&self.indexes).cloned().collect();
        recommend(&recommend::Facts {
            set: self.set,
            uses: &self.uses,
            redundant: &self.redundant,
            bloated: &bloated,
            findings: &self.findings(server, rules),
            worse: &day.worse,
            bloat_min_wasted_bytes: rules.bloat_min_wasted_bytes,
            total_ms_per_day,
        })
    }

    /// Indexes that nobody uses.
    pub fn unused(&self) -> impl Iterator<Item = &IndexUse<'a>> {
        self.uses.iter().filter(|one| matches!(one.status, Status::Used(Use::Unused | Use::Drop)))
    }

    /// Figures for metrics.
    pub fn vitals(&self) -> Vitals {
        let databases = || self.set.databases.iter();
        let sequences = databases().flat_map(|database| &database.sequences).filter_map(sequence_used_percent);
        let ages = databases().map(|database| database.figures.xid_age.max(database.figures.multixact_age));
        let slots = self.set.server.slots.iter();
        Vitals {
            at: self.set.at,
            unused_index_bytes: self.unused().map(|one| one.index.figures.size_bytes).sum(),
            table_bloat_bytes: wasted(&self.tables),
            index_bloat_bytes: wasted(&self.indexes),
            tables_over_threshold: over_threshold(&self.tables),
            unused_indexes: self.unused().count() as u64,
            sequence_used_ratio_max: sequences.fold(0.0, f64::max) / 100.0,
            xid_used_ratio: ages.max().unwrap_or_default() as f64 / IDS,
            slots: slots.map(|slot| (slot.name.clone(), slot.retained_bytes.unwrap_or_default())).collect(),
        }
    }
}

fn wasted(bloated: &[Bloated<'_>]) -> u64 {
    bloated.iter().map(Bloated::wasted_bytes).sum()
}

fn over_threshold(bloated: &[Bloated<'_>]) -> u64 {
    bloated.iter().filter(|one| one.level >= Some(Bloat::Warning)).count() as u64
}

/// A server in a few figures.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Vitals {
    /// When it was looked at.
    pub at: WallTime,
    /// Of indexes that nobody uses.
    pub unused_index_bytes: u64,
    /// How many these are.
    pub unused_indexes: u64,
    /// Wasted in tables.
    pub table_bloat_bytes: u64,
    /// Wasted in indexes.
    pub index_bloat_bytes: u64,
    /// Tables whose bloat is a warning at least.
    pub tables_over_threshold: u64,
    /// Of the sequence that is nearest to its end, 0 to 1.
    pub sequence_used_ratio_max: f64,
    /// Of transaction ids or multixacts, whichever are nearer to their end, 0 to 1.
    pub xid_used_ratio: f64,
    /// WAL that each replication slot holds back, in bytes.
    pub slots: Vec<(String, u64)>,
}
