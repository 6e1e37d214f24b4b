//! ErrorResponse, what it leaves behind, and the connection's loss.

use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::Discarded;
use crate::base::units::Stamp;
use crate::session::call::Answer;
use crate::session::key::Key;
use crate::session::observation::{Event, Outcome};
use crate::session::owed::{Owed, Popped};
use crate::session::parameters::bind;
use crate::session::portal::Portal;
use crate::session::track::{CopyIn, Mode, Skip, Track, pseudo};
use crate::sql::query::Pseudo;
use crate::sql::statement::{Effect, Statement, Statements};
use crate::wire::backend::ErrorFields;
use crate::wire::frontend::Target;

impl Track {
    #[cold]
    pub(super) fn error_response(&mut self, fields: &ErrorFields, now: Stamp) {
        let code = fields.code();
        match self.mode {
            Mode::Startup => {
                self.mode = Mode::Refused;
                self.refused = true;
                return self.group.say(Event::StartupFailed(Some(code)));
            }
            Mode::Refused | Mode::Overrun | Mode::Opaque => return,
            Mode::Measuring => {}
        }
        let ends_session = matches!(code, Sqlstate::IDLE_SESSION_TIMEOUT | Sqlstate::IDLE_IN_TRANSACTION_TIMEOUT);
        let owed = self.pipeline.iter().any(|owed| !matches!(owed, Owed::CopyEnd | Owed::Sync { maybe: true, .. }));
        if !ends_session && owed {
            self.charge(fields, now);
        } else {
            self.overhead_out += std::mem::take(&mut self.bytes_out);
        }
        if fields.is_fatal() || ends_session {
            self.fatal = true;
            self.lose_owed();
        }
        if self.fatal || !owed {
            self.ended_by = Some(code);
        }
    }

    /// Charges an error to what is answered by it.
    fn charge(&mut self, fields: &ErrorFields, now: Stamp) {
        let failed = Outcome::Failed(fields.code());
        self.answered(|_| true);
        let Some(&front) = self.pipeline.front() else { return };
        match front {
            Owed::Execute { .. } => {
                self.complete(failed, b"", now);
                self.skip(fields.is_fatal(), false);
            }
            Owed::Query { sent, .. } if self.message_is_over() => self.fail_commit(sent, failed, now),
            Owed::Query { .. } => self.fail_query(fields, now),
            Owed::FunctionCall { sent, .. } if self.message_is_over() => self.fail_commit(sent, failed, now),
            Owed::FunctionCall { .. } => self.complete(failed, b"", now),
            Owed::Sync { sent, .. } => self.fail_commit(sent, failed, now),
            Owed::Parse { .. } | Owed::Bind { .. } | Owed::Describe { .. } => {
                self.fail_before_execute(fields.is_fatal(), failed, now);
            }
            Owed::Close { .. } | Owed::CopyEnd => {
                self.pipeline.pop();
                self.group.say(Event::ProtocolError);
                self.skip(fields.is_fatal(), false);
            }
        }
    }

    /// Of the Query or FunctionCall in front only ReadyForQuery is owed.
    pub(super) fn message_is_over(&self) -> bool {
        match self.pipeline.front() {
            Some(Owed::Query { .. }) => {
                self.flight.over || self.flight.piece >= self.pipeline.text().map_or(1, Statements::answers)
            }
            _ => self.flight.over,
        }
    }

    /// An error in a Query. One before the first completion is that of the piece where it stands: the server parses the
    /// whole text first, so no other has run. What EXECUTE runs has a text of its own.
    fn fail_query(&mut self, fields: &ErrorFields, now: Stamp) {
        self.begin();
        if self.flight.piece == 0
            && let Some(text) = self.pipeline.text()
            && let Some(position) = fields.position()
            && (fields.code() == Sqlstate::SYNTAX_ERROR
                || !matches!(text.first().map(Statement::effect), Some(Effect::Execute(_))))
        {
            let piece = text.iter().position(|statement| position <= statement.end_chars);
            let piece = piece.unwrap_or(text.len().saturating_sub(1));
            self.flight.piece = piece;
            self.discard(Discarded::BehindError, piece as u64);
        }
        self.complete(Outcome::Failed(fields.code()), b"", now);
    }

    /// An error where only the end of a transaction was left to do.
    fn fail_commit(&mut self, sent: Stamp, failed: Outcome, now: Stamp) {
        let start = self.answers.start(sent);
        let over = self.message_is_over();
        let call = self.call(start, 0);
        self.flight.over = over;
        let answer = Answer { outcome: failed, tag: b"", portal: None, sent, start, unflushed: None, now };
        self.end_call(pseudo(Pseudo::Commit), call, answer);
    }

