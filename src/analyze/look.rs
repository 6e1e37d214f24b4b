//! What was judged, and what of it could not be: from a snapshot, from the day's, from statements.

use std::collections::BTreeSet;

use crate::analyze::alert::{Look, Subject};
use crate::analyze::bloat::Bloated;
use crate::analyze::capacity::Capacity;
use crate::analyze::indexes::{self, IndexUse, Status};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Kind;
use crate::base::units::WallTime;
use crate::snapshot::set::Set;

const HOUR_US: i64 = 3_600_000_000;

/// The begin of the hour that holds an instant: kinds that are judged by whole hours are seen once in each.
pub fn hour_of(at: WallTime) -> WallTime {
    WallTime::from_unix_micros(at.unix_micros().div_euclid(HOUR_US) * HOUR_US)
}

impl Judge<'_> {
    fn look(&self, kind: Kind, at: WallTime) -> Look {
        Look { server: self.server.to_owned(), kind, at, blind: BTreeSet::new(), unknown: BTreeSet::new() }
    }

    /// What an hourly snapshot shows. Databases that were not looked into are blind spots, and tables and indexes whose
    /// bloat is withheld are unknown.
    pub fn snapshot_looks(&self, set: &Set, bloated: &[Bloated<'_>]) -> Vec<Look> {
        let blind = blind(set);
        let unknown: BTreeSet<Subject> =
            bloated.iter().filter(|one| one.bloat.is_none()).map(Bloated::subject).collect();
        let inside = [Kind::HighBloat, Kind::InvalidIndex, Kind::SequenceExhaustion];
        let whole = [Kind::ConnectionSaturation, Kind::Wraparound, Kind::ReplicationSlot];
        let inside = inside.map(|kind| Look { blind: blind.clone(), ..self.look(kind, set.at) });
        let mut looks: Vec<Look> = inside.into_iter().chain(whole.map(|kind| self.look(kind, set.at))).collect();
        looks.iter_mut().filter(|look| look.kind == Kind::HighBloat).for_each(|look| look.unknown.clone_from(&unknown));
        looks
    }

    /// What the daily job shows. An index without enough history is unknown; a disk without a trend is not judged.
    pub fn day_looks(&self, set: &Set, uses: &[IndexUse<'_>], capacity: &Capacity) -> Vec<Look> {
        let unclear = uses.iter().filter(|one| one.status == Status::NotEnoughHistory);
        let unknown = unclear.map(|one| indexes::subject(one.index)).collect();
        let indexes = Look { blind: blind(set), unknown, ..self.look(Kind::UnusedIndex, set.at) };
        let is_known = capacity.disk.as_ref().is_some_and(|disk| disk.trend.is_some() && disk.limit.is_some());
        let disk = is_known.then(|| self.look(Kind::DiskForecast, set.at));
        [Some(indexes), disk].into_iter().flatten().collect()
    }

    /// What statements and sessions show: of the minutes up to `complete_to`, which all instances have written, and of
    /// the hours before it.
    pub fn statement_looks(&self, complete_to: WallTime) -> Vec<Look> {
        let minutes = [Kind::SlowStatement, Kind::ErrorRate, Kind::IdleInTransaction];
        let hours = self.look(Kind::Regression, hour_of(complete_to));
        minutes.map(|kind| self.look(kind, complete_to)).into_iter().chain([hours]).collect()
    }
}

fn blind(set: &Set) -> BTreeSet<String> {
    set.databases.iter().filter(|database| !database.is_seen).map(|database| database.name.clone()).collect()
}
