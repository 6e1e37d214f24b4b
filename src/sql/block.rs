//! The next bytes of a text, sixteen at a time: where a word, digits or a quoted name end, with no branch for each byte.
//!
//! Arithmetic on the eight bytes of a number at once: the top bit of each one says yes or no, and no carry leaves its
//! byte.

use memchr::memchr;

/// Bytes of a block.
pub(super) const BLOCK: usize = 16;

/// Sixteen bytes of a text.
#[derive(Clone, Copy)]
pub(super) struct Block([u64; 2]);

impl Block {
    /// The first bytes of `bytes`; zeros follow when there are less than sixteen.
    #[inline(always)]
    pub(super) fn front(bytes: &[u8]) -> Self {
        Self::new(bytes.first_chunk().map_or_else(|| short(bytes), |block| u128::from_le_bytes(*block)))
    }

    /// A block from the number of its bytes, the first one lowest.
    pub(super) const fn new(number: u128) -> Self {
        Self([number as u64, (number >> 64) as u64])
    }

    #[inline(always)]
    const fn number(self) -> u128 {
        (self.0[1] as u128) << 64 | self.0[0] as u128
    }

    /// The bytes, as they stood in the text.
    #[inline(always)]
    pub(super) fn bytes(self) -> [u8; BLOCK] {
        self.number().to_le_bytes()
    }

    /// The first `len` bytes, which are 1 to 16 and none of them zero, as a number that no other ones have.
    #[inline(always)]
    pub(super) const fn key(self, len: usize) -> u128 {
        self.number().wrapping_shl(8 * BLOCK.wrapping_sub(len) as u32)
    }

    /// The letters, digits and `_` that come first, in lower case, and how many they are. Rubbish follows.
    #[inline(always)]
    pub(super) fn word(self) -> (Self, usize) {
        let [low, high] = self.0;
        let (low, end) = fold(low);
        if end != NONE {
            return (Self([low, high]), place(end));
        }
        let (high, end) = fold(high);
        (Self([low, high]), 8 + place(end))
    }

    /// How many bytes come first that may stand without quotes.
    #[inline(always)]
    pub(super) fn plain(self) -> usize {
        self.before(|eight| {
            outside(eight, b'a', b'z') & outside(eight, b'0', b'9') & outside(eight, b'_', b'_') | eight
        })
    }

    /// How many digits come first.
    #[inline(always)]
    pub(super) fn digits(self) -> usize {
        self.before(|eight| outside(eight, b'0', b'9') | eight)
    }

    /// How many bytes come before `byte`, which is ASCII.
    #[inline(always)]
    pub(super) fn find(self, byte: u8) -> usize {
        self.before(|eight| !(outside(eight, byte, byte) | eight))
    }

    /// How many bytes come before the first one whose top bit is set by `ends`.
    #[inline(always)]
    fn before(self, ends: impl Fn(u64) -> u64) -> usize {
        match ends(self.0[0]) & TOPS {
            NONE => 8 + place(ends(self.0[1]) & TOPS),
            end => place(end),
        }
    }
}

const TOPS: u64 = each(0x80);
const NONE: u64 = 0;

/// `byte` eight times.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The first byte whose top bit is set, of those that are 0 or 0x80; 8 if none is.
#[inline(always)]
fn place(tops: u64) -> usize {
    (tops.trailing_zeros() / 8) as usize
}

/// Sets the top bit of each ASCII byte that is not one of `first` to `last`. Other bits and bytes mean nothing.
#[inline(always)]
fn outside(eight: u64, first: u8, last: u8) -> u64 {
    let low = eight & each(0x7f);
    let (from, behind) = (low + each(0x80 - first), low + each(0x7f - last));
    !(from ^ behind)
}

/// Eight bytes in lower case, and the top bits of those that are no letter, digit or `_`.
#[inline(always)]
fn fold(eight: u64) -> (u64, u64) {
    let other = outside(eight | each(0x20), b'a', b'z');
    let end = other & outside(eight, b'0', b'9') & outside(eight, b'_', b'_') | eight;
    (eight | (!other & TOPS) >> 2, end & TOPS)
}

/// Fewer than sixteen bytes, from two loads that overlap.
#[inline(never)]
fn short(bytes: &[u8]) -> u128 {
    let behind = |half: usize| 8 * (bytes.len() - half) as u32;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << behind(8)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u128::from(u32::from_le_bytes(*first)) | u128::from(u32::from_le_bytes(*last)) << behind(4)
    } else {
        bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }
}

/// Where `byte` is: most strings are short.
#[inline(always)]
pub(super) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    let before = Block::front(bytes).find(byte);
    if before < BLOCK {
        return Some(before);
    }
    memchr(byte, bytes.get(BLOCK..)?).map(|at| BLOCK + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::token::FOLDED;

    fn count(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
        bytes.iter().take(BLOCK).take_while(|byte| belongs(**byte)).count()
    }

    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![4 => prop::char::range('0', 'z').prop_map(|char| char as u8), 1 => any::<u8>()];
        prop::collection::vec(byte, 0..24)
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_its_bytes_are(text in texts(), digits in 0..20_usize) {
            let block = Block::front(&text);
            let padded: Vec<u8> = text.iter().copied().chain([0; BLOCK]).take(BLOCK).collect();
            prop_assert_eq!(&block.bytes()[..], &padded);
            let (folded, len) = block.word();
            prop_assert_eq!(len, count(&text, |byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            let want: Vec<u8> = text.iter().take(len).map(|byte| FOLDED[usize::from(*byte)]).collect();
            prop_assert_eq!(&folded.bytes()[..len], &want);
            prop_assert_eq!(block.plain(), count(&text, |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')));
            prop_assert_eq!(Block::front(&b"1".repeat(digits)).digits(), digits.min(BLOCK));
            for byte in [b'\'', b'a', b'z', b'A'] {
                prop_assert_eq!(block.find(byte), padded.iter().position(|other| *other == byte).unwrap_or(BLOCK));
            }
        }
    }

    #[test]
    fn keys_differ_where_words_do() {
        assert_eq!(Block::front(b"in (").key(2), Block::front(b"inner").key(2));
        assert_ne!(Block::front(b"in").key(2), Block::front(b"inn").key(3));
        assert_ne!(Block::front(b"a").key(1), Block::front(b"b").key(1));
    }
}
