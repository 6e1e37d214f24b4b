//! ReadyForQuery, the resynchronisation point (PROTOCOL §3): what is owed up to its Sync or Query is closed.

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::observation::{Event, Outcome};
use crate::session::owed::Owed;
use crate::session::track::{CopyIn, Mode, Track};
use crate::sql::statement::Statements;
use crate::wire::backend::TransactionStatus;

impl Track {
    pub(super) fn ready(&mut self, status: TransactionStatus, now: Stamp) {
        self.quiet = true;
        self.status = status;
        if self.mode == Mode::Startup {
            return self.start(now);
        }
        // Of those that follow at once a Sync that is owed for sure has its own first: which came from which, none tells.
        let sure = matches!(self.pipeline.front(), Some(Owed::Sync { maybe: false, .. }));
        if self.after_ready && self.maybes > 0 && !sure {
            self.maybes -= 1;
        } else {
            self.close_sync(now);
        }
        self.after_ready = true;
        self.copy = CopyIn::None;
        self.flight = Default::default();
        self.answers.major(now);
        if status == TransactionStatus::Idle && !self.portals.is_empty() {
            self.end_portals();
        }
        let quiescent = self.pipeline.is_empty() && self.skip.is_none();
        if let Some(event) = self.transactions.ready(status, quiescent, now, self.owner.identity()) {
            self.group.say(event);
        }
        if std::mem::take(&mut self.mismatch) {
            self.group.say(Event::Mismatch);
        }
        if self.pipeline.is_empty() {
            self.overhead_in += std::mem::take(&mut self.copied_ahead);
            self.pipeline.release();
        }
        self.tell_overhead = true;
    }

    /// The first ReadyForQuery.
    #[cold]
    fn start(&mut self, now: Stamp) {
        self.started = true;
        self.mode = Mode::Measuring;
        self.answers.major(now);
        self.overhead_out += std::mem::take(&mut self.bytes_out);
        let identity = self.owner.identity().clone();
        self.group.say(Event::Started { identity, startup: now.since(self.accepted) });
        self.tell_overhead = true;
        if self.replication {
            self.go_opaque(Unmeasured::Replication);
        }
    }

    /// Takes off what ReadyForQuery closes: all up to the first entry that owes it for sure, or else the first *maybe*.
    fn close_sync(&mut self, now: Stamp) {
        self.skip = None;
        let Some(end) = self.pipeline.iter().position(Owed::ends_with_ready) else {
            let maybe = self.pipeline.iter().position(|owed| matches!(owed, Owed::Sync { .. }));
            self.mismatch |= maybe.is_none();
            for _ in 0..maybe.map_or(0, |index| index + 1) {
                self.pass();
            }
            return;
        };
        for _ in 0..end {
            match self.pass() {
                Some(Owed::Sync { .. }) => self.maybes += 1,
                Some(Owed::CopyEnd) | None => {}
                Some(_) => self.mismatch = true,
            }
        }
        if let Some(Owed::Query { .. } | Owed::FunctionCall { .. }) = self.pipeline.front() {
            self.close_message(now);
        }
        self.pipeline.pop();
        while let Some(&owed @ (Owed::Sync { maybe: true, .. } | Owed::CopyEnd)) = self.pipeline.front() {
            self.pipeline.pop_plain();
            self.maybes += u32::from(!matches!(owed, Owed::CopyEnd));
        }
    }

    /// ReadyForQuery ends a Query or FunctionCall: what is still owed of it never comes.
    fn close_message(&mut self, now: Stamp) {
        let statements = self.pipeline.text().map_or(1, Statements::answers);
        if !self.flight.over && self.flight.piece < statements {
            self.mismatch = true;
            if self.flight.piece == 0 {
                self.complete(Outcome::Completed, b"", now);
            }
        }
    }
}
