//! Explicit transactions and time spent idle in them (PROTOCOL §6).

use std::sync::Arc;

use crate::base::units::Stamp;
use crate::session::identity::Identity;
use crate::session::observation::{Event, OpenTransaction, Transaction};
use crate::sql::query::Query;
use crate::sql::statement::Effect;
use crate::wire::backend::TransactionStatus;

/// A session's explicit transactions.
///
/// `None` → open at BEGIN, START TRANSACTION, or a ReadyForQuery `T`/`E` that nothing explains; open → `None` at
/// COMMIT, ROLLBACK, PREPARE TRANSACTION, or ReadyForQuery `I`; open → open anew at AND CHAIN.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: Option<Open>,
    last: Option<Arc<Query>>,
    last_start: Stamp,
    idle_since: Option<Stamp>,
}

#[derive(Debug)]
struct Open {
    start: Stamp,
    statements: u64,
}

/// What a command tag does to the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Commit,
    Rollback,
}

/// What a call that completed with this tag does to the transaction.
#[inline]
pub(super) fn step(tag: &[u8], effect: &Effect) -> Option<Step> {
    match tag {
        b"BEGIN" | b"START TRANSACTION" => Some(Step::Begin),
        b"COMMIT" | b"PREPARE TRANSACTION" => Some(Step::Commit),
        b"ROLLBACK" if !matches!(effect, Effect::RollbackTo) => Some(Step::Rollback),
        _ => None,
    }
}

impl Step {
    /// Whether it ends the transaction.
    #[inline]
    pub(super) fn ends(self) -> bool {
        matches!(self, Step::Commit | Step::Rollback)
    }
}

/// A call that ended, as far as transactions care.
#[derive(Clone, Copy)]
pub(super) struct Ended<'a> {
    /// `None` when it failed, too.
    pub(super) step: Option<Step>,
    pub(super) effect: &'a Effect,
    pub(super) query: &'a Arc<Query>,
    pub(super) start: Stamp,
}

impl Transactions {
    /// Of a session of which nothing is known before `now`.
    pub(super) fn seen_from(now: Stamp) -> Self {
        Self { last_start: now, ..Self::default() }
    }

    /// A call ended at `now`. Returns the transaction that it ended.
    #[inline]
    pub(super) fn ended(&mut self, call: Ended<'_>, now: Stamp, identity: &Arc<Identity>) -> Option<Event> {
        self.last_start = call.start;
        if !self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, call.query)) {
            self.last = Some(Arc::clone(call.query));
        }
        if call.step == Some(Step::Begin) && self.open.is_none() {
            self.open = Some(Open { start: call.start, statements: 0 });
        }
        self.counted();
        if !call.step.is_some_and(Step::ends) {
            return None;
        }
        let event = self.end(call.step == Some(Step::Commit), now, identity);
        if matches!(call.effect, Effect::Chain) {
            self.open = Some(Open { start: now, statements: 0 });
        }
        event
    }

    /// A call ended that says nothing about the transaction.
    pub(super) fn counted(&mut self) {
        if let Some(open) = &mut self.open {
            open.statements += 1;
        }
    }

    fn end(&mut self, committed: bool, now: Stamp, identity: &Arc<Identity>) -> Option<Event> {
        let open = self.open.take()?;
        Some(Event::Transaction(Transaction {
            identity: Arc::clone(identity),
            duration: now.since(open.start),
            statements: open.statements,
            committed,
        }))
    }

    /// ReadyForQuery was read at `now`; `quiescent` when nothing is owed behind it.
    #[inline]
    pub(super) fn ready(
        &mut self,
        status: TransactionStatus,
        quiescent: bool,
        now: Stamp,
        identity: &Arc<Identity>,
    ) -> Option<Event> {
        if status == TransactionStatus::Idle {
            self.idle_since = None;
            return self.end(false, now, identity);
        }
        if self.open.is_none() {
            self.open = Some(Open { start: self.last_start, statements: 1 });
        }
        self.idle_since = quiescent.then_some(now);
        None
    }

    /// The client went on, or the session ended, at `now`.
    #[inline]
    pub(super) fn resumed(&mut self, now: Stamp, identity: &Arc<Identity>) -> Option<Event> {
        let since = self.idle_since.take()?;
        let after = Arc::clone(self.last.as_ref()?);
        Some(Event::IdleInTransaction { after, identity: Arc::clone(identity), span: now.since(since) })
    }

    /// The session ended at `now`: the server rolls back.
    pub(super) fn lost(&mut self, now: Stamp, identity: &Arc<Identity>) -> Option<Event> {
        self.end(false, now, identity)
    }

    /// The transaction that is open.
    pub(super) fn open(&self, identity: &Arc<Identity>) -> Option<OpenTransaction> {
        let open = self.open.as_ref()?;
        Some(OpenTransaction {
            start: open.start,
            idle_since: self.idle_since,
            statements: open.statements,
            last_query: self.last.clone(),
            identity: Arc::clone(identity),
        })
    }
}
