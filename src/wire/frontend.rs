//! What a client sends: which bodies matter, how long they may be, and borrowed views of them.

use crate::wire::error::Sender;
use crate::wire::scanner::{Direction, Interest};
use crate::wire::tag::FrontendTag;

/// Client to server.
#[derive(Debug)]
pub struct Frontend;

/// `PQ_LARGE_MESSAGE_LIMIT` (libpq/libpq.h): `MaxAllocSize - 1`.
const LARGE: u32 = 0x3fff_fffe;
/// `PQ_SMALL_MESSAGE_LIMIT` (libpq/libpq.h).
const SMALL: u32 = 10_000;
/// `PG_MAX_AUTH_TOKEN_LENGTH` (libpq/auth.h).
const AUTH_TOKEN: u32 = 65_535;
/// Two names of 63 bytes (`NAMEDATALEN - 1`; the server looks at no more) and room for longer ones.
const NAMES: u16 = 256;

impl Direction for Frontend {
    type Tag = FrontendTag;
    const SENDER: Sender = Sender::Frontend;

    #[inline]
    fn interest(tag: FrontendTag) -> Interest {
        match tag {
            FrontendTag::Query | FrontendTag::Parse => Interest::Stream,
            FrontendTag::Bind | FrontendTag::Execute | FrontendTag::Describe | FrontendTag::Close => {
                Interest::Keep(NAMES)
            }
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
        Self { part: Part::Text, name: Vec::new() }
    }

    /// For a Parse body.
    pub fn parse() -> Self {
        Self { part: Part::Name, name: Vec::new() }
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
            (Part::Text, Some((text, _))) => {
                self.part = Part::Rest;
                text
            }
            (Part::Text, None) => chunk,
            _ => &[],
        }
    }
}
