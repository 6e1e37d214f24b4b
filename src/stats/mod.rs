//! Aggregates in memory: what workers record, merged by minute, read by whoever shows it. Pure: no clock, no lock.
//!
//! Reading order: [`series`] what is kept of one series, [`histogram`] durations, [`level`] latency levels; a worker's
//! side: [`recorder`], its tables `slots`, `tagged`, executions that are kept one by one, `sampler`, `sieve`, and what it
//! hands over, [`harvest`]; the merge: `rings` the newest of those executions, `admission` who has a row, `other` who takes the rest, `registry` what texts mean, `minute` and `history` figures over time;
//! [`ceiling`] who may hold how much, [`live`] what readers see, [`outbox`] and [`minutes`] what whoever writes is handed.

mod admission;
pub mod ceiling;
pub mod harvest;
pub mod histogram;
mod history;
pub mod level;
pub mod live;
mod minute;
pub mod minutes;
mod other;
pub mod outbox;
pub mod recorder;
mod registry;
mod rings;
mod sampler;
pub mod series;
mod sieve;
mod slots;
mod tagged;

#[cfg(test)]
pub(crate) mod tests;

/// What the owner may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Series per process; what does not fit goes to `(other)`.
    pub max_series: usize,
    /// Executions at or above it are kept one by one.
    pub slow_threshold: crate::base::units::Nanos,
    /// The part of all executions, 0 to 1, that is kept one by one as well.
    pub sample_rate: f64,
    /// Executions that are kept one by one have their bind values.
    pub capture_parameters: bool,
    /// Where one latency level ends and the next begins.
    pub levels: level::Thresholds,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_series: 10_000,
            slow_threshold: crate::base::units::Nanos::from_millis(500),
            sample_rate: 0.0,
            capture_parameters: false,
            levels: level::Thresholds::default(),
        }
    }
}
