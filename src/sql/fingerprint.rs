//! Statement texts to fingerprints: one [`Fingerprinter`] per worker, and [`fingerprint`] for everybody else.

use std::sync::Arc;

use super::hash::QueryHash;
use super::kind::Kind;
use super::statement::{Dialect, Statements, Tags, Trace};

/// A statement's fingerprint, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// The canonical text, at most 65,536 bytes before its placeholders are numbered.
    pub text: String,
    /// Its hash.
    pub hash: QueryHash,
    /// From its first words.
    pub kind: Kind,
    /// Comments that describe the execution.
    pub tags: Option<Arc<Tags>>,
    /// Trace context of the comments.
    pub trace: Option<Trace>,
}

/// The statements of `sql`, in order. A text with nothing but `;` is one empty statement, one without even that none.
pub fn fingerprint(_sql: &[u8], _dialect: Dialect) -> Vec<Fingerprint> {
    Vec::new()
}

/// Statement texts to statements, for one worker: a lexer, its buffers and what it has met before.
pub struct Fingerprinter {
    stolen: u64,
}

/// A text that is fed in pieces.
#[derive(Debug)]
pub struct Ticket {
    index: usize,
    generation: u64,
}

impl Fingerprinter {
    /// Keeps `max_query_text` bytes of each canonical text; `seed` is secret to the process.
    pub fn new(_max_query_text: usize, _seed: u64) -> Self {
        Self { stolen: 0 }
    }

    /// The statements of a whole text; none when nothing is in it.
    pub fn statements(&mut self, _sql: &[u8], _dialect: Dialect) -> Statements {
        Statements::new()
    }

    /// Begins a text that comes in pieces.
    pub fn begin(&mut self, _dialect: Dialect) -> Ticket {
        Ticket { index: 0, generation: 0 }
    }

    /// The next piece.
    pub fn feed(&mut self, _ticket: &Ticket, _bytes: &[u8]) {}

    /// The text has ended.
    pub fn end(&mut self, ticket: Ticket) -> Statements {
        let _ = (ticket.index, ticket.generation);
        Statements::new()
    }

    /// The text won't end.
    pub fn abandon(&mut self, _ticket: Ticket) {}

    /// To be called once a second: what was not met for a quarter of an hour goes.
    pub fn forget_idle(&mut self) {}

    /// Texts whose buffer was taken for a newer one.
    pub fn stolen_total(&self) -> u64 {
        self.stolen
    }
}
