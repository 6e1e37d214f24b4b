//! What the client sends: each message that the server answers becomes an entry of the pipeline.

use std::sync::Arc;

use crate::base::telemetry::{Discarded, Unmeasured};
use crate::base::units::Stamp;
use crate::session::key::Key;
use crate::session::observation::Event;
use crate::session::owed::Owed;
use crate::session::parameters::typed;
use crate::session::text::Text;
use crate::session::track::{CopyIn, Mode, Track, pseudo};
use crate::sql::bound::Bound;
use crate::sql::fingerprint::Fingerprinter;
use crate::sql::query::Pseudo;
use crate::sql::statement::Statements;
use crate::wire::frontend::{self, Target};
use crate::wire::scanner::Piece;
use crate::wire::tag::FrontendTag;

/// Later than any read: neither Sync nor Flush has followed.
const NOT_YET: Stamp = Stamp::from_nanos(u64::MAX);

impl Track {
    /// The client sent something.
    #[inline]
    pub(super) fn client_read(&mut self, now: Stamp) {
        self.quiet = false;
        if let Some(event) = self.transactions.resumed(now, self.owner.identity()) {
            self.group.say(event);
        }
    }

    #[inline]
    pub(super) fn client(&mut self, piece: Piece<'_, FrontendTag>, now: Stamp, fingerprinter: &mut Fingerprinter) {
        match piece {
            Piece::Frame { tag, body, bytes } => self.client_frame(tag, body, bytes, now, fingerprinter),
            Piece::Run { tag, frames, bytes } => self.client_run(tag, frames, bytes, now),
            Piece::Begin { tag, bytes } => self.begin_text(tag == FrontendTag::Parse, bytes, fingerprinter),
            Piece::Chunk(chunk) => {
                if let Some(text) = &mut self.text {
                    text.feed(chunk, fingerprinter);
                }
            }
            Piece::End => self.end_text(now, fingerprinter),
        }
    }

    fn begin_text(&mut self, is_parse: bool, bytes: u64, fingerprinter: &mut Fingerprinter) {
        let text = Text::begin(is_parse, bytes, self.allowance.is_some(), self.dialect, fingerprinter);
        self.text = Some(Box::new(text));
    }

    fn end_text(&mut self, now: Stamp, fingerprinter: &mut Fingerprinter) {
        let Some(text) = self.text.take() else { return };
        let (is_parse, bytes) = (text.is_parse, text.bytes);
        let (stream, statements) = text.end(fingerprinter);
        if is_parse {
            self.parse(Key::of(stream.name()), statements, stream.types(), bytes, now);
        } else {
            self.query(statements, bytes, now);
        }
    }

    /// The text that was arriving won't end.
    pub(super) fn abandon_text(&mut self, fingerprinter: &mut Fingerprinter) {
        if let Some(text) = self.text.take() {
            text.abandon(fingerprinter);
        }
    }

    #[inline]
    fn client_frame(
        &mut self,
        tag: FrontendTag,
        body: &[u8],
        bytes: u64,
        now: Stamp,
        fingerprinter: &mut Fingerprinter,
    ) {
        match tag {
            FrontendTag::Query => {
                let statements = fingerprinter.statements(frontend::query(body), self.dialect);
                self.query(statements, bytes, now);
            }
            FrontendTag::Parse => {
                let (name, text) = frontend::parse(body).unwrap_or_default();
                let statements = fingerprinter.statements(text, self.dialect);
                let types = self.allowance.as_ref().and_then(|_| frontend::declared_types(body));
                self.parse(Key::of(name), statements, types, bytes, now);
            }
            FrontendTag::Bind => {
                let names = frontend::bind(body);
                let portal = Key::of_readable(names.map(|(portal, _)| portal));
                let statement = Key::of_readable(names.map(|(_, statement)| statement));
                let bound = self.keep_values(body);
                let owed = Owed::Bind { portal, statement, sent: now, alone: false, bound: bound.is_some() };
                self.before_execute(owed, bound, bytes);
            }
            FrontendTag::Describe => {
                let (target, name) = named(body);
                self.before_execute(Owed::Describe { target, name, sent: now, alone: false }, None, bytes);
            }
            FrontendTag::Execute => self.execute(Key::of_readable(frontend::execute(body)), bytes, now),
            FrontendTag::Close => {
                self.overhead_in += bytes;
                let (target, name) = named(body);
                let owed = Owed::Close { target, name };
                if !self.unanswered(false) {
                    self.pipeline.push(owed);
                } else if self.mode == Mode::Overrun {
                    self.presume_name(&owed, None);
                }
            }
            FrontendTag::FunctionCall => self.function_call(bytes, now),
            _ => self.overhead_in += bytes,
        }
    }

