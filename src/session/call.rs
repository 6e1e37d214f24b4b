//! Executions: their start, their end, and the portals that they leave behind.

use crate::base::telemetry::Discarded;
use crate::base::units::{Nanos, Stamp};
use crate::session::group::observation;
use crate::session::key::Key;
use crate::session::observation::{Event, Outcome};
use crate::session::owed::Owed;
use crate::session::portal::{Call, Portal, Suspended};
use crate::session::track::{CopyIn, Track, pseudo};
use crate::session::transaction::{Ended, Step, step};
use crate::sql::query::Pseudo;
use crate::sql::statement::{Details, Effect, Name, Statement};
use crate::wire::backend;

/// The answer that ended a call: what it said, and when.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) outcome: Outcome,
    pub(super) tag: &'a [u8],
    /// The portal that was executed.
    pub(super) portal: Option<Key>,
    /// When the last byte of what was answered was read.
    pub(super) sent: Stamp,
    /// Start of what was answered: the call's, or its last fetch's.
    pub(super) start: Stamp,
    /// From Execute to the next Sync or Flush.
    pub(super) unflushed: Option<(Stamp, Stamp)>,
    pub(super) now: Stamp,
}

impl Track {
    /// The start of the statement in front, which is fixed at its first answer.
    #[inline]
    pub(super) fn begin(&mut self) -> Stamp {
        if let Some(start) = self.flight.start {
            return start;
        }
        let Some(&front) = self.pipeline.front() else { return Stamp::default() };
        let start = self.answers.start(front.sent());
        self.flight.start = Some(start);
        if self.flight.piece == 0 && matches!(front, Owed::Query { .. }) {
            // exec_simple_query drops the unnamed statement, and puts its own portal in the unnamed one's place.
            self.statements.remove(Key::UNNAMED);
            self.drop_portal(Key::UNNAMED);
        }
        start
    }

    /// The statement in front, an entry that is one, got its last answer.
    #[inline]
    pub(super) fn complete(&mut self, outcome: Outcome, tag: &[u8], now: Stamp) {
        if self.flight.over {
            self.mismatch = true;
            return;
        }
        let start = self.begin();
        if self.copy != CopyIn::None {
            self.end_copy_in(outcome, now);
        }
        let Some(&front) = self.pipeline.front() else { return };
        let answer = Answer { outcome, tag, portal: None, sent: front.sent(), start, unflushed: None, now };
        match front {
            Owed::Execute { portal, sent, flushed, bytes } => {
                self.pipeline.pop_plain();
                let unflushed = (flushed > sent).then_some((sent, flushed));
                self.complete_execute(bytes, Answer { portal: Some(portal), unflushed, ..answer });
            }
            Owed::Query { .. } => self.complete_piece(answer),
            Owed::FunctionCall { .. } => {
                let bytes = self.pipeline.take_message_bytes();
                let call = self.call(start, bytes);
                self.flight.over = true;
                self.end_call(pseudo(Pseudo::FunctionCall), call, answer);
            }
            _ => {}
        }
    }

    /// The COPY's statement is answered.
    #[cold]
    fn end_copy_in(&mut self, outcome: Outcome, now: Stamp) {
        self.copy = CopyIn::None;
        self.spans.end_copy(now);
        if outcome == Outcome::Completed {
            // It read to CopyDone or CopyFail, so it swallowed every Sync before.
            self.pipeline.drop_maybes();
        }
    }

    /// A call of the statement in front, as it stands; what was known of the flight is used up but for its piece.
    #[inline]
    pub(super) fn call(&mut self, start: Stamp, bytes: u32) -> Call {
        let flight = std::mem::take(&mut self.flight);
        self.flight.piece = flight.piece;
        // What shares this read's span has its rows in this read too: they came when the share was over.
        let first_row = match self.group.shared_start() {
            Some(_) => flight.first_row.map(|_| Nanos::new(u64::MAX)),
            None => flight.first_row,
        };
        Call {
            start,
            identity: flight.identity.unwrap_or_else(|| self.owner.identity().clone()),
            duration: Nanos::ZERO,
            first_row,
            client_stall: Nanos::ZERO,
            rows: 0,
            bytes_in: u64::from(bytes) + flight.bytes_copied,
            bytes_out: std::mem::take(&mut self.bytes_out),
        }
    }

