//! Tokens to skeleton: the canonical text with one byte for each placeholder (FINGERPRINT §2). Allocates nothing.
//!
//! A token is written as it comes, and taken back when its end shows that it vanishes or hides behind a placeholder.

use super::lists::Lists;
use super::names::Mode;
use super::spacing::Prev;
use super::statement::Name;
use super::text::{PLACEHOLDER, Text};
use super::token::{Rules, rule};

/// Digits of a position at most: a select list has up to 1,664 columns. What is longer can only be somebody's data.
const POSITION_MAX: usize = 4;

/// One statement's skeleton while it grows.
pub(super) struct Skeleton {
    pub(super) text: Text,
    pub(super) lists: Lists,
    pub(super) prev: Prev,
    /// What is said of the word that was written last; 0 when it was no word.
    pub(super) rules: Rules,
    pub(super) mode: Mode,
    /// Null, true and false are placeholders (rule 2).
    pub(super) hides_literals: bool,
    /// Brackets that are open.
    pub(super) depth: u32,
    /// Depths at which digits after a comma are positions: bit n is depth n (rule 4).
    pub(super) positions: u64,
    /// Where the token in progress starts, with the space before it.
    pub(super) mark: usize,
    /// Where it starts.
    pub(super) start: usize,
    /// The quoted word in progress might stand bare.
    pub(super) plain: bool,
    /// The number in progress is a position if it turns out to be digits alone.
    position: bool,
    /// Before the unary minus: where, after which token.
    minus: (usize, Prev, Rules),
    /// The first name that became a placeholder.
    pub(super) name: Option<Name>,
}

impl Skeleton {
    pub(super) fn new() -> Self {
        Self {
            text: Text::new(),
            lists: Lists::new(),
            prev: Prev::Start,
            rules: 0,
            mode: Mode::First,
            hides_literals: false,
            depth: 0,
            positions: 0,
            mark: 0,
            start: 0,
            plain: false,
            position: false,
            minus: (0, Prev::Start, 0),
            name: None,
        }
    }

