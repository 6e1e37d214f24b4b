//! Bytes to tokens (FINGERPRINT §1): a push machine that may be stopped and resumed at any byte. Never fails.
//!
//! Its state is of constant size; what a token's bytes are is written to the skeleton at once. Strings, quoted words,
//! dollar quotes and comments are in [`super::quotes`], operators in [`super::operators`], numbers in [`super::number`].

use super::block::Block;
use super::digits::Number;
use super::dollar::{Dollar, Escapes};
use super::operator::Operator;
use super::piece::Piece;
use super::statement::{Dialect, Encoding};
use super::token::{Byte, FOLDED, class};

/// Where in a token the machine stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Between tokens.
    Start,
    Word,
    /// The first byte of a pair, in a word.
    WordPair,
    /// A word's first letter, which may be a string's prefix.
    Prefix(u8),
    /// `u&`
    Unicode(u8),
    Quoted,
    /// A double quote inside, which may be the end.
    QuotedQuote,
    Number(Number),
    Operator,
    /// `.`, which may begin a number.
    Dot,
    /// `:`, which may be `::` or `:=`.
    Colon,
    String,
    /// A quote inside, which may be the end.
    StringQuote,
    /// A backslash.
    StringEscape,
    /// The first byte of a pair, in a string with escapes.
    StringPair,
    /// `$`
    Dollar,
    /// A letter behind it: the tag of a dollar quote, maybe.
    Tag,
    /// The first byte of a pair, in such a tag.
    TagPair,
    Parameter,
    DollarQuoted,
    LineComment,
    BlockComment,
    /// A `*` or `/` inside, which may be half of a mark.
    BlockMark(u8),
}

/// What the last token means to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Last {
    Other,
    /// A word, a quoted word or a closing bracket: `.` behind it begins no number.
    Operand,
    /// A string in quotes: another one joins it.
    String {
        escapes: Escapes,
        unicode: bool,
    },
}

/// The machine.
pub(super) struct Lexer {
    pub(super) dialect: Dialect,
    pub(super) state: State,
    pub(super) last: Last,
    /// The word in progress is `uescape` behind a string that it may belong to.
    held: bool,
    /// The number in progress is digits alone so far.
    pub(super) whole: bool,
    pub(super) dollar: Dollar,
    pub(super) operator: Operator,
    /// Block comments that are open.
    pub(super) nested: u32,
}