    /// The call that an Execute began or went on with; `None` when its portal was over. DataRows are counted only of
    /// fetches that end in PortalSuspended.
    #[inline]
    fn executed(&mut self, portal: Key, start: Stamp, bytes: u32) -> Option<(Statement, Call)> {
        let now = self.call(start, bytes);
        match self.portals.get(portal).map(|slot| std::mem::replace(slot, Portal::Done)) {
            None => Some((pseudo(Pseudo::Unknown), now)),
            Some(Portal::Ready(statement)) => Some((self.resolve(statement), now)),
            Some(Portal::Suspended(suspended)) => {
                let Suspended { statement, mut call } = *suspended;
                call.first_row = call.first_row.or(now.first_row.map(|first| call.duration + first));
                call.bytes_in += now.bytes_in;
                call.bytes_out += now.bytes_out;
                Some((statement, call))
            }
            Some(Portal::Done) => {
                self.overhead_in += now.bytes_in;
                self.overhead_out += now.bytes_out;
                None
            }
        }
    }

    #[inline]
    fn complete_execute(&mut self, bytes: u32, answer: Answer<'_>) {
        let portal = answer.portal.unwrap_or(Key::UNREADABLE);
        match self.executed(portal, answer.start, bytes) {
            Some((statement, call)) => self.end_call(statement, call, answer),
            None => {
                self.answers.major(answer.now);
                if matches!(answer.outcome, Outcome::Failed(_)) {
                    self.group.say(Event::ProtocolError);
                }
            }
        }
        self.flight = Default::default();
    }

    /// One statement of a Query got its completion.
    #[inline]
    fn complete_piece(&mut self, answer: Answer<'_>) {
        let Some(text) = self.pipeline.text() else { return };
        let (count, piece) = (text.answers(), self.flight.piece);
        self.mismatch |= piece >= count;
        let statement = match text.get(piece.min(count - 1)) {
            Some(statement) => statement.clone(),
            None if text.is_empty() => pseudo(Pseudo::Empty),
            // Behind the statements of a text of very many.
            None => pseudo(Pseudo::Unfingerprinted),
        };
        let bytes = self.pipeline.take_message_bytes();
        let call = self.call(answer.start, bytes);
        self.flight.piece = piece + 1;
        if matches!(answer.outcome, Outcome::Failed(_)) {
            self.flight.over = true;
            self.discard(Discarded::BehindError, count.saturating_sub(piece + 1) as u64);
        }
        let statement = self.resolve(statement);
        self.end_call(statement, call, answer);
    }

    /// Tells a call and lets it take effect.
    #[inline]
    pub(super) fn end_call(&mut self, statement: Statement, mut call: Call, answer: Answer<'_>) {
        let Answer { outcome, tag, now, .. } = answer;
        call.rows += backend::rows(tag);
        if let Some(shared) = self.group.shared_start() {
            call.start = call.start.min(shared.max(answer.sent));
        }
        let completed = outcome == Outcome::Completed;
        if completed && statement.details.is_some() {
            self.take_effect(&statement);
        }
        let step = if completed { step(tag, statement.effect()) } else { None };
        if step.is_some_and(Step::ends) && !self.portals.is_empty() {
            self.end_portals();
        }
        let ended = Ended { step, effect: statement.effect(), query: &statement.query, start: call.start };
        let transaction = self.transactions.ended(ended, now, self.owner.identity());
        self.group.ended(answer.portal, answer.start, answer.unflushed, observation(statement, call, outcome));
        if let Some(event) = transaction {
            self.group.say(event);
        }
        self.answers.major(now);
    }

