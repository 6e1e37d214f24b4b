//! Query and Parse whose text spans reads: it streams through the lexer and is not kept.

use crate::base::units::Stamp;
use crate::session::key::Key;
use crate::session::track::Track;
use crate::sql::fingerprint::{Fingerprinter, Ticket};
use crate::wire::frontend::TextStream;

/// A text that is arriving.
#[derive(Debug)]
pub(super) struct Text {
    stream: TextStream,
    ticket: Ticket,
    is_parse: bool,
    bytes: u64,
}

impl Track {
    pub(super) fn begin_text(&mut self, is_parse: bool, bytes: u64, fingerprinter: &mut Fingerprinter) {
        let stream = if is_parse { TextStream::parse(self.allowance.is_some()) } else { TextStream::query() };
        let ticket = fingerprinter.begin(self.dialect);
        self.text = Some(Box::new(Text { stream, ticket, is_parse, bytes }));
    }

    pub(super) fn feed_text(&mut self, chunk: &[u8], fingerprinter: &mut Fingerprinter) {
        if let Some(text) = &mut self.text {
            fingerprinter.feed(&text.ticket, text.stream.feed(chunk));
        }
    }

    pub(super) fn end_text(&mut self, now: Stamp, fingerprinter: &mut Fingerprinter) {
        let Some(text) = self.text.take() else { return };
        let Text { stream, ticket, is_parse, bytes } = *text;
        let statements = fingerprinter.end(ticket);
        if is_parse {
            self.parse(Key::of(stream.name()), statements, stream.types(), bytes, now);
        } else {
            self.query(statements, bytes, now);
        }
    }

    /// The text won't end.
    pub(super) fn abandon_text(&mut self, fingerprinter: &mut Fingerprinter) {
        if let Some(text) = self.text.take() {
            fingerprinter.abandon(text.ticket);
        }
    }
}
