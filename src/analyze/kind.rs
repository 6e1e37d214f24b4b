//! What an alert can be about: its name, when it counts as over, and how bad a value is.

use std::fmt;
use std::str::FromStr;

/// Declares the kinds with their names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $text:literal),+ $(,)?) => {
        /// What an alert is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind { $($(#[$doc])* $variant),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$variant),+];

            /// The name that tables, API, metrics and configuration use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $text),+ }
            }
        }
    };
}

kinds! {
    /// One execution that took long, in milliseconds.
    SlowStatement => "slow_statement",
    /// A statement takes a multiple of what it took at the same hours of the days before.
    Regression => "regression",
    /// A statement fails more often than it did, in percent of its calls.
    ErrorRate => "error_rate",
    /// A session sits idle in a transaction, in seconds.
    IdleInTransaction => "idle_in_transaction",
    /// Connections against the server's limit, in percent.
    ConnectionSaturation => "connection_saturation",
    /// A bloated table or index, in percent.
    HighBloat => "high_bloat",
    /// A large index that nobody uses, in days.
    UnusedIndex => "unused_index",
    /// An index that was never finished; it costs writes and helps no read.
    InvalidIndex => "invalid_index",
    /// Age of transaction ids or multixacts, in percent of what there is.
    Wraparound => "wraparound",
    /// A sequence near its end, in percent.
    SequenceExhaustion => "sequence_exhaustion",
    /// A replication slot holds WAL back, in bytes.
    ReplicationSlot => "replication_slot",
    /// Days until the disk is full.
    DiskForecast => "disk_forecast",
    /// The monitored server can't be reached, for so many seconds.
    UpstreamDown => "upstream_down",
    /// The monitoring tables can't be reached or hold no more, for so many seconds.
    StoreDown => "store_down",
    /// Days for which the monitoring tables have partitions.
    PartitionsAhead => "partitions_ahead",
    /// An instance's clock is off the store's, in seconds.
    Clock => "clock",
    /// Samples that were dropped.
    SamplesDropped => "samples_dropped",
}

/// A name that is no kind's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no kind of alert")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(NotAKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// To be looked at this week.
    Warning,
    /// To be looked at today.
    Alert,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// Every severity, ascending.
    pub const ALL: &[Severity] = &[Severity::Warning, Severity::Alert, Severity::Critical];

    /// The name that tables, API and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Alert => "alert",
            Severity::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Severity::ALL.iter().copied().find(|severity| severity.as_str() == text).ok_or(NotAKind)
    }
}

/// What values of a kind are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
    /// Of a whole, 0 to 100.
    Percent,
    /// Bytes.
    Bytes,
    /// A multiple.
    Times,
    /// A number of things.
    Count,
}

impl Unit {
    /// A value as people read it; empty for one that nothing reaches.
    pub fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return String::new();
        }
        let short = |value: f64, unit: &str| {
            let digits = usize::from(value.abs() < 100.0 && value.fract() != 0.0);
            format!("{value:.digits$}{unit}")
        };
        match self {
            Unit::Millis if value >= 1_000.0 => Unit::Seconds.show(value / 1_000.0),
            Unit::Millis => short(value, " ms"),
            Unit::Seconds if value >= 2.0 * 3_600.0 => short(value / 3_600.0, " h"),
            Unit::Seconds if value >= 120.0 => short(value / 60.0, " min"),
            Unit::Seconds => short(value, " s"),
            Unit::Days => short(value, if value == 1.0 { " day" } else { " days" }),
            Unit::Percent => short(value, " %"),
            Unit::Times => short(value, " times"),
            Unit::Count => short(value, ""),
            Unit::Bytes => {
                let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
                let steps = (value.abs().max(1.0).log2() / 10.0).floor().clamp(0.0, 5.0);
                let unit = units.get(steps as usize).copied().unwrap_or_default();
                short(value / 1_024f64.powf(steps), &format!(" {unit}"))
            }
        }
    }
}

/// How often a kind's facts come, and with it when an alert counts as over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cadence {
    /// All the time: over after a quiet cool-down.
    Minutes,
    /// With the hourly snapshot: over when two of them don't show it.
    Hourly,
    /// With the daily job: over when the next day's doesn't show it.
    Daily,
}

/// From which values on a kind is an alert.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Above it (below it where less is worse): an alert of [`Kind::least`] severity.
    pub first: f64,
    /// Beyond it: critical. Infinite where nothing of the kind is critical.
    pub critical: f64,
}

