//! What a client sends: which bodies matter, how long they may be, and borrowed views of them.

use crate::wire::error::Sender;
use crate::wire::scanner::{Direction, Interest};
use crate::wire::tag::FrontendTag;

/// Client to server.
#[derive(Debug)]
pub struct Frontend {
    /// How much of a Bind is read.
    bind: u16,
}

impl Default for Frontend {
    fn default() -> Self {
        Self { bind: NAMES }
    }
}

impl Frontend {
    /// Bind is read with its values.
    pub fn with_values() -> Self {
        Self { bind: NAMES + VALUES }
    }
}

/// `PQ_LARGE_MESSAGE_LIMIT` (libpq/libpq.h): `MaxAllocSize - 1`.
const LARGE: u32 = 0x3fff_fffe;
/// `PQ_SMALL_MESSAGE_LIMIT` (libpq/libpq.h).
const SMALL: u32 = 10_000;
/// `PG_MAX_AUTH_TOKEN_LENGTH` (libpq/auth.h).
const AUTH_TOKEN: u32 = 65_535;
/// Two names of 63 bytes (`NAMEDATALEN - 1`; the server looks at no more) and room for longer ones.
const NAMES: u16 = 256;
/// What is read of a Bind's values: the first ones, or the begin of a long one.
const VALUES: u16 = 8 << 10;
/// Types of parameters that are looked at, four bytes each behind their number.
pub(in crate::wire) const TYPES: u16 = 2 + 4 * 256;

impl Direction for Frontend {
    type Tag = FrontendTag;
    const SENDER: Sender = Sender::Frontend;

    #[inline]
    fn interest(&self, tag: FrontendTag) -> Interest {
        match tag {
            FrontendTag::Query | FrontendTag::Parse => Interest::Stream,
            FrontendTag::Bind => Interest::Keep(self.bind),
            FrontendTag::Execute | FrontendTag::Describe | FrontendTag::Close => Interest::Keep(NAMES),
            FrontendTag::FunctionCall => Interest::Keep(0),
            _ => Interest::Skip,
        }
    }

    /// As `SocketBackend` and `CopyGetData` read them (tcop/postgres.c, commands/copyfromparse.c).
    #[inline]
    fn longest(tag: FrontendTag) -> u32 {
        match tag {
            FrontendTag::Password => AUTH_TOKEN,
            FrontendTag::Close
            | FrontendTag::Describe
            | FrontendTag::Execute
            | FrontendTag::Flush
            | FrontendTag::Sync
            | FrontendTag::Terminate
            | FrontendTag::CopyDone
            | FrontendTag::CopyFail => SMALL,
            _ => LARGE,
        }
    }
}

/// What Describe and Close name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

/// The string before the first NUL and what follows it. `None` without NUL.
#[inline]
pub fn string(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let (text, rest) = body.split_at_checked(end)?;
    Some((text, rest.get(1..)?))
}

/// The text of a whole Query body.
pub fn query(body: &[u8]) -> &[u8] {
    string(body).map_or(body, |(text, _)| text)
}

/// Statement name and text of a whole Parse body.
pub fn parse(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = string(body)?;
    Some((name, query(rest)))
}

/// What a whole Parse body says of the types of parameters: number and OIDs, as ParameterDescription does.
pub fn declared_types(body: &[u8]) -> Option<&[u8]> {
    let (_, rest) = string(body)?;
    Some(string(rest)?.1)
}

/// Values of a Bind body, behind the names, as far as they were kept.
pub fn values(body: &[u8]) -> Option<&[u8]> {
    let (_, rest) = string(body)?;
    Some(string(rest)?.1)
}

/// OIDs behind their number, the first 256; fewer where they end early. Zero is a type that nobody named.
pub fn types(body: &[u8]) -> impl Iterator<Item = u32> {
    let (count, oids) =
        body.split_first_chunk().map_or((0, &[][..]), |(count, oids)| (u16::from_be_bytes(*count), oids));
    let oids = oids.get(..usize::from(TYPES) - 2).unwrap_or(oids);
    oids.as_chunks().0.iter().take(usize::from(count)).map(|oid| u32::from_be_bytes(*oid))
}

/// Portal and statement of a Bind body. `None` when a name does not end within what was kept.
#[inline]
pub fn bind(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (portal, rest) = string(body)?;
    Some((portal, string(rest)?.0))
}

/// Portal of an Execute body.
#[inline]
pub fn execute(body: &[u8]) -> Option<&[u8]> {
    Some(string(body)?.0)
}

/// What a Describe or Close body names.
pub fn named(body: &[u8]) -> Option<(Target, &[u8])> {
    let (kind, rest) = body.split_first()?;
    let target = match kind {
        b'S' => Target::Statement,
        b'P' => Target::Portal,
        _ => return None,
    };
    Some((target, string(rest)?.0))
}

/// Finds the text in a Query or Parse body that comes in chunks.
///
/// `Name` → `Text` → `Rest`; a Query begins at `Text`.
#[derive(Debug)]
pub struct TextStream {
    part: Part,
    name: Vec<u8>,
    /// What follows the text, where somebody wants it.
    rest: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Name,
    Text,
    Rest,
}

impl TextStream {
    /// For a Query body.
    pub fn query() -> Self {
        Self { part: Part::Text, name: Vec::new(), rest: None }
    }

    /// For a Parse body; with `types` what it says of the types of parameters is kept.
    pub fn parse(types: bool) -> Self {
        Self { part: Part::Name, name: Vec::new(), rest: types.then(Vec::new) }
    }

    /// As [`declared_types`], if it was to be kept.
    pub fn types(&self) -> Option<&[u8]> {
        self.rest.as_deref()
    }

    /// The statement's name, cut at a length that no server looks beyond.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The part of `chunk` that is text.
    pub fn feed<'a>(&mut self, mut chunk: &'a [u8]) -> &'a [u8] {
        if self.part == Part::Name {
            let (name, rest) = match string(chunk) {
                Some((name, rest)) => {
                    self.part = Part::Text;
                    (name, rest)
                }
                None => (chunk, Default::default()),
            };
            let room = usize::from(NAMES).saturating_sub(self.name.len());
            self.name.extend_from_slice(name.get(..room).unwrap_or(name));
            chunk = rest;
        }
        match (self.part, string(chunk)) {
            (Part::Text, Some((text, rest))) => {
                self.part = Part::Rest;
                self.keep(rest);
                text
            }
            (Part::Text, None) => chunk,
            (Part::Rest, _) => {
                self.keep(chunk);
                &[]
            }
            _ => &[],
        }
    }

    fn keep(&mut self, chunk: &[u8]) {
        if let Some(rest) = &mut self.rest {
            let room = usize::from(TYPES).saturating_sub(rest.len());
            rest.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
        }
    }
}
