//! Time with its unit in the type. Arithmetic saturates: a clock that jumps must not end a process.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the monotonic clock, in nanoseconds since an origin that only `runtime::clock` knows.
///
/// Pure rooms take stamps as parameters and never read a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stamp(u64);

impl Stamp {
    /// The stamp `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Stamp) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Nanos> for Stamp {
    type Output = Stamp;
    fn add(self, span: Nanos) -> Stamp {
        Stamp(self.0.saturating_add(span.0))
    }
}

/// A span of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Nanos(u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Nanos = Nanos(0);

    /// A span of `nanos` nanoseconds.
    pub const fn new(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// Whole nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whole microseconds, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds with fraction, as the HTTP interface shows them.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds with fraction, as Prometheus wants them.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The difference, zero when `other` is longer.
    pub const fn saturating_sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(span: Nanos) -> Self {
        Duration::from_nanos(span.0)
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        self.saturating_sub(other)
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Nanos) {
        *self = *self + other;
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Nanos>>(spans: I) -> Nanos {
        spans.fold(Nanos::ZERO, Add::add)
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.as_millis_f64())
    }
}

/// A wall-clock time, in microseconds since the Unix epoch. Pure rooms take it as a parameter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(i64);

impl WallTime {
    /// The time `micros` microseconds after the Unix epoch.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// The start of the UTC minute that holds this time.
    pub const fn minute(self) -> WallTime {
        WallTime(self.0.div_euclid(60_000_000) * 60_000_000)
    }

    /// This time moved back by `span`.
    pub const fn before(self, span: Nanos) -> WallTime {
        WallTime(self.0.saturating_sub((span.0 / 1_000) as i64))
    }

    /// This time moved on by `span`.
    pub const fn after(self, span: Nanos) -> WallTime {
        WallTime(self.0.saturating_add((span.0 / 1_000) as i64))
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: WallTime) -> Nanos {
        let micros = self.0.saturating_sub(earlier.0);
        if micros < 0 { Nanos::ZERO } else { Nanos::from_micros(micros as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_steps_back_gives_zero_not_a_panic() {
        assert_eq!(Stamp::from_nanos(5).since(Stamp::from_nanos(9)), Nanos::ZERO);
        assert_eq!(WallTime::from_unix_micros(5).since(WallTime::from_unix_micros(9)), Nanos::ZERO);
    }

    #[test]
    fn minutes_start_at_multiples_of_sixty_seconds_before_the_epoch_too() {
        assert_eq!(WallTime::from_unix_micros(61_000_000).minute(), WallTime::from_unix_micros(60_000_000));
        assert_eq!(WallTime::from_unix_micros(-1).minute(), WallTime::from_unix_micros(-60_000_000));
    }
}
