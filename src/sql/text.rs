//! The buffer in which a skeleton is written: bounded, allocated once.

use super::block::{BLOCK, Block};
use super::token::{self, FOLDED, Rules};

/// Bytes of a skeleton at most, a placeholder being one (FINGERPRINT §2, rule 10).
pub(super) const TEXT_MAX: usize = 65_536;

/// A token that crosses the limit is still told by its first bytes, which may come in blocks.
const SLACK: usize = 128;
const ROOM: usize = TEXT_MAX + SLACK;

/// Stands for a literal. No other byte of a skeleton has this value, see [`FOLDED`].
pub(super) const PLACEHOLDER: u8 = 0xff;

/// Bytes of a skeleton. Writing past the end is silently nothing.
pub(super) struct Text {
    bytes: Box<[u8; ROOM]>,
    len: usize,
    full: bool,
}

impl Text {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; ROOM]), len: 0, full: false }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.full = false;
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the limit was crossed: what comes is dropped.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.from(0)
    }

    /// What was written from `start` on.
    #[inline]
    pub(super) fn from(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.len).unwrap_or_default()
    }

    /// What was written between two lengths.
    pub(super) fn between(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    /// A space, if the next token stands apart.
    #[inline(always)]
    pub(super) fn gap(&mut self, apart: bool) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = b' ';
            self.len += usize::from(apart);
        }
    }

    /// The first `len` bytes of `block`; what is written behind them is overwritten by what comes next.
    #[inline(always)]
    pub(super) fn put(&mut self, block: Block, len: usize) {
        if let Some(slot) = self.bytes.get_mut(self.len..self.len + BLOCK) {
            slot.copy_from_slice(&block.bytes());
            self.len += len;
        }
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }

    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes the bytes of a word from the front of `input`, and says how many they are.
    pub(super) fn take_word(&mut self, input: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest @ [_, ..]) = input.get(taken..) {
            let (folded, len) = Block::front(rest).word();
            self.put(folded, len);
            taken += len;
            match rest.get(len).map_or(0, |byte| FOLDED[usize::from(*byte)]) {
                0 => break,
                // `$` or no ASCII; or just the next block.
                byte => {
                    self.push(byte);
                    taken += 1;
                }
            }
        }
        taken
    }

    /// Takes bytes up to a double quote, says how many and whether they might all stand bare.
    pub(super) fn take_quoted(&mut self, input: &[u8]) -> (usize, bool) {
        let mut plain = true;
        let mut taken = 0;
        while let Some(rest @ [_, ..]) = input.get(taken..) {
            let block = Block::front(rest);
            let len = block.plain();
            self.put(block, len);
            taken += len;
            match rest.get(len) {
                None | Some(b'"') => break,
                Some(b'a'..=b'z' | b'_' | b'0'..=b'9') => {}
                Some(byte) => {
                    plain = false;
                    self.push(if *byte == PLACEHOLDER { 0xfe } else { *byte });
                    taken += 1;
                }
            }
        }
        (taken, plain)
    }

    /// What the rules say of the word that was written from `start` on.
    pub(super) fn rules_from(&self, start: usize) -> Rules {
        let word = self.from(start);
        token::rules(Block::front(word), word.len())
    }

    /// Takes the byte at `start` out.
    pub(super) fn remove(&mut self, start: usize) {
        if start < self.len {
            self.bytes.copy_within(start + 1..self.len, start);
            self.len -= 1;
        }
    }

    /// A token has ended: true when it is the one that crosses the limit.
    #[inline(always)]
    pub(super) fn settle(&mut self) -> bool {
        if self.len <= TEXT_MAX {
            return false;
        }
        self.len = TEXT_MAX;
        !std::mem::replace(&mut self.full, true)
    }
}