    #[inline]
    fn client_run(&mut self, tag: FrontendTag, frames: u64, bytes: u64, now: Stamp) {
        match tag {
            FrontendTag::CopyData => return self.copy_data(bytes),
            FrontendTag::CopyDone | FrontendTag::CopyFail => return self.copy_end(bytes, now),
            FrontendTag::Sync => (0..frames).for_each(|_| self.sync(now)),
            FrontendTag::Flush => self.pipeline.flush(now),
            tag if !tag.is_known() && self.mode != Mode::Startup => {
                (0..frames).for_each(|_| self.group.say(Event::Unmeasured(Unmeasured::UnknownTag)));
            }
            _ => {}
        }
        self.overhead_in += bytes;
    }

    /// Something can be appended to what is owed.
    #[inline]
    fn has_room(&mut self) -> bool {
        if self.pipeline.is_full() {
            self.overrun();
        }
        !matches!(self.mode, Mode::Overrun | Mode::Opaque)
    }

    /// The server won't answer a message that would owe something, ReadyForQuery `with_ready`: it skips, or has said FATAL;
    /// or the answer is not followed.
    #[inline]
    fn unanswered(&mut self, with_ready: bool) -> bool {
        let room = self.has_room();
        if self.mode == Mode::Overrun {
            self.overrun.sent(with_ready);
        }
        !room || self.fatal || self.skip.is_some()
    }

    /// Accounts for `statements` that were sent where none is answered.
    fn unanswered_statements(&mut self, statements: u64, bytes: u64) {
        self.overhead_in += bytes;
        match self.mode {
            Mode::Overrun => return self.overrun.lost += statements,
            Mode::Opaque => return self.lost(statements),
            _ => {}
        }
        let reason = if self.fatal { Discarded::ConnectionLost } else { Discarded::Skipped };
        self.discard(reason, statements);
    }

    pub(super) fn query(&mut self, statements: Statements, bytes: u64, now: Stamp) {
        if !self.unanswered(true) {
            return self.pipeline.push_query(statements, now, clamp(bytes));
        }
        self.unanswered_statements(statements.answers() as u64, bytes);
        if self.mode == Mode::Overrun {
            self.statements.remove(Key::UNNAMED);
        }
    }

    fn function_call(&mut self, bytes: u64, now: Stamp) {
        if self.unanswered(true) {
            return self.unanswered_statements(1, bytes);
        }
        self.pipeline.push(Owed::FunctionCall { sent: now, bytes: clamp(bytes) });
    }

    pub(super) fn parse(&mut self, name: Key, statements: Statements, types: Option<&[u8]>, bytes: u64, now: Stamp) {
        let unanswered = self.unanswered(false);
        if unanswered && self.mode != Mode::Overrun {
            self.overhead_in += bytes;
            return;
        }
        let mut statement = statements.into_iter().next().unwrap_or_else(|| pseudo(Pseudo::Empty));
        if let Some(types) = types {
            typed(&mut statement, types);
        }
        if unanswered {
            self.overhead_in += bytes;
            return drop(self.statements.insert(name, statement));
        }
        self.carried_in += bytes;
        self.pipeline.push_parse(name, statement, now);
    }

    #[inline]
    fn before_execute(&mut self, owed: Owed, bound: Option<Arc<Bound>>, bytes: u64) {
        if self.unanswered(false) {
            self.overhead_in += bytes;
            return;
        }
        self.carried_in += bytes;
        match bound {
            None => self.pipeline.push(owed),
            Some(bound) => self.pipeline.push_bound(owed, bound),
        }
    }

    #[inline]
    fn execute(&mut self, portal: Key, bytes: u64, now: Stamp) {
        let bytes = bytes + std::mem::take(&mut self.carried_in);
        if let Some(skip) = &mut self.skip
            && skip.absorb
        {
            skip.absorb = false;
            self.overhead_in += bytes;
            return;
        }
        if self.unanswered(false) {
            return self.unanswered_statements(1, bytes);
        }
        self.pipeline.push(Owed::Execute { portal, sent: now, flushed: NOT_YET, bytes: clamp(bytes) });
    }

    #[inline]
    fn sync(&mut self, now: Stamp) {
        if self.fatal {
            return;
        }
        if !self.has_room() {
            return self.overrun.synced();
        }
        self.skip = None;
        self.pipeline.push(Owed::Sync { sent: now, maybe: self.copy == CopyIn::Open });
        self.pipeline.flush(now);
    }

    fn copy_data(&mut self, bytes: u64) {
        match self.copy {
            CopyIn::Open => self.flight.bytes_copied += bytes,
            _ if self.pipeline.is_empty() => self.overhead_in += bytes,
            _ => self.copied_ahead += bytes,
        }
    }

    fn copy_end(&mut self, bytes: u64, now: Stamp) {
        self.copy_data(bytes);
        if self.copy == CopyIn::Open {
            self.copy = CopyIn::Ended;
            self.spans.end_copy(now);
        } else if !self.pipeline.is_empty() && !self.fatal && self.skip.is_none() && self.has_room() {
            self.pipeline.push(Owed::CopyEnd);
        }
    }
}

/// Sizes in the pipeline are 32 bits: four messages of the largest size.
#[inline]
fn clamp(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn named(body: &[u8]) -> (Target, Key) {
    frontend::named(body).map_or((Target::Statement, Key::UNREADABLE), |(target, name)| (target, Key::of(name)))
}
