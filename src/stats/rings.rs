//! The newest executions that the process keeps one by one, a ring for each reason: samples can't push slow ones out.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::live::{Reason, SlowExecution};
use crate::base::units::WallTime;
use crate::sql::hash::QueryHash;

/// Executions that a ring keeps, and the bytes that they may take.
const RING: usize = 1_000;
const RING_BYTES: usize = 4 << 20;
/// The same of failed ones, and of those that chance took.
const SMALL_RING: usize = 500;
const SMALL_RING_BYTES: usize = 1 << 20;

/// Those of one statement and reason in a minute. What chance took is not limited so: it was asked for.
const PER_MINUTE_AND_STATEMENT: u32 = 60;

/// Single executions in memory.
#[derive(Clone, Debug)]
pub(super) struct Rings {
    slow: Ring,
    failed: Ring,
    sampled: Ring,
    minute: WallTime,
    in_minute: FxHashMap<(QueryHash, Reason), u32>,
}

impl Default for Rings {
    fn default() -> Self {
        Self {
            slow: Ring::new(RING, RING_BYTES),
            failed: Ring::new(SMALL_RING, SMALL_RING_BYTES),
            sampled: Ring::new(SMALL_RING, SMALL_RING_BYTES),
            minute: WallTime::default(),
            in_minute: FxHashMap::default(),
        }
    }
}

impl Rings {
    /// Takes one, and says how many of the oldest slow ones made room; `None` when its statement has filled its share of
    /// this minute.
    pub(super) fn push(&mut self, execution: Arc<SlowExecution>) -> Option<u64> {
        let minute = execution.at.minute();
        if minute > self.minute {
            self.minute = minute;
            self.in_minute.clear();
        }
        let reason = execution.reason;
        if reason != Reason::Sampled {
            let seen = self.in_minute.entry((execution.query.hash, reason)).or_default();
            *seen += 1;
            if *seen > PER_MINUTE_AND_STATEMENT {
                return None;
            }
        }
        Some(match reason {
            Reason::Slow | Reason::Running => self.slow.push(execution),
            Reason::Error => {
                self.failed.push(execution);
                0
            }
            Reason::Sampled => {
                self.sampled.push(execution);
                0
            }
        })
    }

    /// Follows a clock that was set back to `now`: the minute that it showed before is over.
    pub(super) fn set_back(&mut self, now: WallTime) {
        self.minute = now.minute();
        self.in_minute.clear();
    }

    /// Those of a reason in the order in which they came, one reason after the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SlowExecution> {
        let rings = [&self.slow, &self.failed, &self.sampled];
        rings.into_iter().flat_map(|ring| ring.kept.iter().map(|execution| &**execution))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let kept = self.slow.bytes + self.failed.bytes + self.sampled.bytes;
        kept + self.in_minute.capacity() * size_of::<((QueryHash, Reason), u32)>()
    }
}

#[derive(Clone, Debug)]
struct Ring {
    kept: VecDeque<Arc<SlowExecution>>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Ring {
    fn new(most: usize, most_bytes: usize) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, most, most_bytes }
    }

    /// How many of the oldest made room.
    fn push(&mut self, execution: Arc<SlowExecution>) -> u64 {
        self.bytes += cost(&execution);
        self.kept.push_back(execution);
        let mut gone = 0;
        while self.kept.len() > self.most || self.bytes > self.most_bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= cost(&oldest);
            gone += 1;
        }
        gone
    }
}

/// Its text counts each time: whether others hold it too isn't known here.
fn cost(execution: &SlowExecution) -> usize {
    let tags = execution.tags.as_ref().map_or(0, |tags| tags.pairs.iter().map(|(k, v)| 64 + k.len() + v.len()).sum());
    let parameters = execution.parameters.as_ref().map_or(0, |json| json.len());
    size_of::<SlowExecution>() + 32 + execution.query.text.len() + tags + parameters
}

#[cfg(test)]
#[path = "tests/rings.rs"]
mod tests;
