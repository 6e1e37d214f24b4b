//! What was judged, and what of it could not be: from a snapshot, from the day's, from statements.

use std::collections::BTreeSet;

use crate::analyze::alert::Look;
use crate::analyze::bloat::Bloated;
use crate::analyze::capacity::Capacity;
use crate::analyze::indexes::{self, IndexUse, Status};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Kind;
use crate::base::units::WallTime;
use crate::snapshot::set::{Missing, Set};

const HOUR_US: i64 = 3_600_000_000;

/// The begin of the hour that holds an instant: kinds that are judged by whole hours are seen once in each.
pub fn hour_of(at: WallTime) -> WallTime {
    WallTime::from_unix_micros(at.unix_micros().div_euclid(HOUR_US) * HOUR_US)
}

impl Judge<'_> {
    fn look(&self, kind: Kind, at: WallTime) -> Look {
        Look { server: self.server.to_owned(), kind, at, blind: BTreeSet::new(), unknown: BTreeSet::new() }
    }

    /// What an hourly snapshot shows, of what it could see. Databases that were not looked into are blind spots, and tables
    /// and indexes of whose bloat not enough is known are unknown.
    pub fn snapshot_looks(&self, set: &Set, bloated: &[Bloated<'_>]) -> Vec<Look> {
        let look = |kind| self.look(kind, set.at);
        let mut looks = vec![look(Kind::ConnectionSaturation)];
        if !lacks(set, Missing::SLOTS) {
            looks.push(look(Kind::ReplicationSlot));
        }
        if lacks(set, Missing::DATABASES) {
            return looks;
        }
        let blind = blind(set);
        let no_sequences = set.missing.iter().filter(|missing| missing.what == Missing::SEQUENCES);
        let without = no_sequences.filter_map(|missing| missing.database.clone()).chain(blind.clone()).collect();
        let unknown = bloated.iter().filter(|one| !one.is_known()).map(Bloated::subject).collect();
        looks.extend([
            look(Kind::Wraparound),
            Look { blind: without, ..look(Kind::SequenceExhaustion) },
            Look { blind: blind.clone(), ..look(Kind::InvalidIndex) },
            Look { blind, unknown, ..look(Kind::HighBloat) },
        ]);
        looks
    }

    /// What the daily job shows. An index without enough history is unknown; a disk without a trend is not judged.
    pub fn day_looks(&self, set: &Set, uses: &[IndexUse<'_>], capacity: &Capacity) -> Vec<Look> {
        let unclear = uses.iter().filter(|one| one.status == Status::NotEnoughHistory);
        let unknown = unclear.map(|one| indexes::subject(one.index)).collect();
        let indexes = Look { blind: blind(set), unknown, ..self.look(Kind::UnusedIndex, set.at) };
        let indexes = (!lacks(set, Missing::DATABASES)).then_some(indexes);
        let is_known = capacity.disk.as_ref().is_some_and(|disk| disk.trend.is_some() && disk.limit.is_some());
        let disk = is_known.then(|| self.look(Kind::DiskForecast, set.at));
        [indexes, disk].into_iter().flatten().collect()
    }

    /// What statements and sessions show: of the minutes up to `complete_to`, which all instances have written, and of
    /// the hours before it.
    pub fn statement_looks(&self, complete_to: WallTime) -> Vec<Look> {
        let minutes = [Kind::SlowStatement, Kind::ErrorRate, Kind::IdleInTransaction];
        let hours = self.look(Kind::Regression, hour_of(complete_to));
        minutes.map(|kind| self.look(kind, complete_to)).into_iter().chain([hours]).collect()
    }
}

/// Whether the server did not say what it was asked as a whole.
fn lacks(set: &Set, what: &str) -> bool {
    set.missing.iter().any(|missing| missing.database.is_none() && missing.what == what)
}

fn blind(set: &Set) -> BTreeSet<String> {
    set.databases.iter().filter(|database| !database.is_seen).map(|database| database.name.clone()).collect()
}
