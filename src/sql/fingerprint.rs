//! Statement texts to fingerprints: one [`Fingerprinter`] per worker, and [`fingerprint`] for everybody else.

use std::sync::Arc;

use super::cache::{Found, Hasher, Queries, Texts};
use super::canonical;
use super::characters;
use super::hash::QueryHash;
use super::kind::Kind;
use super::piece::Piece;
use super::pool::{Pool, Ticket};
use super::prepare;
use super::query::Pseudo;
use super::split::Reader;
use super::statement::{Details, Dialect, Statement, Statements, Tags, Trace};
use super::tags::Interner;

/// A statement's fingerprint, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// The canonical text, made of at most 65,536 bytes before its placeholders were numbered.
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
pub fn fingerprint(sql: &[u8], dialect: Dialect) -> Vec<Fingerprint> {
    let mut reader = Reader::new();
    let mut interner = Interner::default();
    let mut found = Vec::new();
    let mut semicolons = 0;
    let mut add = |piece: &mut Piece, ended: bool| {
        semicolons += usize::from(ended);
        let (tags, trace) = piece.describe(&mut interner);
        let only = found.is_empty() && !ended && semicolons > 0;
        if !piece.skeleton().is_empty() || only {
            let text = canonical::number(piece.skeleton());
            let (hash, kind) = (QueryHash::of(&text), Kind::of(piece.skeleton()));
            found.push(Fingerprint { text, hash, kind, tags, trace });
        } else if let Some(last) = found.last_mut() {
            // An empty statement is none, so its comments stand behind the one before.
            last.tags = interner.join(last.tags.take(), tags);
            last.trace = last.trace.or(trace);
        }
    };
    reader.begin(dialect);
    reader.feed(sql, |piece, _| add(piece, true));
    add(reader.end(), false);
    found
}

/// Statement texts to statements, for one worker: a lexer, its buffers and what it has met before.
pub struct Fingerprinter {
    reader: Reader,
    pool: Pool,
    texts: Texts,
    known: Known,
}

/// What makes a statement of a piece.
struct Known {
    hasher: Hasher,
    queries: Queries,
    interner: Interner,
}

impl Known {
    /// Adds the statement that has ended, unless it is empty.
    #[inline]
    fn add(&mut self, piece: &mut Piece, end_chars: u32, statements: &mut Statements) {
        let (tags, trace) = piece.describe(&mut self.interner);
        if piece.skeleton().is_empty() {
            // An empty statement is none, so its comments stand behind the one before.
            if let (0, Some(last)) = (statements.left_out, statements.last_mut()) {
                self.interner.describe(&mut last.details, tags, trace);
            }
            return;
        }
        statements.push(|| {
            let query = self.queries.query(&self.hasher, piece.skeleton());
            let name = piece.take_name();
            let inner = |inner: &[u8]| self.queries.query(&self.hasher, inner);
            let effect = prepare::effect(query.kind, piece.skeleton(), || name, inner);
            Statement { query, details: Details { effect, tags, trace, ..Details::default() }.kept(), end_chars }
        });
    }
}

impl Fingerprinter {
    /// Keeps `max_query_text` bytes of each canonical text; `seed` is secret to the process, and each one's own.
    pub fn new(max_query_text: usize, seed: u64) -> Self {
        let hasher = Hasher::new(seed);
        Self {
            reader: Reader::new(),
            pool: Pool::new(hasher.of(b"tickets") as u64),
            texts: Texts::new(),
            known: Known { hasher, queries: Queries::new(max_query_text), interner: Interner::default() },
        }
    }

    /// The statements of a whole text; none when nothing is in it.
    pub fn statements(&mut self, sql: &[u8], dialect: Dialect) -> Statements {
        let key = match self.texts.find(&self.known.hasher, sql, dialect) {
            Found::Statements(statements) => return statements.clone(),
            Found::Nothing(key) => Some(key),
            Found::TooLong => None,
        };
        let mut statements = Statements::default();
        self.reader.begin(dialect);
        // Bytes become characters when it turns out that they matter.
        let known = &mut self.known;
        self.reader.feed(sql, |piece, end| {
            known.add(piece, u32::try_from(end).unwrap_or(u32::MAX), &mut statements);
        });
        known.add(self.reader.end(), u32::MAX, &mut statements);
        characters::place(&mut statements, sql, dialect.encoding);
        if let Some(key) = key {
            self.texts.met(key, &statements);
        }
        statements
    }

    /// Begins a text that comes in pieces. With no buffer left, the text that was fed longest ago loses its own and
    /// will end as [`Pseudo::Unfingerprinted`].
    pub fn begin(&mut self, dialect: Dialect) -> Ticket {
        self.pool.begin(dialect)
    }

    /// The next piece of a text.
    pub fn feed(&mut self, ticket: &Ticket, bytes: &[u8]) {
        let Some(text) = self.pool.get(ticket) else { return };
        let known = &mut self.known;
        let (statements, characters) = (&mut text.statements, &mut text.characters);
        let mut at = 0;
        text.reader.feed(bytes, |piece, end| {
            characters.count(bytes.get(at..end).unwrap_or_default());
            at = end;
            known.add(piece, characters.total(), statements);
        });
        characters.count(bytes.get(at..).unwrap_or_default());
    }

    /// The text has ended: its statements, as [`Fingerprinter::statements`] would have told them.
    pub fn end(&mut self, ticket: Ticket) -> Statements {
        let Some(text) = self.pool.get(&ticket) else {
            return unfingerprinted().into();
        };
        self.known.add(text.reader.end(), u32::MAX, &mut text.statements);
        let mut statements = std::mem::take(&mut text.statements);
        self.pool.release(ticket);
        if let Some(last) = statements.last_mut() {
            last.end_chars = u32::MAX;
        }
        statements
    }

    /// The text won't end.
    pub fn abandon(&mut self, ticket: Ticket) {
        self.pool.release(ticket);
    }

    /// To be called once a second: queries that were not met for a quarter of an hour go.
    pub fn forget_idle(&mut self) {
        self.known.queries.forget_idle();
    }
}

fn unfingerprinted() -> Statement {
    let query = Pseudo::Unfingerprinted.query();
    Statement { query, details: None, end_chars: u32::MAX }
}

#[cfg(test)]
#[path = "tests/fingerprint.rs"]
mod tests;
