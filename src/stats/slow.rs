//! Executions that are kept one by one: at or above the threshold, bounded per worker, statement and process.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::live::SlowExecution;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::observation::{Observation, Outcome};
use crate::sql::hash::QueryHash;

/// Executions that a worker keeps between two harvests, and those of one statement among them.
const PER_HARVEST: usize = 64;
const PER_HARVEST_AND_STATEMENT: usize = 16;

/// Executions that the process keeps, the bytes that they may take, and those of one statement in a minute.
const RING: usize = 1_000;
const RING_BYTES: usize = 4 << 20;
const PER_MINUTE_AND_STATEMENT: u32 = 60;

/// A worker's slow executions since the last harvest.
#[derive(Debug, Default)]
pub(super) struct SlowSieve {
    kept: Vec<(Stamp, SlowExecution)>,
}

impl SlowSieve {
    /// Takes an execution whose time was `span`; false when there is no room for it.
    #[cold]
    pub(super) fn keep(&mut self, observation: Observation, span: Nanos, statements: u32) -> bool {
        let same = self.kept.iter().filter(|(_, kept)| kept.query.hash == observation.query.hash).count();
        if self.kept.len() >= PER_HARVEST || same >= PER_HARVEST_AND_STATEMENT {
            return false;
        }
        let completed = observation.start + span;
        let error = match observation.outcome {
            Outcome::Failed(code) => Some(code),
            Outcome::Completed | Outcome::Aborted => None,
        };
        let execution = SlowExecution {
            at: WallTime::default(),
            tags: observation.tags().cloned(),
            trace: observation.trace(),
            query: observation.query,
            identity: observation.identity,
            duration: span,
            statements,
            first_row: observation.first_row,
            client_stall: observation.client_stall,
            rows: observation.rows,
            error,
        };
        self.kept.push((completed, execution));
        true
    }

    /// What was kept, with wall times; `at` and `now` are one moment on both clocks.
    pub(super) fn harvest(&mut self, at: WallTime, now: Stamp) -> Vec<SlowExecution> {
        let on_the_wall = |(completed, execution): (Stamp, SlowExecution)| SlowExecution {
            at: at.before(now.since(completed)),
            ..execution
        };
        self.kept.drain(..).map(on_the_wall).collect()
    }
}

/// The newest slow executions of the process.
#[derive(Clone, Debug, Default)]
pub(super) struct SlowRing {
    kept: VecDeque<Arc<SlowExecution>>,
    bytes: usize,
    minute: WallTime,
    in_minute: FxHashMap<QueryHash, u32>,
}

impl SlowRing {
    /// Takes one, and says how many of the oldest made room; `None` when its statement has filled its share of this
    /// minute.
    pub(super) fn push(&mut self, execution: Arc<SlowExecution>) -> Option<u64> {
        let minute = execution.at.minute();
        if minute > self.minute {
            self.minute = minute;
            self.in_minute.clear();
        }
        let seen = self.in_minute.entry(execution.query.hash).or_default();
        *seen += 1;
        if *seen > PER_MINUTE_AND_STATEMENT {
            return None;
        }
        self.bytes += cost(&execution);
        self.kept.push_back(execution);
        let mut gone = 0;
        while self.kept.len() > RING || self.bytes > RING_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= cost(&oldest);
            gone += 1;
        }
        Some(gone)
    }

    /// In the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SlowExecution> {
        self.kept.iter().map(|execution| &**execution)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + self.in_minute.capacity() * size_of::<(QueryHash, u32)>()
    }
}

/// Its text counts each time: whether others hold it too isn't known here.
fn cost(execution: &SlowExecution) -> usize {
    let tags = execution.tags.as_ref().map_or(0, |tags| tags.pairs.iter().map(|(k, v)| 64 + k.len() + v.len()).sum());
    size_of::<SlowExecution>() + 32 + execution.query.text.len() + tags
}

#[cfg(test)]
#[path = "tests/slow.rs"]
mod tests;