impl Lexer {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::Start,
            last: Last::Other,
            held: false,
            whole: false,
            dollar: Dollar::default(),
            operator: Operator::default(),
            nested: 0,
        }
    }

    /// Begins a text.
    pub(super) fn reset(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        self.state = State::Start;
        self.last = Last::Other;
        self.held = false;
    }

    /// Reads `bytes` up to the end of a statement, and says where that is; all of them when none ends.
    pub(super) fn feed(&mut self, bytes: &[u8], piece: &mut Piece) -> Option<usize> {
        let mut at = 0;
        while let Some(rest @ [first, ..]) = bytes.get(at..) {
            at += match self.state {
                State::Start => {
                    let (taken, ended) = self.start(rest, piece);
                    if ended {
                        self.last = Last::Other;
                        return Some(at + taken);
                    }
                    taken
                }
                State::Word => self.word(rest, piece),
                State::WordPair => self.word_pair(*first, piece),
                State::Prefix(letter) => self.prefix(letter, *first, piece),
                State::Unicode(letter) => self.unicode(letter, *first, piece),
                State::Quoted => self.quoted(rest, piece),
                State::QuotedQuote => self.quoted_quote(*first, piece),
                State::Number(number) => self.number(number, rest, piece),
                State::Operator => self.operator(*first, piece),
                State::Dot => self.dot(*first, piece),
                State::Colon => self.colon(*first, piece),
                State::String => self.string(rest),
                State::StringQuote => self.string_quote(*first),
                State::StringEscape => self.string_escape(*first),
                State::StringPair => self.string_pair(*first),
                State::Dollar => self.dollar(*first, piece),
                State::Tag => self.tag(*first, piece),
                State::TagPair => self.tag_pair(*first),
                State::Parameter => self.parameter(rest),
                State::DollarQuoted => self.dollar_quoted(rest),
                State::LineComment => self.line_comment(rest, piece),
                State::BlockComment => self.block_comment(rest, piece),
                State::BlockMark(mark) => self.block_mark(mark, *first, piece),
            };
        }
        None
    }

    /// The text ends, and with it whatever is open.
    pub(super) fn end(&mut self, piece: &mut Piece) {
        match self.state {
            State::WordPair => self.state = State::Word,
            State::TagPair => self.state = State::Tag,
            _ => {}
        }
        match self.state {
            State::Quoted => piece.skeleton.quoted_end(false),
            State::LineComment | State::BlockComment | State::BlockMark(_) => piece.comment_end(),
            State::String | State::StringEscape | State::StringPair | State::DollarQuoted => {}
            State::Start | State::Parameter | State::StringQuote => {}
            State::Number(Number::Zero | Number::Whole) => piece.skeleton.number_end(self.whole),
            State::Word => self.end_word(piece),
            // A space ends every other token and is none.
            _ => {
                self.feed(b" ", piece);
            }
        }
        if self.held {
            self.release(piece);
        }
        self.state = State::Start;
        self.last = Last::Other;
    }

    /// Bytes that turned out to belong to no number or tag are read again, as what they are.
    pub(super) fn again(&mut self, bytes: &[u8], piece: &mut Piece) {
        self.state = State::Start;
        if !bytes.is_empty() {
            self.feed(bytes, piece);
        }
    }

    /// Reads tokens as long as they end within `bytes`; how many bytes, and whether the statement has ended.
    #[inline(never)]
    fn start(&mut self, bytes: &[u8], piece: &mut Piece) -> (usize, bool) {
        let mut at = 0;
        while let Some(rest @ [byte, ..]) = bytes.get(at..) {
            let class = class(*byte);
            if class == Byte::Space {
                at += 1;
                continue;
            }
            if self.held && !(class == Byte::Quote || class == Byte::Operator) {
                self.release(piece);
            }
            at += match class {
                Byte::Prefix if !matches!(rest, [_, next, ..] if !matches!(next, b'\'' | b'&')) => {
                    self.begin_prefix(*byte, piece)
                }
                Byte::Word | Byte::Prefix => self.begin_word(rest, piece),
                Byte::Operator => self.begin_operator(rest, piece),
                Byte::Digit => self.begin_number(rest, piece),
                Byte::Quote => self.begin_string(None, piece) + self.string(rest.get(1..).unwrap_or_default()),
                Byte::DoubleQuote => self.double_quote(rest, piece),
                Byte::Dot => self.begin_dot(rest, piece),
                Byte::Comma => self.comma(rest, piece),
                Byte::Semicolon if piece.semicolon() => return (at + 1, true),
                _ => self.mark(class, *byte, piece),
            };
            if !matches!(self.state, State::Start) {
                break;
            }
            // Behind most tokens there is a single space.
            at += usize::from(bytes.get(at) == Some(&b' '));
        }
        (at, false)
    }

    /// Tokens of one byte, and those whose second byte decides.
    #[inline]
    fn mark(&mut self, class: Byte, byte: u8, piece: &mut Piece) -> usize {
        piece.fresh = true;
        self.last = Last::Other;
        match class {
            Byte::Open => piece.skeleton.open(byte),
            Byte::Close => {
                piece.skeleton.close(byte);
                self.last = Last::Operand;
            }
            Byte::Colon => self.state = State::Colon,
            Byte::Dollar => self.state = State::Dollar,
            Byte::Semicolon | Byte::Space => {}
            _ => piece.skeleton.other(byte),
        }
        1
    }

    #[inline]
    fn comma(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        piece.fresh = true;
        self.last = Last::Other;
        piece.skeleton.comma();
        if !piece.skeleton.literal_repeats() {
            return 1;
        }
        1 + self.repeats(bytes.get(1..).unwrap_or_default())
    }

    pub(super) fn held(&self) -> bool {
        self.held
    }

    /// `uescape` was a word after all.
    #[cold]
    pub(super) fn release(&mut self, piece: &mut Piece) {
        self.held = false;
        self.last = Last::Operand;
        piece.skeleton.word_end();
    }

    #[inline(always)]
    fn begin_word(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        piece.fresh = true;
        let (folded, len) = Block::front(bytes).word();
        piece.skeleton.word_begin(folded, len);
        let next = bytes.get(len).map(|byte| FOLDED[usize::from(*byte)]);
        // Bytes from 0x80 end what is counted, so no pairs are missed.
        if next == Some(0) && !matches!(self.last, Last::String { unicode: true, .. }) {
            self.last = Last::Operand;
            piece.skeleton.short_word_end(folded, len);
        } else {
            self.state = State::Word;
        }
        len
    }

    fn word(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        if matches!(self.dialect.encoding, Encoding::DoubleByte | Encoding::ShiftJis) {
            return self.word_of_pairs(bytes, piece);
        }
        let taken = piece.skeleton.word_part(bytes);
        if taken < bytes.len() {
            self.end_word(piece);
        }
        taken
    }

    fn word_of_pairs(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        match bytes.first() {
            Some(byte) if self.dialect.encoding.pairs(*byte) => {
                piece.skeleton.word_byte(*byte);
                self.state = State::WordPair;
                1
            }
            Some(byte) if FOLDED[usize::from(*byte)] != 0 => piece.skeleton.word_part(std::slice::from_ref(byte)),
            _ => {
                self.end_word(piece);
                0
            }
        }
    }

    fn word_pair(&mut self, byte: u8, piece: &mut Piece) -> usize {
        self.state = State::Word;
        if byte == b'\'' || byte == b'"' {
            return 0;
        }
        piece.skeleton.word_byte(byte);
        1
    }

    fn end_word(&mut self, piece: &mut Piece) {
        self.state = State::Start;
        if matches!(self.last, Last::String { unicode: true, .. }) && piece.skeleton.word_is(b"uescape") {
            self.held = true;
            return;
        }
        self.last = Last::Operand;
        piece.skeleton.word_end();
    }

    /// A string is about to begin: `uescape` before it, if it was held, is part of it.
    pub(super) fn drop_held(&mut self, piece: &mut Piece) {
        if std::mem::take(&mut self.held) {
            piece.skeleton.word_drop();
        }
    }

    fn begin_prefix(&mut self, letter: u8, piece: &mut Piece) -> usize {
        piece.fresh = true;
        self.state = State::Prefix(letter);
        1
    }

    fn prefix(&mut self, letter: u8, byte: u8, piece: &mut Piece) -> usize {
        if byte == b'\'' {
            return self.begin_string(Some(letter), piece);
        }
        if byte == b'&' && letter | 0x20 == b'u' {
            self.state = State::Unicode(letter);
            return 1;
        }
        self.begin_letter(letter, piece);
        0
    }

    /// What could have been a string's prefix is a word's first letter.
    fn begin_letter(&mut self, letter: u8, piece: &mut Piece) {
        self.state = State::Word;
        piece.skeleton.word_begin(Block::new(u128::from(letter | 0x20)), 1);
    }

    fn unicode(&mut self, letter: u8, byte: u8, piece: &mut Piece) -> usize {
        match byte {
            b'\'' => self.begin_string(Some(letter), piece),
            b'"' => self.begin_quoted(&[letter, b'&'], piece),
            _ => {
                self.begin_letter(letter, piece);
                self.end_word(piece);
                self.again(b"&", piece);
                0
            }
        }
    }

    fn colon(&mut self, byte: u8, piece: &mut Piece) -> usize {
        self.state = State::Start;
        match byte {
            b':' => piece.skeleton.colon(b"::"),
            b'=' => piece.skeleton.operator(b"=>"),
            _ => {
                piece.skeleton.colon(b":");
                return 0;
            }
        }
        1
    }
}
