//! What a process costs that measures: told to the store with each batch, and to whoever asks the process itself.

use super::process::Usage;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::Nanos;
use crate::stats::live::LiveView;

/// A process's cost so far; counts are since its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// CPU time, user and system, of all threads; `None` where the system doesn't tell.
    pub cpu: Option<Nanos>,
    /// Memory that is resident now; likewise.
    pub resident_bytes: Option<u64>,
    /// Statements that it counted.
    pub calls: u64,
    /// Samples that it lost. That not every slow or failed execution is kept one by one is no loss.
    pub dropped: u64,
    /// Series that it holds in memory.
    pub series: u64,
}

impl Cost {
    /// That of this process, which shows `view`.
    pub fn of(view: &LiveView, telemetry: &Telemetry) -> Self {
        let usage = Usage::read();
        let losses = Dropped::ALL.iter().filter(|why| why.is_loss());
        Self {
            cpu: usage.map(|usage| usage.cpu),
            resident_bytes: usage.map(|usage| usage.resident_bytes),
            calls: view.cumulative().statements.values().map(|stats| stats.calls).sum(),
            dropped: losses.map(|why| telemetry.dropped_total(*why)).sum(),
            series: view.series().0 as u64,
        }
    }

    /// CPU time by statement, in µs; `None` before the first.
    pub fn us_per_call(&self) -> Option<f64> {
        let cpu = self.cpu.filter(|_| self.calls > 0)?;
        Some(cpu.as_micros() as f64 / self.calls as f64)
    }

    /// How many processor cores it used on average in `time`; `None` of no time.
    pub fn cores(&self, time: Nanos) -> Option<f64> {
        let cpu = self.cpu.filter(|_| time > Nanos::ZERO)?;
        Some(cpu.as_secs_f64() / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_zero() {
        let cost = Cost { cpu: Some(Nanos::from_millis(30)), calls: 1_000, ..Cost::default() };
        assert_eq!(cost.us_per_call(), Some(30.0));
        assert_eq!(cost.cores(Nanos::from_millis(300)), Some(0.1));
        assert_eq!((Cost { calls: 0, ..cost }.us_per_call(), cost.cores(Nanos::ZERO)), (None, None));
        let untold = Cost { cpu: None, ..cost };
        assert_eq!((untold.us_per_call(), untold.cores(Nanos::from_millis(1))), (None, None));
    }
}
