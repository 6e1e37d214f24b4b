//! [`Track`]: all that a session knows beside its two scanners. Other files of the room add what it does.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::{Discarded, Unmeasured};
use crate::base::units::{Nanos, Stamp};
use crate::session::answers::Answers;
use crate::session::group::Group;
use crate::session::identity::{Identity, Owner, StartupParameters};
use crate::session::names::Names;
use crate::session::observation::{Event, Observer};
use crate::session::overrun::Overrun;
use crate::session::owed::{Owed, Pipeline};
use crate::session::portal::Portal;
use crate::session::stall::Spans;
use crate::session::text::Text;
use crate::session::transaction::Transactions;
use crate::session::{PORTALS_MAX, STATEMENTS_MAX};
use crate::sql::bound::Allowance;
use crate::sql::query::Pseudo;
use crate::sql::statement::{Dialect, Statement};
use crate::wire::backend::{ErrorFields, TransactionStatus};

/// How far a session is followed.
///
/// `Startup` → `Refused` at ErrorResponse; `Startup` → `Measuring` at ReadyForQuery; `Measuring` → `Overrun` when too much
/// is owed, and back at the last ReadyForQuery that is; any → `Opaque`, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// No ReadyForQuery yet.
    Startup,
    /// The server refused.
    Refused,
    /// Statements are told.
    Measuring,
    /// Bytes are counted until the server has caught up.
    Overrun,
    /// Bytes are counted.
    Opaque,
}

/// Where a COPY from the client stands.
///
/// `None` → `Open` at CopyInResponse; `Open` → `Ended` at CopyDone or CopyFail; both → `None` at the COPY's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum CopyIn {
    #[default]
    None,
    /// The server reads CopyData; Sync and Flush owe nothing.
    Open,
    /// The client has sent all.
    Ended,
}

/// The server skips to the next Sync, which the client has not sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skip {
    /// The next Execute belongs to the call whose Parse, Bind or Describe failed.
    pub(super) absorb: bool,
}

/// What is known of the statement that is answered next.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Its start, from its first answer on.
    pub(super) start: Option<Stamp>,
    /// Whose it was at its start, where that changed since.
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) first_row: Option<Nanos>,
    pub(super) data_rows: u64,
    /// CopyData, CopyDone and CopyFail.
    pub(super) bytes_copied: u64,
    /// Statements of the Query that have completed.
    pub(super) piece: usize,
    /// The Query or FunctionCall has failed or is answered; only ReadyForQuery is left.
    pub(super) over: bool,
}

/// The state. Fields are public to the room: its files are chapters of one machine.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) mode: Mode,
    pub(super) started: bool,
    /// The server refused, and that was told.
    pub(super) refused: bool,
    pub(super) replication: bool,
    pub(super) accepted: Stamp,
    pub(super) owner: Owner,
    pub(super) dialect: Dialect,
    pub(super) backend_key: Option<Box<[u8]>>,
    pub(super) status: TransactionStatus,
    /// No client byte since the last ReadyForQuery.
    pub(super) quiet: bool,
    /// How much of bound values may be held; `None` where nobody wants parameters.
    pub(super) allowance: Option<Arc<Allowance>>,
    /// Query or Parse that spans reads.
    pub(super) text: Option<Box<Text>>,
    /// ErrorResponse that spans reads.
    pub(super) error: ErrorFields,
    pub(super) pipeline: Pipeline,
    /// While more is owed than it holds.
    pub(super) overrun: Overrun,
    pub(super) flight: Flight,
    pub(super) statements: Names<Statement>,
    pub(super) portals: Names<Portal>,
    pub(super) answers: Answers,
    pub(super) spans: Spans,
    pub(super) group: Group,
    pub(super) transactions: Transactions,
    pub(super) copy: CopyIn,
    pub(super) skip: Option<Skip>,
    /// Syncs that may still be answered, by a ReadyForQuery that follows the last one at once.
    pub(super) maybes: u32,
    /// The last answer was ReadyForQuery.
    pub(super) after_ready: bool,
    /// Completions did not fit since the last ReadyForQuery.
    pub(super) mismatch: bool,
    /// Bytes of Parse, Bind and Describe since the last Execute.
    pub(super) carried_in: u64,
    /// Bytes of CopyData that went out before CopyInResponse came in.
    pub(super) copied_ahead: u64,
    /// Bytes of the server since the last statement's end.
    pub(super) bytes_out: u64,
    pub(super) overhead_in: u64,
    pub(super) overhead_out: u64,
    /// At the end of this read overhead is told.
    pub(super) tell_overhead: bool,
    /// FATAL was read: nothing that the client sends runs any more.
    pub(super) fatal: bool,
    pub(super) ended_by: Option<Sqlstate>,
    pub(super) closed: bool,
}

