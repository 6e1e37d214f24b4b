//! What the server answers: each answer takes its entry off the pipeline.

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::key::Key;
use crate::session::observation::{Event, Outcome};
use crate::session::owed::Owed;
use crate::session::parameters::bind;
use crate::session::portal::Portal;
use crate::session::track::{CopyIn, Mode, Track, pseudo};
use crate::sql::query::Pseudo;
use crate::sql::statement::Encoding;
use crate::wire::backend::{self, ErrorFields};
use crate::wire::frontend::Target;
use crate::wire::scanner::Piece;
use crate::wire::tag::BackendTag;

impl Track {
    #[inline]
    pub(super) fn server(&mut self, piece: Piece<'_, BackendTag>, now: Stamp) {
        if self.mode == Mode::Overrun {
            return self.server_unseen(piece, now);
        }
        match piece {
            Piece::Run { tag, frames, bytes } => self.server_run(tag, frames, bytes, now),
            Piece::Frame { tag, body, bytes } => self.server_frame(tag, body, bytes, now),
            Piece::Begin { bytes, .. } => {
                self.bytes_out += bytes;
                self.error = ErrorFields::default();
            }
            Piece::Chunk(chunk) => self.error.feed(chunk),
            Piece::End => {
                let fields = self.error;
                self.error_response(&fields, now);
            }
        }
    }

    #[inline]
    fn server_frame(&mut self, tag: BackendTag, body: &[u8], bytes: u64, now: Stamp) {
        match tag {
            BackendTag::CommandComplete => {
                self.bytes_out += bytes;
                if self.answered(Owed::is_statement) {
                    self.complete(Outcome::Completed, backend::command_tag(body), now);
                }
            }
            BackendTag::ReadyForQuery => {
                self.overhead_out += bytes;
                self.ready(backend::ready(body), now);
            }
            BackendTag::ErrorResponse => {
                self.bytes_out += bytes;
                self.error_response(&ErrorFields::of(body), now);
            }
            BackendTag::ParameterStatus => {
                self.overhead_out += bytes;
                self.parameter_status(body);
            }
            BackendTag::ParameterDescription => {
                self.bytes_out += bytes;
                self.parameter_types(body);
            }
            BackendTag::BackendKeyData => {
                self.overhead_out += bytes;
                self.backend_key = Some(body.into());
            }
            _ => self.overhead_out += bytes,
        }
    }

    #[inline]
    fn server_run(&mut self, tag: BackendTag, frames: u64, bytes: u64, now: Stamp) {
        if tag == BackendTag::NotificationResponse || self.mode == Mode::Startup {
            self.overhead_out += bytes;
            return;
        }
        // Of frames that can end a statement the first one's bytes must not be charged with those behind it.
        let of_one = bytes / frames.max(1);
        match tag {
            BackendTag::EmptyQueryResponse | BackendTag::PortalSuspended | BackendTag::FunctionCallResponse => {
                for index in 0..frames {
                    self.bytes_out += if index == 0 { bytes - of_one * (frames - 1) } else { of_one };
                    self.one(tag, now);
                }
            }
            BackendTag::DataRow => {
                self.bytes_out += bytes;
                self.rows(frames, now);
            }
            tag if !tag.is_known() => {
                self.overhead_out += bytes;
                (0..frames).for_each(|_| self.group.say(Event::Unmeasured(Unmeasured::UnknownTag)));
            }
            _ => {
                self.bytes_out += bytes;
                (0..frames).for_each(|_| self.one(tag, now));
            }
        }
    }

    #[inline]
    fn one(&mut self, tag: BackendTag, now: Stamp) {
        match tag {
            BackendTag::ParseComplete => self.parse_complete(now),
            BackendTag::BindComplete => self.bind_complete(now),
            BackendTag::CloseComplete => self.close_complete(),
            BackendTag::RowDescription => self.described(now),
            BackendTag::NoData if self.answered(|owed| matches!(owed, Owed::Describe { .. })) => self.described(now),
            BackendTag::PortalSuspended if self.answered(|owed| matches!(owed, Owed::Execute { .. })) => {
                self.suspend(now);
            }
            BackendTag::EmptyQueryResponse if self.answered(Owed::is_statement) => {
                self.complete(Outcome::Completed, b"", now);
            }
            BackendTag::FunctionCallResponse if self.answered(|owed| matches!(owed, Owed::FunctionCall { .. })) => {
                self.complete(Outcome::Completed, b"", now);
            }
            BackendTag::CopyInResponse => self.copy_in(now),
            BackendTag::CopyData => self.rows(0, now),
            _ => {}
        }
    }

    /// An answer that a `wanted` entry owes is there; true when such an entry is now in front. Entries that it passes
    /// over are a mismatch.
    #[inline]
    pub(super) fn answered(&mut self, wanted: impl Fn(&Owed) -> bool) -> bool {
        self.after_ready = false;
        self.maybes = 0;
        self.ended_by = None;
        while let Some(Owed::CopyEnd | Owed::Sync { maybe: true, .. }) = self.pipeline.front() {
            self.pipeline.pop_plain();
        }
        if self.pipeline.front().is_some_and(&wanted) {
            return true;
        }
        self.pass_over(wanted)
    }

