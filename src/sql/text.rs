//! The buffer in which a skeleton is written: bounded, allocated once.

use super::token::{self, FOLDED, Rules};

/// Bytes of a skeleton at most, a placeholder being one (FINGERPRINT §2, rule 10).
pub(super) const TEXT_MAX: usize = 65_536;

/// A token that crosses the limit is still told by its first bytes.
const SLACK: usize = 64;

/// Stands for a literal. No other byte of a skeleton has this value, see [`FOLDED`].
pub(super) const PLACEHOLDER: u8 = 0xff;

/// Bytes of a skeleton. Writing past the end is silently nothing.
pub(super) struct Text {
    bytes: Box<[u8]>,
    len: usize,
    full: bool,
}

impl Text {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; TEXT_MAX + SLACK].into_boxed_slice(), len: 0, full: false }
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

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }

    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes the bytes of a word from the front of `input`, and says how many they are.
    #[inline(always)]
    pub(super) fn take_word(&mut self, input: &[u8]) -> usize {
        let mut taken = 0;
        for (slot, byte) in self.bytes.get_mut(self.len..).unwrap_or_default().iter_mut().zip(input) {
            let folded = FOLDED[usize::from(*byte)];
            if folded == 0 {
                self.len += taken;
                return taken;
            }
            *slot = folded;
            taken += 1;
        }
        self.len += taken;
        let unwritten = input.get(taken..).unwrap_or_default();
        taken + unwritten.iter().take_while(|byte| FOLDED[usize::from(**byte)] != 0).count()
    }

    /// Takes bytes up to a double quote, says how many and whether they might all stand bare.
    #[inline]
    pub(super) fn take_quoted(&mut self, input: &[u8]) -> (usize, bool) {
        let mut plain = true;
        for (taken, byte) in input.iter().enumerate() {
            match byte {
                b'a'..=b'z' | b'_' | b'0'..=b'9' => self.push(*byte),
                b'"' => return (taken, plain),
                _ => {
                    plain = false;
                    self.push(if *byte == PLACEHOLDER { 0xfe } else { *byte });
                }
            }
        }
        (input.len(), plain)
    }

    /// What the rules say of the word that was written from `start` on.
    #[inline(always)]
    pub(super) fn rules_from(&self, start: usize) -> Rules {
        match self.bytes.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => token::rules(*bytes, self.len - start),
            None => 0,
        }
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
