//! Query and Parse whose text spans reads: it streams through the lexer and is not kept.

use crate::sql::fingerprint::Fingerprinter;
use crate::sql::pool::Ticket;
use crate::sql::statement::{Dialect, Statements};
use crate::wire::frontend::TextStream;

/// A text that is arriving.
#[derive(Debug)]
pub(super) struct Text {
    stream: TextStream,
    pub(super) is_parse: bool,
    /// Of its message.
    pub(super) bytes: u64,
    ticket: Ticket,
}

impl Text {
    /// Begins one; `typed`: a Parse's types are wanted.
    pub(super) fn begin(
        is_parse: bool,
        bytes: u64,
        typed: bool,
        dialect: Dialect,
        fingerprinter: &mut Fingerprinter,
    ) -> Self {
        let stream = if is_parse { TextStream::parse(typed) } else { TextStream::query() };
        Self { stream, is_parse, bytes, ticket: fingerprinter.begin(dialect) }
    }

    /// The next piece of its message.
    pub(super) fn feed(&mut self, chunk: &[u8], fingerprinter: &mut Fingerprinter) {
        fingerprinter.feed(&self.ticket, self.stream.feed(chunk));
    }

    /// It has ended: what its message was, and its statements.
    pub(super) fn end(self, fingerprinter: &mut Fingerprinter) -> (TextStream, Statements) {
        (self.stream, fingerprinter.end(self.ticket))
    }

    /// It won't end.
    pub(super) fn abandon(self, fingerprinter: &mut Fingerprinter) {
        fingerprinter.abandon(self.ticket);
    }
}
