//! Words and quoted words of a skeleton: what stays, what vanishes, what hides (FINGERPRINT §1; §2, rules 2 to 7).

use super::block::{BLOCK, Block};
use super::names::{Mode, Role, folded};
use super::skeleton::{Skeleton, bit};
use super::spacing::Prev;
use super::text::PLACEHOLDER;
use super::token::{self, Rules, rule};

impl Skeleton {
    /// A word of which the first `len` bytes of `folded` are known.
    #[inline(always)]
    pub(super) fn word_begin(&mut self, folded: Block, len: usize) {
        self.gap();
        self.text.put(folded, len);
    }

    /// A word that is the first `len` bytes of `folded` ends.
    #[inline(always)]
    pub(super) fn short_word_end(&mut self, folded: Block, len: usize) {
        self.end_word(token::rules(folded, len));
    }

    /// Takes the word's bytes from the front of `input`, and says how many they are.
    pub(super) fn word_part(&mut self, input: &[u8]) -> usize {
        self.text.take_word(input)
    }

    /// One byte of the word, as it is: the second of a pair.
    pub(super) fn word_byte(&mut self, byte: u8) {
        self.text.push(if byte == PLACEHOLDER { 0xfe } else { byte });
    }

    /// What looked like a word wasn't one.
    pub(super) fn word_drop(&mut self) {
        self.text.truncate(self.mark);
    }

    /// Whether the word in progress is `word`.
    pub(super) fn word_is(&self, word: &[u8]) -> bool {
        self.text.from(self.start) == word
    }

    /// The word ends.
    pub(super) fn word_end(&mut self) {
        let rules = self.text.rules_from(self.start);
        self.end_word(rules);
    }

    #[inline(always)]
    fn end_word(&mut self, rules: Rules) {
        const SPECIAL: Rules = rule::NOISE | rule::LITERAL | rule::SUBQUERY | rule::BY | rule::STOP;
        if (self.mode != Mode::Plain || rules & SPECIAL != 0) && self.special_word(rules) {
            return;
        }
        self.ended(Prev::Word, rules);
    }

    /// True when the word has vanished or become a placeholder.
    #[inline(never)]
    fn special_word(&mut self, rules: Rules) -> bool {
        let after_dot = self.prev == Prev::Dot;
        let is_name = matches!(self.mode, Mode::Name(_) | Mode::Fetch | Mode::Rest(_));
        if rules & rule::NOISE != 0 && !is_name && !after_dot && self.rules & rule::AS == 0 {
            self.text.truncate(self.mark);
            return true;
        }
        if self.mode == Mode::First {
            self.hides_literals = rules & rule::GATE != 0;
        }
        let word = self.text.from(self.start);
        match self.mode.word(word, rules, self.rules & rule::BEGIN != 0) {
            Role::Word => {}
            Role::Name => {
                self.replace_name();
                return true;
            }
            Role::Rest => {
                self.text.truncate(self.mark);
                self.rest();
                return true;
            }
        }
        if rules & rule::LITERAL != 0 && self.hides_literals && !after_dot && self.rules & rule::KEEPS == 0 {
            self.text.truncate(self.mark);
            self.gap();
            self.placeholder();
            return true;
        }
        if rules & rule::SUBQUERY != 0 && self.prev == Prev::ListOpen {
            self.lists.cancel();
        }
        if rules & rule::STOP != 0 {
            self.positions &= !bit(self.depth);
        } else if rules & rule::BY != 0 {
            self.positions |= bit(self.depth);
        }
        false
    }

    fn replace_name(&mut self) {
        if self.name.is_none() {
            self.name = Some(folded(self.text.from(self.start)));
        }
        self.hides_literals = true;
        self.text.truncate(self.mark);
        self.gap();
        self.placeholder();
    }

    /// A quoted word that is the front of `bytes`, if it is short and stands bare: how many bytes it has.
    #[inline]
    pub(super) fn bare_word(&mut self, bytes: &[u8]) -> Option<usize> {
        let block = Block::front(bytes);
        let len = block.plain();
        let closed = len < BLOCK && matches!(bytes.get(len..), Some([b'"', after, ..]) if *after != b'"');
        if !closed || bytes.first().is_none_or(|first| matches!(first, b'"' | b'0'..=b'9')) {
            return None;
        }
        let rules = token::rules(block, len);
        if rules & rule::RESERVED != 0 {
            return None;
        }
        self.word_begin(block, len);
        self.end_word(rules);
        Some(len)
    }

    /// A quoted word begins; `prefix` is `U&` or nothing.
    pub(super) fn quoted_begin(&mut self, prefix: &[u8]) {
        self.gap();
        self.text.extend(prefix);
        self.text.push(b'"');
        self.plain = prefix.is_empty();
    }

    /// Takes bytes up to a double quote, and says how many they are.
    pub(super) fn quoted_part(&mut self, input: &[u8]) -> usize {
        let (taken, plain) = self.text.take_quoted(input);
        self.plain &= plain;
        taken
    }

    /// `""` inside.
    pub(super) fn quoted_quote(&mut self) {
        self.text.extend(b"\"\"");
        self.plain = false;
    }

    /// The quoted word ends, by a quote or by the end of the text.
    pub(super) fn quoted_end(&mut self, closed: bool) {
        let first = self.text.from(self.start + 1).first().copied();
        let plain = closed && self.plain && first.is_some_and(|byte| !byte.is_ascii_digit());
        if plain {
            let rules = self.text.rules_from(self.start + 1);
            if rules & rule::RESERVED == 0 && self.text.from(self.start + 1) != b"current_timestamp" {
                self.text.remove(self.start);
                return self.end_word(rules);
            }
        }
        if closed {
            self.text.push(b'"');
        }
        if self.mode != Mode::Plain && self.mode != Mode::First {
            match self.mode.quoted() {
                Role::Word => {}
                Role::Name => return self.replace_name(),
                Role::Rest => {
                    self.text.truncate(self.mark);
                    return self.rest();
                }
            }
        }
        self.ended(Prev::Quoted, 0);
    }
}