    /// Forgets the statement.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.lists.clear();
        self.prev = Prev::Start;
        self.rules = 0;
        self.mode = Mode::First;
        self.hides_literals = false;
        self.depth = 0;
        self.positions = 0;
        self.name = None;
    }

    /// The skeleton so far, complete between tokens.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The name that the statement gives or uses, if it is one of those of rule 6.
    pub(super) fn take_name(&mut self) -> Option<Name> {
        self.name.take()
    }

    /// A string or a parameter.
    #[inline]
    pub(super) fn literal(&mut self) {
        if !self.taken_as_literal() {
            self.gap();
            self.placeholder();
        }
    }

    /// A number begins.
    #[inline]
    pub(super) fn number_begin(&mut self) {
        self.position = false;
        if self.taken_as_literal() {
            return;
        }
        if self.prev == Prev::Minus {
            let (mark, prev, rules) = self.minus;
            self.text.truncate(mark);
            (self.prev, self.rules) = (prev, rules);
        } else {
            self.position = match self.prev {
                Prev::Word => self.rules & rule::BY != 0,
                Prev::Comma | Prev::RowComma => self.positions & bit(self.depth) != 0,
                _ => false,
            };
        }
        self.gap();
        if !self.position {
            self.placeholder();
        }
    }

    /// Digits of the number, while it is nothing else.
    #[inline]
    pub(super) fn number_part(&mut self, digits: &[u8]) {
        if self.position {
            self.text.extend(digits);
        }
    }

    /// The number ends; `digits`: it was nothing else.
    #[inline]
    pub(super) fn number_end(&mut self, digits: bool) {
        if self.position {
            if digits && self.text.len() <= self.start + POSITION_MAX {
                self.ended(Prev::Digits, 0);
            } else {
                self.text.truncate(self.start);
                self.placeholder();
            }
        }
    }

    /// An operator, `=>` for `:=`.
    #[inline]
    pub(super) fn operator(&mut self, written: &[u8]) {
        if self.mode != Mode::Plain {
            if written == b"=" && self.mode.assigns() {
                self.gap();
                self.text.extend(b"to");
                self.mode = Mode::Rest(false);
                return self.ended(Prev::Word, 0);
            }
            if self.mode.other() {
                return self.rest();
            }
        }
        let mark = self.text.len();
        if self.prev == Prev::Colon && written.first() == Some(&b'=') {
            self.text.push(b' ');
        }
        self.gap();
        let mut prev = Prev::Operator;
        match written {
            b"-" => {
                if self.prev.sign_follows(self.rules) {
                    self.minus = (mark, self.prev, self.rules);
                    prev = Prev::Minus;
                }
                self.text.push(b'-');
            }
            b"!=" => self.text.extend(b"<>"),
            _ => self.text.extend(written),
        }
        self.ended(prev, 0);
    }

    /// `(` or `[`
    #[inline]
    pub(super) fn open(&mut self, bracket: u8) {
        let outside = self.depth;
        self.depth = outside.saturating_add(1);
        if self.mode != Mode::Plain && self.mode.other() {
            return self.rest();
        }
        let is_list = if bracket == b'(' { self.open_paren(outside) } else { self.open_bracket(outside) };
        self.ended(if is_list { Prev::ListOpen } else { Prev::Open }, 0);
    }

    fn open_paren(&mut self, outside: u32) -> bool {
        if self.prev == Prev::RowComma {
            self.lists.open_row();
        } else if self.prev == Prev::Word && self.rules & rule::VALUES != 0 {
            self.lists.open_rows(outside, &self.text);
        }
        if !self.prev.calls(self.rules) {
            self.gap();
        }
        self.text.push(b'(');
        self.prev == Prev::Word && self.rules & rule::IN != 0 && self.lists.open_parens(self.depth, &self.text)
    }

    fn open_bracket(&mut self, outside: u32) -> bool {
        let is_list = match self.prev {
            Prev::Word => self.rules & rule::ARRAY != 0,
            Prev::ListOpen | Prev::Comma => self.lists.in_brackets(outside),
            _ => false,
        };
        if self.prev.parts_bracket() {
            self.gap();
        }
        self.text.push(b'[');
        is_list && self.lists.open_brackets(self.depth, &self.text)
    }

    /// `)` or `]`
    #[inline]
    pub(super) fn close(&mut self, bracket: u8) {
        let inside = self.depth;
        self.depth = inside.saturating_sub(1);
        self.positions &= !bit(inside);
        if self.mode != Mode::Plain && self.mode.other() {
            return self.rest();
        }
        self.lists.close(self.depth, &mut self.text);
        self.text.push(bracket);
        let row = self.lists.end_row(self.depth, &mut self.text);
        self.ended(if row { Prev::RowClose } else { Prev::Close }, 0);
    }

    /// `,`
    #[inline]
    pub(super) fn comma(&mut self) {
        if self.mode != Mode::Plain && self.mode.other() {
            return self.rest();
        }
        if self.prev == Prev::RowClose {
            self.text.push(b',');
            self.lists.next_row(&self.text);
            return self.ended(Prev::RowComma, 0);
        }
        self.lists.comma(self.depth, &mut self.text);
        self.text.push(b',');
        self.ended(Prev::Comma, 0);
    }

    /// Whether a literal and a comma would leave the text as it is: a list's last element is one, and a comma was written.
    #[inline]
    pub(super) fn literal_repeats(&self) -> bool {
        self.lists.is_open()
            && matches!(self.mode, Mode::Plain)
            && self.positions & bit(self.depth) == 0
            && self.lists.repeats(&[PLACEHOLDER], self.depth, &self.text)
    }

    /// `.`
    #[inline]
    pub(super) fn dot(&mut self) {
        if self.mode != Mode::Plain && self.mode.dot() {
            return self.rest();
        }
        if self.prev == Prev::Digits {
            self.text.push(b' ');
        }
        self.text.push(b'.');
        self.ended(Prev::Dot, 0);
    }

    /// `:` or `::`
    pub(super) fn colon(&mut self, written: &[u8]) {
        if self.mode != Mode::Plain && self.mode.other() {
            return self.rest();
        }
        if self.prev == Prev::Colon {
            self.text.push(b' ');
        }
        self.text.extend(written);
        self.ended(if written.len() == 1 { Prev::Colon } else { Prev::Cast }, 0);
    }

    /// `;`: true when it ends the statement.
    pub(super) fn semicolon(&mut self) -> bool {
        if self.depth == 0 && self.mode.ends() {
            return true;
        }
        if self.mode.other() {
            self.rest();
        } else {
            self.text.push(b';');
            self.ended(Prev::Semicolon, 0);
        }
        false
    }

    /// Any other byte.
    pub(super) fn other(&mut self, byte: u8) {
        if self.mode.other() {
            return self.rest();
        }
        self.gap();
        self.text.push(byte);
        self.ended(Prev::Other, 0);
    }

    /// Rules 6 and 7 have their say about a literal: true when it is part of what one placeholder stands for.
    #[inline]
    fn taken_as_literal(&mut self) -> bool {
        if self.mode == Mode::Plain {
            return false;
        }
        self.hides_literals |= matches!(self.mode, Mode::Name(_));
        let taken = self.mode.other();
        if taken {
            self.rest();
        }
        taken
    }

    /// A token of what one placeholder stands for has ended.
    pub(super) fn rest(&mut self) {
        if self.mode == Mode::Rest(false) {
            self.mode = Mode::Rest(true);
            self.gap();
            self.placeholder();
        }
    }

    /// Notes where a token starts, and sets it apart from the one before.
    #[inline(always)]
    pub(super) fn gap(&mut self) {
        self.mark = self.text.len();
        self.text.gap(!self.prev.glues());
        self.start = self.text.len();
    }

    #[inline(always)]
    pub(super) fn placeholder(&mut self) {
        self.text.push(PLACEHOLDER);
        self.ended(Prev::Placeholder, 0);
    }

    #[inline(always)]
    pub(super) fn ended(&mut self, prev: Prev, rules: Rules) {
        self.prev = prev;
        self.rules = rules;
        if self.text.settle() {
            self.lists.clear();
        }
    }
}

pub(super) fn bit(depth: u32) -> u64 {
    1u64.checked_shl(depth).unwrap_or(0)
}
