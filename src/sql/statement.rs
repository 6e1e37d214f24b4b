//! What lexing tells of one statement of a text, beside its fingerprint.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use smallvec::SmallVec;

use super::bound::Bound;
use super::query::Query;

/// The name of a prepared statement or portal, as bytes: protocol names are arbitrary, SQL names arrive folded.
pub type Name = SmallVec<[u8; 24]>;

/// The statements of one text, in order. One is the common case and needs no allocation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Statements {
    list: SmallVec<[Statement; 1]>,
    /// Statements behind those of the list, which has at most [`STATEMENTS_MAX`]: nobody knows what they are.
    pub left_out: u32,
}

/// Statements of one text at most.
pub const STATEMENTS_MAX: usize = 10_000;

impl Statements {
    /// Adds a statement, or counts it where there are too many.
    #[inline]
    pub(super) fn push(&mut self, statement: impl FnOnce() -> Statement) {
        if self.list.len() < STATEMENTS_MAX {
            self.list.push(statement());
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

impl Statements {
    /// How many times the server answers: an empty text is one statement too, and those that were left out are.
    #[inline]
    pub fn answers(&self) -> usize {
        self.list.len().max(1) + self.left_out as usize
    }
}

impl From<Statement> for Statements {
    fn from(statement: Statement) -> Self {
        Self { list: SmallVec::from_buf([statement]), left_out: 0 }
    }
}

impl Deref for Statements {
    type Target = [Statement];

    #[inline]
    fn deref(&self) -> &[Statement] {
        &self.list
    }
}

impl DerefMut for Statements {
    #[inline]
    fn deref_mut(&mut self) -> &mut [Statement] {
        &mut self.list
    }
}

impl IntoIterator for Statements {
    type Item = Statement;
    type IntoIter = smallvec::IntoIter<[Statement; 1]>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// How bytes of statement text are to be read, as the server last reported it (FINGERPRINT §1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dialect {
    /// `standard_conforming_strings`: a backslash in `'…'` is just a character.
    pub standard_strings: bool,
    /// How `client_encoding` joins bytes to characters.
    pub encoding: Encoding,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { standard_strings: true, encoding: Encoding::AsciiSafe }
    }
}

/// Families of client encodings that a lexer has to tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// Every byte below 0x80 is itself: UTF-8, and what is not known.
    AsciiSafe,
    /// The same, and every byte is a character: LATIN1 and its kin.
    SingleByte,
    /// A byte from 0x80 takes the next one with it: BIG5, GBK, UHC, JOHAB, GB18030, EUC_CN, EUC_KR.
    DoubleByte,
    /// The same, but for 0xA1–0xDF: SJIS, SHIFT_JIS_2004.
    ShiftJis,
}

impl Encoding {
    /// The family that a `client_encoding` of this name belongs to.
    pub fn named(name: &[u8]) -> Self {
        const SINGLE_BYTE: [&[u8]; 4] = [b"LATIN", b"WIN", b"ISO_8859", b"KOI8"];
        match name.to_ascii_uppercase().as_slice() {
            b"SJIS" | b"SHIFT_JIS_2004" => Encoding::ShiftJis,
            b"BIG5" | b"GBK" | b"UHC" | b"JOHAB" | b"GB18030" | b"EUC_CN" | b"EUC_KR" => Encoding::DoubleByte,
            name if SINGLE_BYTE.iter().any(|family| name.starts_with(family)) => Encoding::SingleByte,
            _ => Encoding::AsciiSafe,
        }
    }

