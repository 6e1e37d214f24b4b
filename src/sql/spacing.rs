//! The token that was written last, and what it means for the next one (FINGERPRINT §2, rules 1 and 8).

use super::token::{Rules, rule};

/// The token that was written last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prev {
    /// None.
    Start,
    Open,
    /// Opened a list.
    ListOpen,
    Dot,
    /// `::`
    Cast,
    Colon,
    // Up to here the next token follows without a space: `glues`.
    Word,
    Quoted,
    Placeholder,
    /// Digits that stay (rule 4).
    Digits,
    Operator,
    /// A unary minus.
    Minus,
    Close,
    /// Ended a row.
    RowClose,
    Comma,
    /// Behind a row.
    RowComma,
    Semicolon,
    Other,
}

impl Prev {
    /// Whether the next token follows without a space, whatever it is.
    #[inline(always)]
    pub(super) fn glues(self) -> bool {
        matches!(self, Prev::Start | Prev::Open | Prev::ListOpen | Prev::Dot | Prev::Cast | Prev::Colon)
    }

    /// Whether a minus that follows is a sign; `rules` are those of the word, if it was one.
    #[inline]
    pub(super) fn sign_follows(self, rules: Rules) -> bool {
        match self {
            Prev::Start | Prev::Open | Prev::ListOpen | Prev::Comma | Prev::RowComma | Prev::Colon => true,
            Prev::Operator | Prev::Minus => true,
            Prev::Word => rules & rule::KEYWORD != 0,
            _ => false,
        }
    }

    /// Whether `[` stands apart. After a comma it does: the rule's `, ` comes before its "nothing before `[`".
    pub(super) fn parts_bracket(self) -> bool {
        matches!(self, Prev::Operator | Prev::Minus | Prev::Comma | Prev::RowComma)
    }

    /// Whether `(` follows as a call's does.
    #[inline]
    pub(super) fn calls(self, rules: Rules) -> bool {
        self == Prev::Quoted || self == Prev::Word && rules & rule::KEYWORD == 0
    }
}
