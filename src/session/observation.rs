//! What a session tells: one event per execution, and what else DESIGN §4 keeps. Definitions: PROTOCOL.md §3–§6.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::identity::Identity;
use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::{Discarded, Unmeasured};
use crate::base::units::{Nanos, Stamp};
use crate::sql::query::Query;
use crate::sql::statement::{Details, Tags, Trace};

/// Takes what a session tells. Called while bytes are looked at, so it must be quick and must not fail.
pub trait Observer {
    /// One event, in the order in which the server's answers arrived.
    fn observe(&mut self, event: Event);
}

/// Anything that a session tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// One execution of one statement has ended.
    Statement(Observation),
    /// ParseComplete arrived.
    Prepared {
        /// The statement that was parsed.
        query: Arc<Query>,
        /// Whose it is.
        identity: Arc<Identity>,
        /// The round trip, where Sync or Flush followed Parse with no Execute between.
        time: Option<Nanos>,
    },
    /// An explicit transaction has ended.
    Transaction(Transaction),
    /// A session sat idle in a transaction.
    IdleInTransaction {
        /// The last statement that completed before.
        after: Arc<Query>,
        /// Whose it is.
        identity: Arc<Identity>,
        /// How long.
        span: Nanos,
    },
    /// The first ReadyForQuery: the session stands.
    Started {
        /// Whose it is.
        identity: Arc<Identity>,
        /// From accept to ReadyForQuery.
        startup: Nanos,
    },
    /// The server refused the start-up, or the connection ended before ReadyForQuery.
    StartupFailed(Option<Sqlstate>),
    /// A session that had started has ended; the code when the server ended it by an error.
    Ended(Option<Sqlstate>),
    /// Bytes that belong to the connection and to no statement (PROTOCOL §5).
    Overhead {
        /// From the client.
        bytes_in: u64,
        /// From the server.
        bytes_out: u64,
    },
    /// Statements that the client sent and the server never ran.
    Discarded(Discarded, u64),
    /// So many statements were owed when the session became opaque: they run, and are not told.
    Lost(u64),
    /// An error that belongs to no call.
    ProtocolError,
    /// Too few or too many completions up to a ReadyForQuery.
    Mismatch,
    /// From here on, or this once, bytes are forwarded and not measured.
    Unmeasured(Unmeasured),
}

/// One execution of one statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
    /// The statement.
    pub query: Arc<Query>,
    /// Whose it is, at its start.
    pub identity: Arc<Identity>,
    /// When it started (PROTOCOL §5).
    pub start: Stamp,
    /// From start to completion: summed over a portal's fetches, a share of the span when batched.
    pub duration: Nanos,
    /// Statements whose completions came in one read share their span.
    pub batch: Option<Batch>,
    /// From start to the first row; `None` without rows.
    pub first_row: Option<Nanos>,
    /// Estimate of the part in which the client was waited for.
    pub client_stall: Nanos,
    /// Rows by command tag, or DataRows of suspended fetches.
    pub rows: u64,
    /// Bytes of the client's messages.
    pub bytes_in: u64,
    /// Bytes of the server's answers.
    pub bytes_out: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Its comments, among what else few statements have.
    pub details: Option<Arc<Details>>,
}

impl Observation {
    /// Comments that describe this execution.
    #[inline]
    pub fn tags(&self) -> Option<&Arc<Tags>> {
        self.details.as_ref()?.tags.as_ref()
    }

    /// Trace context of this execution.
    pub fn trace(&self) -> Option<Trace> {
        self.details.as_ref()?.trace
    }
}

/// A group of completions that arrived in one read and can't be told apart in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// How many statements share the span, two or more.
    pub statements: NonZeroU32,
    /// The whole span; the slow threshold is tested on it.
    pub span: Nanos,
    /// True for one of them: the one under which the span is reported.
    pub leader: bool,
}

/// How an execution ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Completed without error.
    Completed,
    /// Ended by an error.
    Failed(Sqlstate),
    /// The connection was lost while it was incomplete.
    Aborted,
}

/// An explicit transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Transaction {
    /// Whose it was, at its end.
    pub identity: Arc<Identity>,
    /// From the start of BEGIN to its end.
    pub duration: Nanos,
    /// Statements completed in it, BEGIN and COMMIT included.
    pub statements: u64,
    /// True when the server's tag said COMMIT or PREPARE TRANSACTION.
    pub committed: bool,
}

/// What a statement in flight is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlightState {
    /// No row yet.
    Running,
    /// Rows are arriving.
    Fetching,
    /// pgvitals holds bytes that the client does not take, or the server waits for the client's COPY data.
    WaitingForClient,
}

/// The statement that the server is working on.
#[derive(Clone, PartialEq, Debug)]
pub struct InFlight {
    /// The statement.
    pub query: Arc<Query>,
    /// Whose it is.
    pub identity: Arc<Identity>,
    /// When it started (PROTOCOL §5).
    pub start: Stamp,
    /// What it is doing.
    pub state: FlightState,
    /// To its first row, where one has come.
    pub first_row: Option<Nanos>,
    /// Its comments, among what else few statements have.
    pub details: Option<Arc<Details>>,
}

/// An explicit transaction that is open.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenTransaction {
    /// Start of its BEGIN.
    pub start: Stamp,
    /// Idle since then; `None` while a statement runs.
    pub idle_since: Option<Stamp>,
    /// Statements completed in it.
    pub statements: u64,
    /// The last statement that completed in it.
    pub last_query: Option<Arc<Query>>,
    /// Whose it is.
    pub identity: Arc<Identity>,
}