    /// Whether `byte`, where a character begins, takes the next byte with it.
    #[inline]
    pub(super) fn pairs(self, byte: u8) -> bool {
        match self {
            Encoding::AsciiSafe | Encoding::SingleByte => false,
            Encoding::DoubleByte => byte >= 0x80,
            Encoding::ShiftJis => byte >= 0x80 && !(0xa1..=0xdf).contains(&byte),
        }
    }
}

/// One statement of a text. It is copied from Parse to Bind to its execution, so what few have is kept apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its fingerprint.
    pub query: Arc<Query>,
    /// What only few statements have.
    pub details: Option<Arc<Details>>,
    /// Characters of the text up to and with this statement's `;`, to place an error's position `P`; `u32::MAX` for the
    /// last one, whose is whatever follows.
    pub end_chars: u32,
}

impl Statement {
    /// What it will do to the session's names and transaction once the server completes it.
    #[inline]
    pub fn effect(&self) -> &Effect {
        self.details.as_ref().map_or(&Effect::None, |details| &details.effect)
    }

    /// Comments that describe the execution.
    #[inline]
    pub fn tags(&self) -> Option<&Arc<Tags>> {
        self.details.as_ref()?.tags.as_ref()
    }

    /// Adds to what few statements have.
    pub fn detail(&mut self, add: impl FnOnce(&mut Details)) {
        let mut details = self.details.as_deref().cloned().unwrap_or_default();
        add(&mut details);
        self.details = details.kept();
    }
}

/// What few statements have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Details {
    /// What the statement will do to the session's names and transaction once the server completes it.
    pub effect: Effect,
    /// Comments that describe the execution.
    pub tags: Option<Arc<Tags>>,
    /// `traceparent` of the comments, kept apart: it differs in each execution.
    pub trace: Option<Trace>,
    /// Types of `$1`, `$2`, … as the client or the server named them, where parameters are wanted.
    pub types: Option<Arc<[u32]>>,
    /// What was bound to them, where parameters are wanted.
    pub bound: Option<Arc<Bound>>,
}

impl Details {
    /// Keeps them, unless they say nothing.
    #[inline]
    pub fn kept(self) -> Option<Arc<Self>> {
        let plain = matches!(self, Self { effect: Effect::None, tags: None, trace: None, types: None, bound: None });
        (!plain).then(|| Arc::new(self))
    }
}

/// What a statement does to names and transactions, known from its tokens.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Effect {
    /// Nothing that the session has to follow.
    #[default]
    None,
    /// `PREPARE name AS …`; EXECUTE counts under the inner statement.
    Prepare {
        /// The statement's name.
        name: Name,
        /// The fingerprint of what stands after AS.
        inner: Arc<Query>,
    },
    /// `EXECUTE name`
    Execute(Name),
    /// `DEALLOCATE name`
    Deallocate(Name),
    /// `DEALLOCATE ALL`
    DeallocateAll,
    /// `DISCARD ALL`
    DiscardAll,
    /// `DECLARE name CURSOR`; `hold` when it outlives its transaction.
    Declare {
        /// The cursor's name.
        name: Name,
        /// `WITH HOLD`
        hold: bool,
    },
    /// What a cursor WITH HOLD runs: its portal outlives the transaction.
    Held,
    /// `CLOSE name`
    Close(Name),
    /// `CLOSE ALL`
    CloseAll,
    /// `COMMIT AND CHAIN`, `ROLLBACK AND CHAIN`: the next transaction starts at its completion.
    Chain,
    /// `ROLLBACK TO`: tagged ROLLBACK, but ends no transaction.
    RollbackTo,
}

/// Descriptions that an application left in comments (FIELD (b), sqlcommenter). Never part of the hash.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tags {
    /// Key and value, at most 16, keys unique, in order of appearance; `traceparent` is not among them.
    pub pairs: Vec<(Box<str>, Box<str>)>,
    /// `-- name: GetUser :one`
    pub name: Option<Box<str>>,
}

/// W3C trace context, version 00 to fe, ids not zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trace {
    /// 16 bytes of trace id.
    pub trace_id: [u8; 16],
    /// 8 bytes of parent id.
    pub span_id: [u8; 8],
    /// The sampled flag.
    pub sampled: bool,
}
