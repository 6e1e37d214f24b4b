//! What a server sends: which bodies matter, and borrowed views of them.

use crate::base::sqlstate::Sqlstate;
use crate::wire::error::Sender;
use crate::wire::frontend::{TYPES, string};
use crate::wire::scanner::{Direction, Interest};
use crate::wire::tag::BackendTag;

/// Server to client.
#[derive(Debug, Default)]
pub struct Backend {
    /// ParameterDescription is read.
    types: bool,
}

impl Backend {
    /// ParameterDescription is read.
    pub fn with_types() -> Self {
        Self { types: true }
    }
}

/// A message is built in a `StringInfo` of at most `MaxAllocSize`, 1 GiB - 1 (utils/memutils.h); the length adds 4.
const LONGEST: u32 = 0x3fff_ffff + 4;
/// `COMPLETION_TAG_BUFSIZE` (tcop/cmdtag.h).
const COMMAND_TAG: u16 = 64;
/// The parameters that are followed have values of at most 63 bytes; others may be cut.
const PARAMETER: u16 = 256;
/// Process id and a key of at most 256 bytes (protocol 3.2).
const BACKEND_KEY: u16 = 260;

impl Direction for Backend {
    type Tag = BackendTag;
    const SENDER: Sender = Sender::Backend;

    #[inline]
    fn interest(&self, tag: BackendTag) -> Interest {
        match tag {
            BackendTag::CommandComplete => Interest::Keep(COMMAND_TAG),
            BackendTag::ReadyForQuery => Interest::Keep(1),
            BackendTag::ErrorResponse => Interest::Stream,
            BackendTag::ParameterStatus => Interest::Keep(PARAMETER),
            BackendTag::Authentication => Interest::Keep(4),
            BackendTag::BackendKeyData => Interest::Keep(BACKEND_KEY),
            BackendTag::ParameterDescription if self.types => Interest::Keep(TYPES),
            _ => Interest::Skip,
        }
    }

    #[inline]
    fn longest(_: BackendTag) -> u32 {
        LONGEST
    }
}

/// Subtype of an Authentication body.
pub fn authentication(body: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*body.first_chunk()?))
}

/// What ReadyForQuery says of the transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TransactionStatus {
    /// `I`: in none.
    #[default]
    Idle,
    /// `T`: in one.
    Open,
    /// `E`: in one that failed.
    Failed,
}

/// The status in a ReadyForQuery body. A byte that nobody sends counts as idle.
#[inline]
pub fn ready(body: &[u8]) -> TransactionStatus {
    match body.first() {
        Some(b'T') => TransactionStatus::Open,
        Some(b'E') => TransactionStatus::Failed,
        _ => TransactionStatus::Idle,
    }
}

/// Name and value of a ParameterStatus body; `None` when they don't end within what was kept.
pub fn parameter(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = string(body)?;
    Some((name, string(rest)?.0))
}

/// The tag of a CommandComplete body, without the NUL.
#[inline]
pub fn command_tag(body: &[u8]) -> &[u8] {
    body.strip_suffix(&[0]).unwrap_or(body)
}

/// Rows of one command at most: a tag that says more is wrong, and would make sums overflow.
pub const ROWS_MAX: u64 = 1 << 48;

/// Rows that a command tag counts: its last word, when that is a number; at most [`ROWS_MAX`].
#[inline]
pub fn rows(tag: &[u8]) -> u64 {
    let (mut rows, mut unit) = (0_u64, 1_u64);
    for byte in tag.iter().rev() {
        match byte {
            b'0'..=b'9' => {
                rows = rows.saturating_add(u64::from(byte - b'0').saturating_mul(unit));
                unit = unit.saturating_mul(10);
            }
            b' ' => return rows.min(ROWS_MAX),
            _ => return 0,
        }
    }
    0
}

/// Reads the fields of an ErrorResponse that matter, however long the others are and however the body is cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorFields {
    field: u8,
    value: [u8; 10],
    length: usize,
    code: Option<Sqlstate>,
    fatal: bool,
    position: Option<u32>,
}

impl ErrorFields {
    /// The fields of a whole body.
    pub fn of(body: &[u8]) -> Self {
        let mut fields = Self::default();
        fields.feed(body);
        fields
    }

    /// More of the body.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        while let Some((byte, rest)) = chunk.split_first() {
            if self.field == 0 {
                // A NUL where a field's type is expected ends the list; what follows it changes nothing.
                (self.field, self.length, chunk) = (*byte, 0, rest);
                continue;
            }
            let (value, rest) = match string(chunk) {
                Some((value, rest)) => (value, Some(rest)),
                None => (chunk, None),
            };
            for byte in value.iter().take(self.value.len().saturating_sub(self.length)) {
                if let Some(slot) = self.value.get_mut(self.length) {
                    *slot = *byte;
                }
                self.length += 1;
            }
            let Some(rest) = rest else { return };
            chunk = rest;
            self.end_field();
        }
    }

    fn end_field(&mut self) {
        let value = self.value.get(..self.length).unwrap_or_default();
        match self.field {
            b'C' => self.code = Sqlstate::parse(value),
            b'V' => self.fatal = matches!(value, b"FATAL" | b"PANIC"),
            b'P' => self.position = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
            _ => {}
        }
        self.field = 0;
    }

    /// `C`: the SQLSTATE.
    pub fn code(&self) -> Sqlstate {
        self.code.unwrap_or(Sqlstate::UNKNOWN)
    }

    /// `V`: FATAL or PANIC, never read from the translated `S`.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// `P`: where in the text, in characters from 1.
    pub fn position(&self) -> Option<u32> {
        self.position
    }
}
