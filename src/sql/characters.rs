//! Characters of a text: an error's position is counted in them.

use super::statement::{Encoding, Statements};

/// Counts characters in any pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Characters {
    encoding: Encoding,
    total: u32,
    /// The first byte of a pair was the last one.
    in_pair: bool,
}

impl Default for Characters {
    fn default() -> Self {
        Self::new(Encoding::AsciiSafe)
    }
}

impl Characters {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, total: 0, in_pair: false }
    }

    /// Characters so far.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Counts those that begin in `bytes`.
    pub(super) fn count(&mut self, bytes: &[u8]) {
        let count = match self.encoding {
            Encoding::AsciiSafe => leading_bytes(bytes),
            Encoding::SingleByte => bytes.len(),
            Encoding::DoubleByte | Encoding::ShiftJis => self.pairs(bytes),
        };
        self.total = self.total.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn pairs(&mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        for byte in bytes {
            if self.in_pair {
                self.in_pair = false;
            } else {
                count += 1;
                self.in_pair = self.encoding.pairs(*byte);
            }
        }
        count
    }
}

/// Bytes that begin a character of UTF-8; in blocks whose counts fit a byte, which compilers turn into vectors.
fn leading_bytes(bytes: &[u8]) -> usize {
    let in_block = |block: &[u8]| block.iter().fold(0u8, |count, byte| count + u8::from(byte & 0xc0 != 0x80));
    bytes.chunks(128).map(|block| usize::from(in_block(block))).sum()
}

/// Turns the ends of `statements` from bytes of `sql` into characters. The last one has no end: whatever follows is its
/// own.
pub(super) fn place(statements: &mut Statements, sql: &[u8], encoding: Encoding) {
    let mut characters = Characters::new(encoding);
    let mut at = 0;
    let last = statements.len().saturating_sub(1);
    for statement in statements.iter_mut().take(last) {
        let end = statement.end_chars as usize;
        characters.count(sql.get(at..end).unwrap_or_default());
        at = end;
        statement.end_chars = characters.total();
    }
    if let Some(statement) = statements.last_mut() {
        statement.end_chars = u32::MAX;
    }
}
