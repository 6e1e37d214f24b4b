//! Figures of sessions rather than statements: start-ups, transactions, idle time, overhead (DESIGN §4, PROTOCOL §6).

use crate::base::sqlstate::Sqlstate;
use crate::base::units::Nanos;
use crate::session::observation::Transaction;
use crate::stats::histogram::Histogram;

/// All sessions together over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionStats {
    /// Sessions that reached ReadyForQuery.
    pub opened: u64,
    /// Start-ups that failed, by SQLSTATE (`None`: without an answer); at most 100 codes, then [`Sqlstate::OTHER`].
    pub failed: Vec<(Option<Sqlstate>, u64)>,
    /// Sessions that an error ended, by SQLSTATE; at most 100 codes, then [`Sqlstate::OTHER`].
    pub ended: Vec<(Sqlstate, u64)>,
    /// Sessions that ended without an error.
    pub closed: u64,
    /// Durations of start-ups.
    pub startup: Histogram,
    /// Sum of their durations.
    pub startup_time: Nanos,
    /// Durations of committed explicit transactions.
    pub committed: Histogram,
    /// Durations of rolled-back ones.
    pub rolled_back: Histogram,
    /// Sum of the durations of committed ones.
    pub committed_time: Nanos,
    /// Sum of the durations of rolled-back ones.
    pub rolled_back_time: Nanos,
    /// Sum of the durations of both.
    pub transaction_time: Nanos,
    /// Statements completed in explicit transactions.
    pub transaction_statements: u64,
    /// Time idle in transactions.
    pub idle_in_transaction: Nanos,
    /// Bytes that belong to connections, not statements.
    pub overhead_in: u64,
    /// As above, from the server.
    pub overhead_out: u64,
    /// Durations from reads to the writes of what they brought; of a sample.
    pub forwarding: Histogram,
    /// Sum of them.
    pub forwarding_time: Nanos,
    /// Errors that belong to no call.
    pub protocol_errors: u64,
    /// ReadyForQuery with too few or too many completions before it.
    pub mismatches: u64,
}

/// Labels that others choose are capped: failed log-ins must not mint series (FIELD (c)).
const CODES_MAX: usize = 100;

impl SessionStats {
    /// A session stands.
    pub fn started(&mut self, startup: Nanos) {
        self.opened += 1;
        self.startup.record(startup);
        self.startup_time += startup;
    }

    /// A start-up failed.
    pub fn startup_failed(&mut self, code: Option<Sqlstate>) {
        count(&mut self.failed, code, Some(Sqlstate::OTHER), 1);
    }

    /// Bytes that were read were written `span` later.
    pub fn forwarded(&mut self, span: Nanos) {
        self.forwarding.record(span);
        self.forwarding_time += span;
    }

    /// A session ended.
    pub fn session_ended(&mut self, code: Option<Sqlstate>) {
        match code {
            Some(code) => count(&mut self.ended, code, Sqlstate::OTHER, 1),
            None => self.closed += 1,
        }
    }

    /// An explicit transaction ended.
    pub fn transaction(&mut self, transaction: &Transaction) {
        let duration = transaction.duration;
        let (histogram, time) = if transaction.committed {
            (&mut self.committed, &mut self.committed_time)
        } else {
            (&mut self.rolled_back, &mut self.rolled_back_time)
        };
        histogram.record(duration);
        *time += duration;
        self.transaction_time += duration;
        self.transaction_statements += transaction.statements;
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &SessionStats) {
        self.opened += other.opened;
        other.failed.iter().for_each(|(code, n)| count(&mut self.failed, *code, Some(Sqlstate::OTHER), *n));
        other.ended.iter().for_each(|(code, n)| count(&mut self.ended, *code, Sqlstate::OTHER, *n));
        self.closed += other.closed;
        self.startup.merge(&other.startup);
        self.startup_time += other.startup_time;
        self.committed.merge(&other.committed);
        self.rolled_back.merge(&other.rolled_back);
        self.committed_time += other.committed_time;
        self.rolled_back_time += other.rolled_back_time;
        self.transaction_time += other.transaction_time;
        self.transaction_statements += other.transaction_statements;
        self.idle_in_transaction += other.idle_in_transaction;
        self.overhead_in += other.overhead_in;
        self.overhead_out += other.overhead_out;
        self.forwarding.merge(&other.forwarding);
        self.forwarding_time += other.forwarding_time;
        self.protocol_errors += other.protocol_errors;
        self.mismatches += other.mismatches;
    }

    /// Something happened to a session: more than bytes going by.
    pub fn is_eventful(&self) -> bool {
        self.opened + self.closed + self.protocol_errors + self.mismatches > 0
            || !(self.failed.is_empty() && self.ended.is_empty())
            || !(self.committed.is_empty() && self.rolled_back.is_empty())
            || self.idle_in_transaction > Nanos::ZERO
    }

    /// Forgets everything and keeps the memory of what comes with each transaction.
    pub fn clear(&mut self) {
        let Self { startup, committed, rolled_back, forwarding, .. } = self;
        let [startup, committed, rolled_back, forwarding] =
            [startup, committed, rolled_back, forwarding].map(|histogram| {
                histogram.clear();
                std::mem::take(histogram)
            });
        *self = Self { startup, committed, rolled_back, forwarding, ..Self::default() };
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let histograms = [&self.startup, &self.committed, &self.rolled_back, &self.forwarding];
        histograms.map(Histogram::heap_bytes).iter().sum::<usize>()
            + self.failed.capacity() * size_of::<(Option<Sqlstate>, u64)>()
            + self.ended.capacity() * size_of::<(Sqlstate, u64)>()
    }
}

fn count<T: PartialEq>(counts: &mut Vec<(T, u64)>, label: T, rest: T, n: u64) {
    let full = counts.len() >= CODES_MAX;
    let at = counts.iter().position(|(known, _)| *known == label);
    match at.or_else(|| full.then(|| counts.iter().position(|(known, _)| *known == rest)).flatten()) {
        Some(at) => {
            if let Some((_, so_far)) = counts.get_mut(at) {
                *so_far += n;
            }
        }
        None => counts.push((if full { rest } else { label }, n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::support::code;

    #[test]
    fn failed_log_ins_do_not_mint_labels() {
        let mut stats = SessionStats::default();
        stats.startup_failed(None);
        (0..500).for_each(|n| stats.startup_failed(Some(code(n))));
        stats.startup_failed(None);
        assert_eq!(stats.failed.len(), 101);
        assert_eq!(stats.failed.first(), Some(&(None, 2)), "no answer is not what did not fit");
        assert_eq!(stats.failed.last(), Some(&(Some(Sqlstate::OTHER), 401)));
        let mut twice = stats.clone();
        twice.merge(&stats);
        assert_eq!(twice.failed.iter().map(|(_, n)| n).sum::<u64>(), 1_004);
        assert_eq!(twice.failed.len(), 101);
    }
}
