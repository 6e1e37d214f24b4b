//! What is kept of one series over one span of time.

use super::histogram::Histogram;
use super::level::Level;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::Nanos;
use crate::session::identity::Identity;
use crate::session::observation::{Observation, Outcome};
use crate::sql::hash::QueryHash;
use crate::sql::query::Query;

/// What tells one series from another: the statement, and [`Identity::key`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SeriesKey(pub QueryHash, pub u64);

impl SeriesKey {
    /// The key of the executions of `query` by `identity`.
    pub fn of(query: &Query, identity: &Identity) -> Self {
        Self(query.hash, identity.key())
    }
}

/// Counters, sums and durations of the executions of one series (DESIGN §4). Everything adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesStats {
    /// Executions, errors and aborted ones included.
    pub calls: u64,
    /// Those that ended with an error.
    pub errors: u64,
    /// Those during which the connection was lost.
    pub aborted: u64,
    /// Those that shared their span with others.
    pub batched: u64,
    /// Rows by command tag.
    pub rows: u64,
    /// Bytes of the client's messages.
    pub bytes_in: u64,
    /// Bytes of the server's answers.
    pub bytes_out: u64,
    /// Sum of durations.
    pub total: Nanos,
    /// Sum of times to the first row.
    pub first_row: Nanos,
    /// Executions that had a row.
    pub first_row_calls: u64,
    /// Sum of the estimates of waiting for the client.
    pub client_stall: Nanos,
    /// Shortest execution; meaningless without calls.
    pub min: Nanos,
    /// Longest execution, exact.
    pub max: Nanos,
    /// Executions by level: good, warning, alert, critical.
    pub levels: [u64; 4],
    /// ParseComplete answers.
    pub prepares: u64,
    /// Sum of Parse round trips, where they can be told.
    pub prepare_time: Nanos,
    /// Time that sessions sat idle in a transaction after it.
    pub idle_after: Nanos,
    /// How often they did.
    pub idle_after_times: u64,
    /// Durations.
    pub durations: Histogram,
    /// Errors by SQLSTATE.
    pub codes: Codes,
}

impl SeriesStats {
    /// Counts one execution at `level`.
    #[inline]
    pub fn record(&mut self, observation: &Observation, level: Level) {
        let duration = observation.duration;
        self.min = if self.calls == 0 { duration } else { self.min.min(duration) };
        self.max = self.max.max(duration);
        self.calls += 1;
        self.total += duration;
        self.batched += u64::from(observation.batch.is_some());
        self.rows += observation.rows;
        self.bytes_in += observation.bytes_in;
        self.bytes_out += observation.bytes_out;
        self.client_stall += observation.client_stall;
        if let Some(first_row) = observation.first_row {
            self.first_row += first_row;
            self.first_row_calls += 1;
        }
        if let Some(count) = self.levels.get_mut(level as usize) {
            *count += 1;
        }
        match observation.outcome {
            Outcome::Completed => {}
            Outcome::Failed(code) => {
                self.errors += 1;
                self.codes.add(code, 1);
            }
            Outcome::Aborted => self.aborted += 1,
        }
        self.durations.record(duration);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &SeriesStats) {
        if other.calls > 0 {
            self.min = if self.calls == 0 { other.min } else { self.min.min(other.min) };
        }
        self.max = self.max.max(other.max);
        self.calls += other.calls;
        self.errors += other.errors;
        self.aborted += other.aborted;
        self.batched += other.batched;
        self.rows += other.rows;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.total += other.total;
        self.first_row += other.first_row;
        self.first_row_calls += other.first_row_calls;
        self.client_stall += other.client_stall;
        self.prepares += other.prepares;
        self.prepare_time += other.prepare_time;
        self.idle_after += other.idle_after;
        self.idle_after_times += other.idle_after_times;
        self.levels.iter_mut().zip(other.levels).for_each(|(here, there)| *here += there);
        self.durations.merge(&other.durations);
        self.codes.merge(&other.codes);
    }

    /// Nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.calls == 0 && self.prepares == 0 && self.idle_after_times == 0
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        let mut durations = std::mem::take(&mut self.durations);
        let mut codes = std::mem::take(&mut self.codes);
        durations.clear();
        codes.0.clear();
        *self = Self { durations, codes, ..Self::default() };
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.durations.heap_bytes() + self.codes.0.capacity() * size_of::<(Sqlstate, u64)>()
    }
}

/// Errors by SQLSTATE, at most [`Codes::MAX`] of them; further codes count under [`Sqlstate::OTHER`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(Vec<(Sqlstate, u64)>);

impl Codes {
    /// Distinct codes of one series.
    pub const MAX: usize = 32;

    /// Counts `count` errors.
    pub fn add(&mut self, code: Sqlstate, count: u64) {
        match self.0.binary_search_by_key(&code, |(code, _)| *code) {
            Ok(at) => {
                if let Some((_, so_far)) = self.0.get_mut(at) {
                    *so_far += count;
                }
            }
            // One place stays free for OTHER.
            Err(at) if self.0.len() < Self::MAX - 1 || code == Sqlstate::OTHER => self.0.insert(at, (code, count)),
            Err(_) => self.add(Sqlstate::OTHER, count),
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Codes) {
        other.iter().for_each(|(code, count)| self.add(code, count));
    }

    /// Code and count, by code.
    pub fn iter(&self) -> impl Iterator<Item = (Sqlstate, u64)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
#[path = "tests/series.rs"]
mod tests;
