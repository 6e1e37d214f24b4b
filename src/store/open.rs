//! Batches that are not closed yet: a minute for as long as it lasts, slow executions up to the next flush. Each has its
//! key from its begin, so that what a crash leaves of it is written under no other. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::{Batch, Origin, Told};
use super::sum::Sum;
use crate::base::units::WallTime;
use crate::stats::level::Thresholds;
use crate::stats::minutes::{Minutes, Span};

/// What will be batches of one process.
#[derive(Debug)]
pub(super) struct Open {
    origin: Arc<Origin>,
    levels: Thresholds,
    sequence: i64,
    /// By begin.
    minutes: BTreeMap<WallTime, Minute>,
    slow: Option<Sum>,
}

#[derive(Debug)]
struct Minute {
    /// End, excluded.
    until: WallTime,
    told: Told,
    sum: Sum,
}

impl Open {
    /// None yet.
    pub(super) fn new(origin: Arc<Origin>, levels: Thresholds) -> Self {
        Self { origin, levels, sequence: 0, minutes: BTreeMap::new(), slow: None }
    }

    /// Adds what was measured. Returns it by the batches that it went to, each under its batch's key: all of a key added
    /// up are the batch.
    pub(super) fn add(&mut self, minutes: &Minutes, now: WallTime) -> Vec<Batch> {
        let mut parts: Vec<Batch> = minutes.spans.iter().map(|span| self.add_span(span, now)).collect();
        if !minutes.slow.is_empty() {
            if self.slow.is_none() {
                self.slow = Some(Sum::new(self.begin(now)));
            }
            if let Some(sum) = &mut self.slow {
                let mut part = sum.so_far().sibling();
                minutes.slow.iter().for_each(|noted| part.add_slow(noted, &self.levels));
                sum.add(part.clone());
                parts.push(part);
            }
        }
        parts
    }

    fn add_span(&mut self, span: &Span, now: WallTime) -> Batch {
        if !self.minutes.contains_key(&span.from()) {
            let sum = Sum::new(self.begin(now));
            self.minutes.insert(span.from(), Minute { until: span.to(), told: Told::default(), sum });
        }
        let Some(minute) = self.minutes.get_mut(&span.from()) else { return self.begin(now) };
        minute.until = minute.until.max(span.to());
        let mut part = minute.sum.so_far().sibling();
        part.add_span(span, &mut minute.told);
        minute.sum.add(part.clone());
        part
    }

    /// A new batch.
    pub(super) fn begin(&mut self, now: WallTime) -> Batch {
        self.sequence += 1;
        Batch::empty(&self.origin, self.sequence, now)
    }

    /// Batches that are complete at `now`: minutes that don't hold it, and slow executions so far.
    pub(super) fn close(&mut self, now: WallTime) -> Vec<Batch> {
        let over = |from: &WallTime, minute: &Minute| !(*from <= now && now < minute.until);
        let (over, growing) =
            std::mem::take(&mut self.minutes).into_iter().partition(|(from, minute)| over(from, minute));
        self.minutes = growing;
        self.finish(over)
    }

    /// All that there is: nothing more will come.
    pub(super) fn close_all(&mut self) -> Vec<Batch> {
        let all = std::mem::take(&mut self.minutes);
        self.finish(all)
    }

    fn finish(&mut self, minutes: BTreeMap<WallTime, Minute>) -> Vec<Batch> {
        let sums = minutes.into_values().map(|minute| minute.sum).chain(self.slow.take());
        let mut batches: Vec<Batch> = sums.map(Sum::finish).collect();
        batches.sort_by_key(|batch| batch.sequence);
        batches
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.slow.is_none()
    }

    /// The end of the oldest minute.
    pub(super) fn oldest(&self) -> Option<WallTime> {
        self.minutes.values().map(|minute| minute.until).min()
    }

    /// Rows of the tables that grow.
    pub(super) fn rows(&self) -> usize {
        self.minutes.values().map(|minute| &minute.sum).chain(&self.slow).map(|sum| sum.so_far().rows()).sum()
    }
}

#[cfg(test)]
#[path = "tests/open.rs"]
mod tests;