impl Track {
    pub(super) fn new(server: Arc<str>, accepted: Stamp, startup: &StartupParameters<'_>) -> Self {
        Self {
            mode: Mode::Startup,
            started: false,
            refused: false,
            replication: startup.replication.is_some_and(is_replication),
            accepted,
            owner: Owner::new(server, startup),
            dialect: Dialect::default(),
            backend_key: None,
            status: TransactionStatus::Idle,
            quiet: false,
            allowance: None,
            text: None,
            error: ErrorFields::default(),
            pipeline: Pipeline::default(),
            overrun: Overrun::default(),
            flight: Flight::default(),
            statements: Names::new(STATEMENTS_MAX),
            portals: Names::new(PORTALS_MAX),
            answers: Answers::default(),
            spans: Spans::default(),
            group: Group::default(),
            transactions: Transactions::default(),
            copy: CopyIn::None,
            skip: None,
            maybes: 0,
            after_ready: false,
            mismatch: false,
            carried_in: 0,
            copied_ahead: 0,
            bytes_out: 0,
            overhead_in: 0,
            overhead_out: 0,
            tell_overhead: false,
            fatal: false,
            ended_by: None,
            closed: false,
        }
    }

    pub(super) fn discard(&mut self, reason: Discarded, statements: u64) {
        if statements > 0 {
            self.group.say(Event::Discarded(reason, statements));
        }
    }

    /// Takes off what is not answered: its bytes are no statement's.
    #[cold]
    pub(super) fn pass(&mut self) -> Option<Owed> {
        let owed = self.pipeline.pop()?.owed;
        self.overhead_in += owed.bytes();
        Some(owed)
    }

    pub(super) fn lost(&mut self, statements: u64) {
        if statements > 0 {
            self.group.say(Event::Lost(statements));
        }
    }

    /// From here on bytes are counted, no more. What was owed or prepared is forgotten.
    #[cold]
    pub(super) fn go_opaque(&mut self, reason: Unmeasured) {
        if self.mode == Mode::Opaque {
            return;
        }
        self.mode = Mode::Opaque;
        self.group.say(Event::Unmeasured(reason));
        self.lost(self.untold());
        self.forget_bytes();
        self.forget_owed();
        self.statements = Names::new(0);
    }

    /// Bytes that would have been charged to what is owed are the connection's.
    pub(super) fn forget_bytes(&mut self) {
        self.overhead_in += std::mem::take(&mut self.carried_in) + std::mem::take(&mut self.copied_ahead);
        self.overhead_in += self.pipeline.bytes();
        self.overhead_out += std::mem::take(&mut self.bytes_out);
    }

    /// Nothing is known any more of what is owed.
    pub(super) fn forget_owed(&mut self) {
        self.pipeline.clear();
        self.overrun = Overrun::default();
        self.flight = Flight::default();
        self.portals = Names::new(PORTALS_MAX);
        self.transactions = Transactions::default();
        (self.copy, self.skip) = (CopyIn::None, None);
    }

    /// The read is over.
    #[inline]
    pub(super) fn settle(&mut self, now: Stamp, out: &mut impl Observer) {
        if self.mode == Mode::Opaque && self.overhead_in + self.overhead_out >= OPAQUE_REPORT {
            self.tell_overhead = true;
        }
        if !self.group.is_empty() {
            self.group.settle(now, &mut self.spans, &mut self.portals, out);
        }
        if std::mem::take(&mut self.tell_overhead) {
            let bytes_in = std::mem::take(&mut self.overhead_in);
            let bytes_out = std::mem::take(&mut self.overhead_out);
            if bytes_in + bytes_out > 0 {
                out.observe(Event::Overhead { bytes_in, bytes_out });
            }
        }
    }
}

/// An opaque session tells its bytes each time that so many have passed.
const OPAQUE_REPORT: u64 = 1 << 20;

/// As the server reads the start-up parameter: a boolean, or `database`, which is replication too.
fn is_replication(value: &[u8]) -> bool {
    !["false", "off", "no", "0"].iter().any(|off| value.eq_ignore_ascii_case(off.as_bytes()))
}

/// A statement that stands for something without a text.
pub(super) fn pseudo(pseudo: Pseudo) -> Statement {
    Statement { query: pseudo.query(), details: None, end_chars: 0 }
}
