//! Portals: what Bind and DECLARE made, and what a row-limited Execute left unfinished.

use std::sync::Arc;

use crate::base::units::{Nanos, Stamp};
use crate::session::identity::Identity;
use crate::sql::statement::{Effect, Statement};

/// A portal's life: `Ready` → `Suspended` (any number of times) → `Done`, or `Ready` → `Done`.
#[derive(Debug)]
pub(super) enum Portal {
    /// Bound, not executed.
    Ready(Statement),
    /// Executed up to a row limit: a call that has not completed.
    Suspended(Box<Suspended>),
    /// Executed to its end; executing it again is no call.
    Done,
}

impl Portal {
    /// The statement, unless the portal is over.
    pub(super) fn statement(&self) -> Option<&Statement> {
        match self {
            Portal::Ready(statement) => Some(statement),
            Portal::Suspended(suspended) => Some(&suspended.statement),
            Portal::Done => None,
        }
    }

    /// Whether it outlives the transaction that made it.
    pub(super) fn is_held(&self) -> bool {
        self.statement().is_some_and(|statement| matches!(statement.effect(), Effect::Held))
    }
}

/// A call between two fetches.
#[derive(Debug)]
pub(super) struct Suspended {
    pub(super) statement: Statement,
    pub(super) call: Call,
}

/// One execution, as far as it is known.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) start: Stamp,
    pub(super) identity: Arc<Identity>,
    pub(super) duration: Nanos,
    pub(super) first_row: Option<Nanos>,
    pub(super) client_stall: Nanos,
    pub(super) rows: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}
