//! More is owed than is followed: bytes pass unmeasured until the server has caught up.
//!
//! "ReadyForQuery is the resynchronisation point … Only broken framing is permanent." (PROTOCOL §3)

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::key::Key;
use crate::session::observation::Event;
use crate::session::overrun::Overrun;
use crate::session::owed::{Owed, Popped};
use crate::session::track::{CopyIn, Mode, Track};
use crate::session::transaction::Transactions;
use crate::sql::statement::Statement;
use crate::wire::backend::{self, ErrorFields};
use crate::wire::frontend::Target;
use crate::wire::scanner::Piece;
use crate::wire::tag::BackendTag;

impl Track {
    /// The queue is full. What is in it is forgotten; of prepared statements only the names are followed, as if each
    /// Parse and Close succeeded. Where COPY makes it doubtful what the server owes the session is opaque.
    #[cold]
    pub(super) fn overrun(&mut self) {
        let doubtful = |owed: &Owed| matches!(owed, Owed::CopyEnd | Owed::Sync { maybe: true, .. });
        if self.mode != Mode::Measuring || self.copy != CopyIn::None || self.pipeline.iter().any(doubtful) {
            return self.go_opaque(Unmeasured::PipelineFull);
        }
        self.group.say(Event::Unmeasured(Unmeasured::PipelineFull));
        let mut overrun = Overrun::losing(self.untold());
        self.forget_bytes();
        while let Some(Popped { owed, parsed, .. }) = self.pipeline.pop() {
            match owed {
                Owed::Sync { .. } => overrun.synced(),
                _ => overrun.sent(owed.ends_with_ready()),
            }
            self.presume_name(&owed, parsed);
        }
        self.forget_owed();
        (self.mode, self.overrun) = (Mode::Overrun, overrun);
    }

    /// What `owed` does to the names of statements if it succeeds.
    pub(super) fn presume_name(&mut self, owed: &Owed, parsed: Option<Statement>) {
        match (*owed, parsed) {
            (Owed::Parse { name, .. }, Some(statement)) => drop(self.statements.insert(name, statement)),
            (Owed::Close { target: Target::Statement, name }, _) => drop(self.statements.remove(name)),
            (Owed::Query { .. }, _) => drop(self.statements.remove(Key::UNNAMED)),
            _ => {}
        }
    }

    /// The server says something of what is not followed.
    #[cold]
    pub(super) fn server_unseen(&mut self, piece: Piece<'_, BackendTag>, now: Stamp) {
        match piece {
            Piece::Run { tag, bytes, .. } => {
                self.overhead_out += bytes;
                if matches!(tag, BackendTag::CopyInResponse | BackendTag::CopyBothResponse) {
                    self.go_opaque(Unmeasured::PipelineFull);
                }
            }
            Piece::Frame { tag, body, bytes } => {
                self.overhead_out += bytes;
                match tag {
                    BackendTag::ReadyForQuery => self.ready_unseen(body, now),
                    BackendTag::ErrorResponse => self.error_unseen(&ErrorFields::of(body)),
                    BackendTag::ParameterStatus => self.parameter_status(body),
                    _ => {}
                }
            }
            Piece::Begin { bytes, .. } => {
                self.overhead_out += bytes;
                self.error = ErrorFields::default();
            }
            Piece::Chunk(chunk) => self.error.feed(chunk),
            Piece::End => {
                let fields = self.error;
                self.error_unseen(&fields);
            }
        }
    }

    fn error_unseen(&mut self, fields: &ErrorFields) {
        if fields.is_fatal() {
            (self.fatal, self.ended_by) = (true, Some(fields.code()));
        } else if self.overrun.is_doubtful() {
            self.go_opaque(Unmeasured::PipelineFull);
        }
    }

    /// ReadyForQuery: the last that is owed ends the overrun.
    fn ready_unseen(&mut self, body: &[u8], now: Stamp) {
        self.tell_overhead = true;
        if !self.overrun.answered() {
            return;
        }
        let Overrun { lost, .. } = std::mem::take(&mut self.overrun);
        self.lost(lost);
        self.mode = Mode::Measuring;
        (self.status, self.quiet) = (backend::ready(body), true);
        (self.after_ready, self.maybes, self.mismatch) = (true, 0, false);
        self.answers.major(now);
        self.transactions = Transactions::seen_from(now);
        if let Some(event) = self.transactions.ready(self.status, true, now, self.owner.identity()) {
            self.group.say(event);
        }
    }
}
