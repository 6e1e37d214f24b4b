//! Aggregates in memory: what workers record, merged by minute, read by whoever shows it. Pure: no clock, no lock.
//!
//! Reading order: [`series`] what is kept of one series, [`histogram`] durations, [`live`] what readers see.

pub mod harvest;
pub mod histogram;
pub mod level;
pub mod live;
pub mod recorder;
pub mod series;

/// What the owner may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Series per process; what does not fit goes to `(other)`.
    pub max_series: usize,
    /// Executions at or above it are kept one by one.
    pub slow_threshold: crate::base::units::Nanos,
    /// Where one latency level ends and the next begins.
    pub levels: level::Thresholds,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_series: 10_000,
            slow_threshold: crate::base::units::Nanos::from_millis(500),
            levels: level::Thresholds::default(),
        }
    }
}
