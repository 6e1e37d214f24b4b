//! Latency levels of DESIGN §7: good < 100 ms ≤ warning ≤ 500 ms < alert ≤ 1000 ms < critical.

use crate::base::units::Nanos;

/// How slow an execution was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Below the first threshold.
    Good,
    /// From the first to the second, both included.
    Warning,
    /// Above the second, to the third included.
    Alert,
    /// Above the third.
    Critical,
}

impl Level {
    /// The name that API and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Warning => "warning",
            Level::Alert => "alert",
            Level::Critical => "critical",
        }
    }
}

/// Where levels begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// At or above: no longer good.
    pub warning: Nanos,
    /// Above: alert.
    pub alert: Nanos,
    /// Above: critical.
    pub critical: Nanos,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { warning: Nanos::from_millis(100), alert: Nanos::from_millis(500), critical: Nanos::from_millis(1_000) }
    }
}

impl Thresholds {
    /// The level of an execution.
    #[inline]
    pub fn level(&self, duration: Nanos) -> Level {
        if duration < self.warning {
            Level::Good
        } else if duration <= self.alert {
            Level::Warning
        } else if duration <= self.critical {
            Level::Alert
        } else {
            Level::Critical
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_where_design_says() {
        let levels = Thresholds::default();
        for (micros, level) in [
            (99_999, Level::Good),
            (100_000, Level::Warning),
            (500_000, Level::Warning),
            (500_001, Level::Alert),
            (1_000_000, Level::Alert),
            (1_000_001, Level::Critical),
        ] {
            assert_eq!(levels.level(Nanos::from_micros(micros)), level, "{micros} µs");
        }
    }
}
