//! Durations of one series: buckets of hdrhistogram (1 µs to 2,147 s, 2 significant digits), small until many are in use.

use crate::base::units::Nanos;

/// A histogram of durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    counts: Vec<(u16, u64)>,
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, _duration: Nanos) {}

    /// Adds all of `other`.
    pub fn merge(&mut self, _other: &Histogram) {}

    /// How many durations are in it.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    /// The value at quantile `q` (0 to 1): the top of its bucket; `None` when empty.
    pub fn quantile(&self, _q: f64) -> Option<Nanos> {
        None
    }

    /// The non-empty buckets, ascending: highest equivalent value in µs, and count.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.counts.iter().map(|(bucket, count)| (u32::from(*bucket), *count))
    }
}
