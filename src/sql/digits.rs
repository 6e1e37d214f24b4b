//! How far a number has come, and what its next byte does to it (FINGERPRINT §1).

/// How far a number has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    /// `0` alone.
    Zero,
    /// Digits.
    Whole,
    /// `_` behind digits.
    WholeGap,
    /// `.` behind digits.
    Dot,
    /// `0x`, `0o` or `0b`; its letter.
    Base(u8),
    /// Digits of such a one.
    Based,
    /// Digits behind the point.
    Fraction,
    /// `_` behind those.
    FractionGap,
    /// `e` or `E`.
    Exponent(u8),
    /// That and a sign.
    ExponentSign([u8; 2]),
    /// Digits of the exponent.
    Power,
    /// `_` behind those.
    PowerGap,
}

/// What the next byte does to a number.
pub(super) enum Next {
    /// It belongs to it.
    Is(Number),
    /// It doesn't, and neither do these bytes before it, which begin other tokens.
    End([u8; 2], usize),
}

impl Number {
    /// Whether the step to `next` shows that the number is more than digits. A gap, a point and a letter behind digits
    /// don't yet: they belong to it only with what follows.
    pub(super) fn makes_more_than_digits(self, next: Number) -> bool {
        matches!(self, Number::WholeGap | Number::Dot) || matches!(next, Number::Based | Number::Power)
    }

    /// What `byte` does.
    pub(super) fn next(self, byte: u8) -> Next {
        let digit = byte.is_ascii_digit();
        let next = match (self, byte) {
            (Number::Zero, b'x' | b'X' | b'o' | b'O' | b'b' | b'B') => Number::Base(byte),
            (Number::Zero | Number::Whole, b'_') => Number::WholeGap,
            (Number::Zero | Number::Whole, b'.') => Number::Dot,
            (Number::Zero | Number::Whole | Number::Dot | Number::Fraction, b'e' | b'E') => Number::Exponent(byte),
            (Number::Zero | Number::Whole | Number::WholeGap, _) if digit => Number::Whole,
            (Number::Base(_) | Number::Based, _) if byte.is_ascii_hexdigit() || byte == b'_' => Number::Based,
            (Number::Fraction, b'_') => Number::FractionGap,
            (Number::Dot | Number::Fraction | Number::FractionGap, _) if digit => Number::Fraction,
            (Number::Exponent(letter), b'+' | b'-') => Number::ExponentSign([letter, byte]),
            (Number::Power, b'_') => Number::PowerGap,
            (Number::Exponent(_) | Number::ExponentSign(_) | Number::Power | Number::PowerGap, _) if digit => {
                Number::Power
            }
            _ => return self.end(byte),
        };
        Next::Is(next)
    }

    fn end(self, byte: u8) -> Next {
        match self {
            Number::WholeGap | Number::FractionGap | Number::PowerGap => Next::End([b'_', 0], 1),
            Number::Dot if byte == b'.' => Next::End([b'.', 0], 1),
            Number::Base(letter) | Number::Exponent(letter) => Next::End([letter, 0], 1),
            Number::ExponentSign(bytes) => Next::End(bytes, 2),
            _ => Next::End([0, 0], 0),
        }
    }
}
