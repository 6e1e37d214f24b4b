//! Levels of DESIGN §7 but those of latency (`stats::level`).

use crate::base::units::Nanos;

/// A day.
pub const DAY: Nanos = Nanos::from_millis(86_400_000);

/// An hour.
pub const HOUR: Nanos = Nanos::from_millis(3_600_000);

/// `count` days.
pub const fn days(count: u64) -> Nanos {
    Nanos::new(DAY.get().saturating_mul(count))
}

/// How bloated a table or an index is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bloat {
    /// Below the first threshold.
    Healthy,
    /// From the first to the second, both included.
    Monitor,
    /// Above the second, to the third included.
    Warning,
    /// Above the third.
    Critical,
}

impl Bloat {
    /// The name that API and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Bloat::Healthy => "healthy",
            Bloat::Monitor => "monitor",
            Bloat::Warning => "warning",
            Bloat::Critical => "critical",
        }
    }
}

/// Where levels of bloat begin, in percent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BloatLevels {
    /// At or above: no longer healthy.
    pub monitor: f64,
    /// Above: warning.
    pub warning: f64,
    /// Above: critical.
    pub critical: f64,
}

impl Default for BloatLevels {
    fn default() -> Self {
        Self { monitor: 10.0, warning: 20.0, critical: 50.0 }
    }
}

impl BloatLevels {
    /// The level of a ratio in percent.
    pub fn level(&self, percent: f64) -> Bloat {
        if percent < self.monitor {
            Bloat::Healthy
        } else if percent <= self.warning {
            Bloat::Monitor
        } else if percent <= self.critical {
            Bloat::Warning
        } else {
            Bloat::Critical
        }
    }
}

/// How much an index is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Use {
    /// Used lately.
    Active,
    /// Used some time ago.
    LowUsage,
    /// Not used for long.
    Unused,
    /// Not used for long, and large.
    Drop,
}

impl Use {
    /// The name that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Use::Active => "active",
            Use::LowUsage => "low_usage",
            Use::Unused => "unused",
            Use::Drop => "drop",
        }
    }
}

/// Where levels of an index's use begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexLevels {
    /// Last used less than this ago: active.
    pub active: Nanos,
    /// Longer ago than this: unused.
    pub unused: Nanos,
    /// From this size on an unused index is one to drop, in bytes.
    pub large_bytes: u64,
}

impl Default for IndexLevels {
    fn default() -> Self {
        Self { active: days(7), unused: days(30), large_bytes: 100 << 20 }
    }
}

impl IndexLevels {
    /// The level of an index of this size that was last used so long ago.
    pub fn level(&self, ago: Nanos, size_bytes: u64) -> Use {
        if ago < self.active {
            Use::Active
        } else if ago <= self.unused {
            Use::LowUsage
        } else if size_bytes < self.large_bytes {
            Use::Unused
        } else {
            Use::Drop
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_bloat_belong_where_design_says() {
        let levels = BloatLevels::default();
        for (percent, level) in [
            (0.0, Bloat::Healthy),
            (9.99, Bloat::Healthy),
            (10.0, Bloat::Monitor),
            (20.0, Bloat::Monitor),
            (20.01, Bloat::Warning),
            (50.0, Bloat::Warning),
            (50.01, Bloat::Critical),
        ] {
            assert_eq!(levels.level(percent), level, "{percent} %");
        }
    }

    #[test]
    fn bounds_of_use_belong_where_design_says() {
        let levels = IndexLevels::default();
        let (small, large) = (1 << 20, 100 << 20);
        for (ago, size, level) in [
            (days(7) - Nanos::new(1), small, Use::Active),
            (days(7), small, Use::LowUsage),
            (days(30), large, Use::LowUsage),
            (days(30) + Nanos::new(1), large - 1, Use::Unused),
            (days(30) + Nanos::new(1), large, Use::Drop),
        ] {
            assert_eq!(levels.level(ago, size), level, "{ago} {size}");
        }
    }
}
