//! Numbers (FINGERPRINT §1), byte by byte.

use super::block::Block;
use super::digits::{Next, Number};
use super::lexer::{Last, Lexer, State};
use super::piece::Piece;
use super::token::{Byte, class};

/// Whether `byte` behind digits leaves no doubt that they are a number.
fn ends_number(byte: u8) -> bool {
    !matches!(class(byte), Byte::Word | Byte::Prefix | Byte::Dot | Byte::Digit)
}

impl Lexer {
    #[inline]
    pub(super) fn begin_number(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        piece.fresh = true;
        self.last = Last::Other;
        self.whole = true;
        piece.skeleton.number_begin();
        let count = Block::front(bytes).digits();
        let digits = bytes.get(..count).unwrap_or_default();
        piece.skeleton.number_part(digits);
        let next = bytes.get(count);
        if next.is_some_and(|next| ends_number(*next)) {
            piece.skeleton.number_end(true);
            return count;
        }
        if next == Some(&b'.') {
            let fraction = bytes.get(count + 1..).unwrap_or_default();
            let more = Block::front(fraction).digits();
            if more > 0 && fraction.get(more).is_some_and(|next| ends_number(*next)) {
                piece.skeleton.number_end(false);
                return count + 1 + more;
            }
        }
        self.state = State::Number(if digits == b"0" { Number::Zero } else { Number::Whole });
        count
    }

    pub(super) fn number(&mut self, number: Number, bytes: &[u8], piece: &mut Piece) -> usize {
        let mut number = number;
        for (taken, byte) in bytes.iter().enumerate() {
            match number.next(*byte) {
                Next::Is(next) => {
                    self.whole &= !number.makes_more_than_digits(next);
                    if self.whole && next == Number::Whole {
                        piece.skeleton.number_part(std::slice::from_ref(byte));
                    }
                    number = next;
                }
                Next::End(before, count) => {
                    piece.skeleton.number_end(self.whole && (number != Number::Dot || count > 0));
                    self.again(before.get(..count).unwrap_or_default(), piece);
                    return taken;
                }
            }
        }
        self.state = State::Number(number);
        bytes.len()
    }

    #[inline]
    pub(super) fn begin_dot(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        piece.fresh = true;
        match bytes.get(1) {
            Some(next) => 1 + self.dot(*next, piece),
            None => {
                self.state = State::Dot;
                1
            }
        }
    }

    /// `.` was read, and then `byte`.
    pub(super) fn dot(&mut self, byte: u8, piece: &mut Piece) -> usize {
        if byte.is_ascii_digit() && self.last != Last::Operand {
            self.whole = false;
            self.last = Last::Other;
            piece.skeleton.number_begin();
            self.state = State::Number(Number::Fraction);
            return 0;
        }
        piece.skeleton.dot();
        self.state = State::Start;
        self.last = Last::Other;
        0
    }
}
