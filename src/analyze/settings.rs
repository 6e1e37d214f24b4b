//! What the owner may set of the rules, and with it from which values on a kind is an alert.

use crate::analyze::kind::{Kind, Thresholds, Unit};
use crate::analyze::level::{BloatLevels, DAY, IndexLevels};
use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;

/// A threshold that the owner sets for some of the alerts of a kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Override {
    /// Which kind.
    pub kind: Kind,
    /// Only of this database.
    pub database: Option<String>,
    /// Only of this statement.
    pub query_hash: Option<QueryHash>,
    /// In the kind's unit; `None`: no alert.
    pub threshold: Option<f64>,
}

/// What the owner may set.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// `levels.bloat`.
    pub bloat: BloatLevels,
    /// `bloat_min_wasted`: less wasted than this is no alert, in bytes.
    pub bloat_min_wasted_bytes: u64,
    /// `levels.index`, `unused_days`, `large_index`.
    pub index: IndexLevels,
    /// `disk_capacity`: what the server's disk holds, in bytes; nobody can ask PostgreSQL.
    pub disk_capacity_bytes: Option<u64>,
    /// `alerts.cooldown`: an alert resolves when it was quiet for so long.
    pub cooldown: Nanos,
    /// `alerts.learn`: in a server's first time alerts about statements open and tell nobody; zero turns that off.
    pub learn: Nanos,
    /// `[[alerts.override]]`.
    pub overrides: Vec<Override>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bloat: BloatLevels::default(),
            bloat_min_wasted_bytes: 10 << 20,
            index: IndexLevels::default(),
            disk_capacity_bytes: None,
            cooldown: Nanos::from_millis(15 * 60_000),
            learn: DAY,
            overrides: Vec::new(),
        }
    }
}

impl Settings {
    /// The least threshold of a kind, whatever it is about: less is nothing to anybody. In the kind's unit.
    pub fn least(&self, kind: Kind) -> f64 {
        let overrides = self.overrides.iter().filter(|rule| rule.kind == kind).filter_map(|rule| rule.threshold);
        overrides.fold(kind.usual(self).first, f64::min)
    }