    /// `EXECUTE name` counts under the statement after AS of its PREPARE.
    #[inline]
    pub(super) fn resolve(&mut self, mut statement: Statement) -> Statement {
        if statement.details.is_some()
            && let Effect::Execute(name) = statement.effect()
        {
            let inner = self.statements.get(Key::of(name)).map(|inner| inner.query.clone());
            statement.query = inner.unwrap_or_else(|| Pseudo::Unknown.query());
        }
        statement
    }

    /// What a completed statement does to the tables of names.
    #[cold]
    fn take_effect(&mut self, statement: &Statement) {
        let key = |name: &Name| Key::of(name);
        match statement.effect() {
            Effect::Prepare { name, inner } => {
                let inner = Statement { query: inner.clone(), ..pseudo(Pseudo::Unknown) };
                self.statements.insert(key(name), inner);
            }
            Effect::Deallocate(name) => drop(self.statements.remove(key(name))),
            Effect::DeallocateAll => drop(self.statements.remove_named()),
            Effect::DiscardAll => {
                drop(self.statements.remove_named());
                self.drop_portals();
            }
            Effect::Declare { name, hold } => {
                let effect = if *hold { Effect::Held } else { Effect::None };
                let details = statement.details.as_deref().cloned().unwrap_or_default();
                let details = Details { effect, ..details }.kept();
                self.open_portal(key(name), Portal::Ready(Statement { details, ..statement.clone() }));
            }
            Effect::Close(name) => self.drop_portal(key(name)),
            Effect::CloseAll => self.drop_portals(),
            Effect::None | Effect::Execute(_) | Effect::Held | Effect::Chain | Effect::RollbackTo => {}
        }
    }

    /// PortalSuspended: a row-limited Execute, in front, stopped short.
    #[inline(never)]
    pub(super) fn suspend(&mut self, now: Stamp) {
        let start = self.begin();
        let Some(&Owed::Execute { portal, sent, flushed, bytes }) = self.pipeline.front() else { return };
        self.pipeline.pop_plain();
        let rows = self.flight.data_rows;
        if let Some((statement, mut call)) = self.executed(portal, start, bytes) {
            call.rows += rows;
            self.open_portal(portal, Portal::Suspended(Box::new(Suspended { statement, call })));
            self.group.fetched(portal, start, (flushed > sent).then_some((sent, flushed)));
        }
        self.answers.major(now);
        self.flight = Default::default();
    }

    /// A portal goes; a call that it holds has completed.
    pub(super) fn drop_portal(&mut self, name: Key) {
        if let Some(Portal::Suspended(suspended)) = self.portals.remove(name) {
            self.end_suspended(name, *suspended);
        }
    }

    /// All portals go.
    pub(super) fn drop_portals(&mut self) {
        self.end_portals();
        self.drop_named_portals(|_| true);
    }

    /// Portals go with the transaction, but for cursors WITH HOLD.
    pub(super) fn end_portals(&mut self) {
        self.drop_portal(Key::UNNAMED);
        if self.portals.has_named() {
            self.drop_named_portals(|portal| !portal.is_held());
        }
    }

    #[cold]
    fn drop_named_portals(&mut self, goes: impl Fn(&Portal) -> bool) {
        for (name, portal) in self.portals.remove_named() {
            if !goes(&portal) {
                self.portals.insert(name, portal);
            } else if let Portal::Suspended(suspended) = portal {
                self.end_suspended(name, *suspended);
            }
        }
    }

    /// A suspended call completed at its last PortalSuspended.
    #[cold]
    pub(super) fn end_suspended(&mut self, portal: Key, suspended: Suspended) {
        self.transactions.counted();
        let Suspended { statement, call } = suspended;
        self.group.dropped(portal, observation(statement, call, Outcome::Completed));
    }
}