    /// Parse, Bind or Describe failed: one failed call of the statement, in the place of the Execute behind it.
    fn fail_before_execute(&mut self, fatal: bool, failed: Outcome, now: Stamp) {
        let Some(Popped { owed, parsed, bound, .. }) = self.pipeline.pop() else { return };
        let (sent, start) = (owed.sent(), self.answers.start(owed.sent()));
        let statement = match owed {
            Owed::Parse { name, .. } => {
                if name == Key::UNNAMED {
                    self.statements.remove(name);
                }
                parsed
            }
            Owed::Bind { statement, .. } => self.statements.get(statement).cloned(),
            Owed::Describe { target: Target::Statement, name, .. } => self.statements.get(name).cloned(),
            Owed::Describe { target: Target::Portal, name, .. } => {
                self.portals.get(name).and_then(|portal| portal.statement().cloned())
            }
            _ => None,
        };
        let mut statement = self.resolve(statement.unwrap_or_else(|| pseudo(Pseudo::Unknown)));
        bound.into_iter().for_each(|values| bind(&mut statement, values));
        let bytes = self.skip(fatal, true);
        let call = self.call(start, bytes);
        let answer = Answer { outcome: failed, tag: b"", portal: None, sent, start, unflushed: None, now };
        self.end_call(statement, call, answer);
        self.flight = Default::default();
    }

    /// From the error of an extended message to the next Sync nothing is owed. With `absorb` the first Execute belongs
    /// to the call that failed; returns its bytes.
    fn skip(&mut self, fatal: bool, mut absorb: bool) -> u32 {
        let (mut discarded, mut absorbed, mut unread) = (0, 0, 0);
        let found = self.pipeline.skip_to_sync(|popped| match popped.owed {
            Owed::Execute { bytes, .. } if absorb => (absorb, absorbed) = (false, bytes),
            _ => {
                discarded += popped.statements();
                unread += popped.owed.bytes();
            }
        });
        self.overhead_in += unread;
        if !found {
            self.skip = Some(Skip { absorb });
        }
        self.discard(if fatal { Discarded::ConnectionLost } else { Discarded::Skipped }, discarded);
        absorbed
    }

    /// Nothing of what is owed will come: statements that are left never ran.
    fn lose_owed(&mut self) {
        let done = if self.message_is_over() { u64::MAX } else { self.flight.piece as u64 };
        self.overhead_in += self.pipeline.bytes();
        let mut lost = match self.pipeline.front() {
            Some(Owed::Query { .. } | Owed::FunctionCall { .. }) => {
                self.pipeline.pop().map_or(0, |popped| popped.statements().saturating_sub(done))
            }
            _ => 0,
        };
        while let Some(popped) = self.pipeline.pop() {
            lost += popped.statements();
        }
        self.discard(Discarded::ConnectionLost, lost);
        self.flight = Default::default();
        (self.skip, self.copy) = (None, CopyIn::None);
        self.pipeline.release();
    }

    /// The connection is over at `now`: the statement that was running is aborted, those behind it never ran.
    pub(super) fn lose(&mut self, now: Stamp) {
        if matches!(self.pipeline.front(), Some(Owed::Query { .. } | Owed::FunctionCall { .. }))
            && self.message_is_over()
        {
            self.pipeline.pop();
            self.flight = Default::default();
        }
        let running = self.pipeline.iter().position(Owed::is_statement);
        if let Some(index) = running {
            (0..index).for_each(|_| self.presume());
            self.complete(Outcome::Aborted, b"", now);
        }
        self.lose_owed();
        self.drop_portals();
        if let Some(event) = self.transactions.lost(now, self.owner.identity()) {
            self.group.say(event);
        }
    }

    /// Takes off a Parse or Bind as if it had been answered, to know what the Execute behind it runs.
    fn presume(&mut self) {
        let Some(Popped { owed, parsed, bound, .. }) = self.pipeline.pop() else { return };
        match (owed, parsed) {
            (Owed::Parse { name, .. }, Some(parsed)) => drop(self.statements.insert(name, parsed)),
            (Owed::Bind { portal, statement, .. }, _) => {
                let unknown = || pseudo(Pseudo::Unknown);
                let mut statement: Statement = self.statements.get(statement).cloned().unwrap_or_else(unknown);
                bound.into_iter().for_each(|values| bind(&mut statement, values));
                self.open_portal(portal, Portal::Ready(statement));
            }
            _ => {}
        }
    }
}
