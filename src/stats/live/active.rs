//! What is in flight on all workers, as each last said.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::answer::{ActiveStatement, ActiveTransaction};

/// Statements, transactions and sessions in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    workers: BTreeMap<usize, Said>,
    /// Of all workers, oldest first.
    pub(super) statements: Vec<ActiveStatement>,
    /// Of all workers, oldest first.
    pub(super) transactions: Vec<ActiveTransaction>,
    /// Of all workers.
    pub(super) open_sessions: u64,
}

#[derive(Clone, Debug, Default)]
struct Said {
    statements: Vec<ActiveStatement>,
    transactions: Vec<ActiveTransaction>,
    open_sessions: u64,
}

impl Active {
    /// Replaces what `worker` said before.
    pub(super) fn replace(
        &mut self,
        worker: usize,
        statements: Vec<ActiveStatement>,
        transactions: Vec<ActiveTransaction>,
        open_sessions: u64,
    ) {
        self.workers.insert(worker, Said { statements, transactions, open_sessions });
        self.statements = self.workers.values().flat_map(|said| said.statements.iter().cloned()).collect();
        self.statements.sort_by_key(|statement| Reverse(statement.age));
        self.transactions = self.workers.values().flat_map(|said| said.transactions.iter().cloned()).collect();
        self.transactions.sort_by_key(|transaction| Reverse(transaction.age));
        self.open_sessions = self.workers.values().map(|said| said.open_sessions).sum();
    }
}