    /// Takes off what stands before the next entry that is `wanted`, if one is owed before the next Sync.
    #[cold]
    fn pass_over(&mut self, wanted: impl Fn(&Owed) -> bool) -> bool {
        self.mismatch = true;
        let group = self.pipeline.iter().take_while(|owed| !matches!(owed, Owed::Sync { .. }));
        let Some(passed) = group.enumerate().find_map(|(index, owed)| wanted(owed).then_some(index)) else {
            return false;
        };
        for _ in 0..passed {
            self.pass();
        }
        self.flight = Default::default();
        true
    }

    #[inline(never)]
    fn parse_complete(&mut self, now: Stamp) {
        if !self.answered(|owed| matches!(owed, Owed::Parse { .. })) {
            return;
        }
        let Some(popped) = self.pipeline.pop() else { return };
        let (Owed::Parse { name, sent, alone }, Some(statement)) = (popped.owed, popped.parsed) else { return };
        let time = alone.then(|| now.since(self.answers.start_alone(sent)));
        let (query, identity) = (statement.query.clone(), self.owner.identity().clone());
        self.group.say(Event::Prepared { query, identity, time });
        self.statements.insert(name, statement);
        self.inside(alone, sent, now);
    }

    #[inline]
    fn bind_complete(&mut self, now: Stamp) {
        if !self.answered(|owed| matches!(owed, Owed::Bind { .. })) {
            return;
        }
        let Some(&Owed::Bind { portal, statement, sent, alone, bound }) = self.pipeline.front() else { return };
        let mut statement = self.statements.get(statement).cloned().unwrap_or_else(|| pseudo(Pseudo::Unknown));
        if bound {
            self.pipeline
                .pop()
                .and_then(|popped| popped.bound)
                .into_iter()
                .for_each(|values| bind(&mut statement, values));
        } else {
            self.pipeline.pop_plain();
        }
        self.open_portal(portal, Portal::Ready(statement));
        self.inside(alone, sent, now);
    }

    /// RowDescription or NoData.
    #[inline]
    fn described(&mut self, now: Stamp) {
        if !self.answered(|owed| matches!(owed, Owed::Describe { .. }) || owed.is_statement()) {
            return;
        }
        if let Some(&Owed::Describe { sent, alone, .. }) = self.pipeline.front() {
            self.pipeline.pop_plain();
            self.inside(alone, sent, now);
        } else {
            self.begin();
        }
    }

    /// The answer to a Parse, Bind or Describe: of its own only when Sync or Flush parted it from an Execute.
    #[inline]
    fn inside(&mut self, alone: bool, sent: Stamp, now: Stamp) {
        if alone {
            self.answers.minor(sent, now);
        }
    }

    #[inline(never)]
    fn close_complete(&mut self) {
        if !self.answered(|owed| matches!(owed, Owed::Close { .. })) {
            return;
        }
        let Some(&Owed::Close { target, name }) = self.pipeline.front() else { return };
        self.pipeline.pop_plain();
        match target {
            Target::Statement => drop(self.statements.remove(name)),
            Target::Portal => self.drop_portal(name),
        }
    }

    /// `frames` DataRows, or a CopyData of the server.
    #[inline]
    fn rows(&mut self, frames: u64, now: Stamp) {
        if self.answered(Owed::is_statement) {
            let start = self.begin();
            self.flight.data_rows += frames;
            self.flight.first_row.get_or_insert_with(|| now.since(start));
        }
    }

    /// CopyInResponse. What the client sent ahead of it is read as part of the COPY.
    #[cold]
    fn copy_in(&mut self, now: Stamp) {
        if !self.answered(Owed::is_statement) {
            return;
        }
        self.begin();
        self.flight.bytes_copied += std::mem::take(&mut self.copied_ahead);
        self.spans.begin_copy(now);
        self.copy = CopyIn::Open;
        for owed in self.pipeline.iter_mut().skip(1) {
            match owed {
                Owed::Sync { maybe, .. } => *maybe = true,
                Owed::CopyEnd => {
                    self.copy = CopyIn::Ended;
                    self.spans.end_copy(now);
                    break;
                }
                _ => break,
            }
        }
    }

    #[cold]
    pub(super) fn parameter_status(&mut self, body: &[u8]) {
        let Some((name, value)) = backend::parameter(body) else { return };
        let replaced = match name {
            b"application_name" => self.owner.set_application(value),
            b"session_authorization" => self.owner.set_user(value),
            b"standard_conforming_strings" => {
                self.dialect.standard_strings = value == b"on";
                None
            }
            b"client_encoding" => {
                self.dialect.encoding = Encoding::named(value);
                None
            }
            _ => None,
        };
        if let Some(identity) = replaced
            && self.is_running()
        {
            self.flight.identity.get_or_insert(identity);
        }
    }

    /// A portal gets a name; what had it goes.
    #[inline]
    pub(super) fn open_portal(&mut self, name: Key, portal: Portal) {
        let (old, gone) = self.portals.insert(name, portal);
        if let Some(Portal::Suspended(suspended)) = old {
            self.end_suspended(name, *suspended);
        }
        if !gone.is_empty() {
            self.end_all_suspended(gone);
        }
    }

    #[cold]
    fn end_all_suspended(&mut self, gone: Vec<Portal>) {
        for portal in gone {
            if let Portal::Suspended(suspended) = portal {
                self.end_suspended(Key::UNREADABLE, *suspended);
            }
        }
    }
}