impl Kind {
    /// How often its facts come.
    pub const fn cadence(self) -> Cadence {
        match self {
            Kind::SlowStatement | Kind::ErrorRate | Kind::IdleInTransaction => Cadence::Minutes,
            Kind::UpstreamDown | Kind::StoreDown | Kind::Clock => Cadence::Minutes,
            Kind::SamplesDropped | Kind::PartitionsAhead => Cadence::Minutes,
            Kind::Regression | Kind::ConnectionSaturation | Kind::HighBloat | Kind::InvalidIndex => Cadence::Hourly,
            Kind::Wraparound | Kind::SequenceExhaustion | Kind::ReplicationSlot => Cadence::Hourly,
            Kind::UnusedIndex | Kind::DiskForecast => Cadence::Daily,
        }
    }

    /// Whether it is about a statement: nobody is told of it in a server's first time, and only of so many an hour.
    pub const fn is_of_statement(self) -> bool {
        matches!(self, Kind::SlowStatement | Kind::Regression | Kind::ErrorRate)
    }

    /// Whether a lower value is worse.
    pub const fn less_is_worse(self) -> bool {
        matches!(self, Kind::DiskForecast | Kind::PartitionsAhead)
    }

    /// The unit of its values and thresholds.
    pub const fn unit(self) -> Unit {
        match self {
            Kind::SlowStatement => Unit::Millis,
            Kind::Regression => Unit::Times,
            Kind::ErrorRate | Kind::ConnectionSaturation | Kind::HighBloat => Unit::Percent,
            Kind::Wraparound | Kind::SequenceExhaustion => Unit::Percent,
            Kind::IdleInTransaction | Kind::UpstreamDown | Kind::StoreDown | Kind::Clock => Unit::Seconds,
            Kind::UnusedIndex | Kind::DiskForecast | Kind::PartitionsAhead => Unit::Days,
            Kind::ReplicationSlot => Unit::Bytes,
            Kind::InvalidIndex | Kind::SamplesDropped => Unit::Count,
        }
    }

    /// What is compared with its thresholds, for documents.
    pub const fn meaning(self) -> &'static str {
        match self {
            Kind::SlowStatement => "duration of one execution, or of one that has run for 30 s",
            Kind::Regression => "duration against the same hours of the 7 days before",
            Kind::ErrorRate => "share of a statement's calls that failed, when it is well above what it was",
            Kind::IdleInTransaction => "how long a session has been idle in its transaction",
            Kind::ConnectionSaturation => "connections against the limit",
            Kind::HighBloat => {
                "wasted share of a table or an index (`levels.bloat`) of which `bloat_min_wasted` is wasted"
            }
            Kind::UnusedIndex => "time without use (`unused_days`) of an index from `large_index` on",
            Kind::InvalidIndex => "indexes that serve no query",
            Kind::Wraparound => "age of transaction ids or multixacts against 2^31",
            Kind::SequenceExhaustion => "used share of a sequence, or of what its column can hold",
            Kind::ReplicationSlot => "WAL held back by an inactive slot; critical, too, when the slot loses it",
            Kind::DiskForecast => "time until the databases fill `disk_capacity` at their growth; alert below",
            Kind::UpstreamDown => "time since the server was reached last",
            Kind::StoreDown => "time since the store was written last",
            Kind::PartitionsAhead => "days for which the store has partitions; alert below",
            Kind::Clock => "difference between an instance's clock and the store's",
            Kind::SamplesDropped => "samples dropped",
        }
    }

    /// The severity below critical.
    pub const fn least(self) -> Severity {
        match self {
            Kind::UnusedIndex | Kind::InvalidIndex | Kind::HighBloat | Kind::Regression => Severity::Warning,
            Kind::Clock | Kind::DiskForecast | Kind::SequenceExhaustion | Kind::Wraparound => Severity::Warning,
            _ => Severity::Alert,
        }
    }

    /// How bad `value` is, `None` when it is nothing.
    pub fn severity(self, value: f64, thresholds: Thresholds) -> Option<Severity> {
        let beyond = |bound: f64| if self.less_is_worse() { value < bound } else { value > bound };
        if beyond(thresholds.critical) {
            Some(Severity::Critical)
        } else {
            beyond(thresholds.first).then(|| self.least())
        }
    }

    /// Whether `a` is worse than `b`.
    pub fn is_worse(self, a: f64, b: f64) -> bool {
        if self.less_is_worse() { a < b } else { a > b }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert_eq!("slow".parse::<Kind>(), Err(NotAKind));
    }

    #[test]
    fn values_are_shown_with_units_that_fit() {
        for (unit, value, text) in [
            (Unit::Millis, 12.25, "12.2 ms"),
            (Unit::Millis, 1_500.0, "1.5 s"),
            (Unit::Seconds, 300.0, "5 min"),
            (Unit::Seconds, 86_400.0, "24 h"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 1_572_864.0, "1.5 MiB"),
            (Unit::Percent, 33.333, "33.3 %"),
            (Unit::Days, f64::INFINITY, ""),
        ] {
            assert_eq!(unit.show(value), text);
        }
    }
}
