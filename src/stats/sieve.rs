//! Executions that a worker keeps one by one between two harvests: slow ones, failed ones, those that chance took. Bounded
//! for each reason, so that no flood of one hides the others.

use std::sync::Arc;

use super::ceiling::ALLOCATION;
use super::live::{Reason, SlowExecution};
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::observation::{Observation, Outcome};
use crate::session::parameters::json;
use crate::sql::hash::QueryHash;

/// Slow executions that a worker keeps between two harvests, and those of one statement among them; as many failed ones.
const PER_HARVEST: usize = 64;
const PER_HARVEST_AND_STATEMENT: usize = 16;

/// Statements of which it is known how many executions found no room.
const REFUSED_MAX: usize = 256;

/// A worker's single executions since the last harvest.
#[derive(Debug)]
pub(super) struct Sieve {
    slow: Vec<Kept>,
    failed: Vec<Kept>,
    sampled: Vec<Kept>,
    sampled_bytes: usize,
    sampled_most: usize,
    refused: Vec<Refused>,
    /// Bind values are kept with them.
    parameters: bool,
}

/// When it completed, and what is known of it.
type Kept = (Stamp, SlowExecution);

/// Executions of one statement that were not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) hash: QueryHash,
    pub(super) reason: Reason,
    pub(super) count: u64,
}

impl Sieve {
    /// An empty one whose sampled executions take at most so many bytes.
    pub(super) fn new(sampled_most: usize, parameters: bool) -> Self {
        Self {
            slow: Vec::new(),
            failed: Vec::new(),
            sampled: Vec::new(),
            sampled_bytes: 0,
            sampled_most,
            refused: Vec::new(),
            parameters,
        }
    }

    /// Goes on with bind values, or without.
    pub(super) fn tune(&mut self, parameters: bool) {
        self.parameters = parameters;
    }

    /// Takes an execution whose time was `span`; false when there is no room for it.
    #[cold]
    pub(super) fn keep(&mut self, observation: Observation, reason: Reason, span: Nanos, statements: u32) -> bool {
        let hash = observation.query.hash;
        let room = match reason {
            Reason::Sampled => self.sampled_bytes < self.sampled_most,
            Reason::Error => has_room(&self.failed, hash),
            Reason::Slow | Reason::Running => has_room(&self.slow, hash),
        };
        if !room {
            self.refuse(hash, reason);
            return false;
        }
        let wanted = observation.details.as_deref().filter(|_| self.parameters);
        let parameters = wanted.and_then(json).map(Arc::from);
        let completed = observation.start + span;
        let kept = (completed, SlowExecution { parameters, ..execution(observation, reason, span, statements) });
        match reason {
            Reason::Sampled => {
                self.sampled_bytes += own_cost(&kept.1);
                self.sampled.push(kept);
            }
            Reason::Error => self.failed.push(kept),
            Reason::Slow | Reason::Running => self.slow.push(kept),
        }
        true
    }

    fn refuse(&mut self, hash: QueryHash, reason: Reason) {
        let same = |refused: &&mut Refused| refused.hash == hash && refused.reason == reason;
        if let Some(refused) = self.refused.iter_mut().find(same) {
            refused.count += 1;
        } else if self.refused.len() < REFUSED_MAX {
            self.refused.push(Refused { hash, reason, count: 1 });
        }
    }

    /// What was kept, with wall times, and how many were not; `at` and `now` are one moment on both clocks.
    pub(super) fn harvest(&mut self, at: WallTime, now: Stamp) -> (Vec<SlowExecution>, Vec<Refused>) {
        let on_the_wall =
            |(completed, execution): Kept| SlowExecution { at: at.before(now.since(completed)), ..execution };
        self.sampled_bytes = 0;
        let kept = self.slow.drain(..).chain(self.failed.drain(..)).chain(self.sampled.drain(..));
        let kept = kept.map(on_the_wall).collect();
        // A busy second's room is not held for the next one.
        self.sampled.shrink_to(PER_HARVEST);
        (kept, std::mem::take(&mut self.refused))
    }
}

fn has_room(kept: &[Kept], hash: QueryHash) -> bool {
    let same = kept.iter().filter(|(_, execution)| execution.query.hash == hash).count();
    kept.len() < PER_HARVEST && same < PER_HARVEST_AND_STATEMENT
}

fn execution(observation: Observation, reason: Reason, span: Nanos, statements: u32) -> SlowExecution {
    let error = match observation.outcome {
        Outcome::Failed(code) => Some(code),
        Outcome::Completed | Outcome::Aborted => None,
    };
    SlowExecution {
        reason,
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
        parameters: None,
    }
}

/// What it takes beside what it shares with others: its statement's text, tags.
pub(super) fn own_cost(execution: &SlowExecution) -> usize {
    size_of::<Kept>() + 2 * ALLOCATION + execution.parameters.as_ref().map_or(0, |json| json.len())
}

#[cfg(test)]
#[path = "tests/sieve.rs"]
mod tests;