    /// The keys whose values differ.
    pub fn changed(&self, new: &Settings) -> Vec<&'static str> {
        let same = [
            ("levels.bloat", self.bloat == new.bloat),
            ("bloat_min_wasted", self.bloat_min_wasted_bytes == new.bloat_min_wasted_bytes),
            ("levels.index", (self.index.active, self.index.unused) == (new.index.active, new.index.unused)),
            ("large_index", self.index.large_bytes == new.index.large_bytes),
            ("disk_capacity", self.disk_capacity_bytes == new.disk_capacity_bytes),
            ("alerts.cooldown", self.cooldown == new.cooldown),
            ("alerts.learn", self.learn == new.learn),
            ("alerts.override", self.overrides == new.overrides),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

impl Kind {
    /// The thresholds that hold when nobody says otherwise. Those of latency and bloat are the owner's levels; of the rest
    /// wraparound is FIELD (b)'s, and the others are such that one has days, for a percentage hours, to act.
    pub fn usual(self, settings: &Settings) -> Thresholds {
        let (first, critical) = match self {
            Kind::SlowStatement => (500.0, 1_000.0),
            Kind::Regression => (1.5, 4.0),
            Kind::ErrorRate => (5.0, 50.0),
            Kind::IdleInTransaction => (300.0, 3_600.0),
            Kind::ConnectionSaturation => (80.0, 95.0),
            Kind::HighBloat => (settings.bloat.warning, settings.bloat.critical),
            Kind::UnusedIndex => (settings.index.unused.as_secs_f64() / 86_400.0, f64::INFINITY),
            Kind::InvalidIndex | Kind::SamplesDropped => (0.0, f64::INFINITY),
            Kind::Wraparound => (50.0, 80.0),
            Kind::SequenceExhaustion => (75.0, 90.0),
            Kind::ReplicationSlot => ((1u64 << 30) as f64, (64u64 << 30) as f64),
            Kind::DiskForecast => (30.0, 7.0),
            Kind::UpstreamDown | Kind::StoreDown => (120.0, 120.0),
            Kind::PartitionsAhead => (3.0, 1.0),
            Kind::Clock => (5.0, 60.0),
        };
        Thresholds { first, critical }
    }

    /// The thresholds for a subject; `None`: the owner wants no such alert. The most precise override holds: of a
    /// statement, of a database, of the kind; of equals the last. The critical threshold moves in proportion.
    pub fn thresholds(
        self,
        settings: &Settings,
        database: Option<&str>,
        query_hash: Option<QueryHash>,
    ) -> Option<Thresholds> {
        let usual = self.usual(settings);
        let holds = |rule: &&Override| {
            rule.kind == self
                && rule.database.as_deref().is_none_or(|name| Some(name) == database)
                && rule.query_hash.is_none_or(|hash| Some(hash) == query_hash)
        };
        let precision = |rule: &&Override| (rule.query_hash.is_some(), rule.database.is_some());
        let Some(rule) = settings.overrides.iter().filter(holds).max_by_key(precision) else {
            return Some(usual);
        };
        let first = rule.threshold?;
        let mut critical = if usual.first > 0.0 { usual.critical * first / usual.first } else { usual.critical };
        if self.unit() == Unit::Percent && critical > 100.0 {
            critical = f64::midpoint(first, 100.0);
        }
        Some(Thresholds { first, critical })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::kind::Severity;

    #[test]
    fn each_setting_that_changes_is_named() {
        let old = Settings::default();
        assert!(old.changed(&old.clone()).is_empty());
        let new = Settings { learn: Nanos::ZERO, disk_capacity_bytes: Some(1), ..old.clone() };
        assert_eq!(old.changed(&new), ["disk_capacity", "alerts.learn"]);
    }

    #[test]
    fn values_at_a_threshold_are_no_alert_yet() {
        let settings = Settings::default();
        let of = |kind: Kind, value| kind.severity(value, kind.thresholds(&settings, None, None).unwrap());
        assert_eq!(of(Kind::SlowStatement, 500.0), None);
        assert_eq!(of(Kind::SlowStatement, 500.1), Some(Severity::Alert));
        assert_eq!(of(Kind::SlowStatement, 1_000.0), Some(Severity::Alert));
        assert_eq!(of(Kind::SlowStatement, 1_000.1), Some(Severity::Critical));
        assert_eq!(of(Kind::DiskForecast, 31.0), None);
        assert_eq!(of(Kind::DiskForecast, 29.0), Some(Severity::Warning));
        assert_eq!(of(Kind::DiskForecast, 6.0), Some(Severity::Critical));
    }

    #[test]
    fn the_most_precise_override_holds_and_moves_the_critical_threshold_too() {
        let hash = QueryHash::of("select 1");
        let rule = |database: Option<&str>, query_hash, threshold| Override {
            kind: Kind::SlowStatement,
            database: database.map(str::to_owned),
            query_hash,
            threshold,
        };
        let overrides =
            vec![rule(None, Some(hash), Some(2_000.0)), rule(Some("etl"), None, None), rule(None, None, Some(100.0))];
        let settings = Settings { overrides, ..Settings::default() };
        let of = |database, hash| Kind::SlowStatement.thresholds(&settings, database, hash);
        assert_eq!(of(Some("shop"), None), Some(Thresholds { first: 100.0, critical: 200.0 }));
        assert_eq!(of(Some("etl"), None), None);
        assert_eq!(of(Some("etl"), Some(hash)), Some(Thresholds { first: 2_000.0, critical: 4_000.0 }));
        assert_eq!(of(None, Some(QueryHash::of("select 2"))).map(|bounds| bounds.first), Some(100.0));
        assert_eq!(Kind::ErrorRate.thresholds(&settings, None, None).map(|bounds| bounds.first), Some(5.0));
    }

    #[test]
    fn a_percentage_never_gets_a_threshold_that_nothing_can_pass() {
        let rule = Override { kind: Kind::HighBloat, database: None, query_hash: None, threshold: Some(60.0) };
        let settings = Settings { overrides: vec![rule], ..Settings::default() };
        let bounds = Kind::HighBloat.thresholds(&settings, None, None);
        assert_eq!(bounds, Some(Thresholds { first: 60.0, critical: 80.0 }));
    }
}
