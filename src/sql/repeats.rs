//! Elements of a list that vanish because they are literals like the one before them (FINGERPRINT §2, rule 5), told by
//! their bytes: lists of thousands are common.

use super::block::find;
use super::block::{BLOCK, Block};
use super::lexer::Lexer;

impl Lexer {
    /// How many bytes at the front are such elements, each with its comma. What is anything but plain digits, a parameter
    /// or a string without escapes is left to the machine.
    #[inline(never)]
    pub(super) fn repeats(&self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(len) = bytes.get(taken..).and_then(|rest| self.element(rest)) {
            taken += len;
        }
        taken
    }

    fn element(&self, bytes: &[u8]) -> Option<usize> {
        let space = usize::from(bytes.first()? == &b' ');
        let rest = bytes.get(space..)?;
        let len = match rest.first()? {
            b'\'' if self.dialect.standard_strings => 2 + find(b'\'', rest.get(1..)?)?,
            b'$' => 1 + digits(rest.get(1..)?)?,
            _ => digits(rest)?,
        };
        (rest.get(len)? == &b',').then_some(space + len + 1)
    }
}

fn digits(bytes: &[u8]) -> Option<usize> {
    Some(Block::front(bytes).digits()).filter(|digits| (1..BLOCK).contains(digits))
}
