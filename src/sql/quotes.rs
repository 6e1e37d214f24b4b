//! Strings, quoted words, dollar quotes, parameters and the insides of comments (FINGERPRINT §1).

use memchr::{memchr, memchr2};

use super::block::find;
use super::dollar::{Escapes, TAG_KEPT, Tag};
use super::lexer::{Last, Lexer, State};
use super::piece::Piece;
use super::statement::Encoding;
use super::token::{Byte, class};

impl Lexer {
    /// `'` was read, behind a prefix or alone.
    #[inline]
    pub(super) fn begin_string(&mut self, prefix: Option<u8>, piece: &mut Piece) -> usize {
        piece.fresh = true;
        self.drop_held(piece);
        let plain = if self.dialect.standard_strings { Escapes::Nothing } else { Escapes::Skip };
        let (escapes, unicode) = match (prefix.map(|letter| letter | 0x20), self.last) {
            // Behind another string it is that one's continuation, and read as such.
            (None, Last::String { escapes, unicode }) => (escapes, unicode),
            (None | Some(b'n'), _) => (plain, false),
            (Some(b'e'), _) => (Escapes::Skip, false),
            (Some(letter), _) => (Escapes::Nothing, letter == b'u'),
        };
        if !matches!(self.last, Last::String { .. }) {
            piece.skeleton.literal();
        }
        self.last = Last::String { escapes, unicode };
        self.state = State::String;
        1
    }

    #[inline]
    pub(super) fn string(&mut self, bytes: &[u8]) -> usize {
        if matches!(self.last, Last::String { escapes: Escapes::Skip, .. }) {
            return self.string_with_escapes(bytes);
        }
        let Some(at) = find(b'\'', bytes) else { return bytes.len() };
        self.state = match bytes.get(at + 1) {
            Some(next) if *next != b'\'' => State::Start,
            _ => State::StringQuote,
        };
        at + 1
    }

    fn string_with_escapes(&mut self, bytes: &[u8]) -> usize {
        let found = match self.dialect.encoding {
            Encoding::AsciiSafe | Encoding::SingleByte => memchr2(b'\'', b'\\', bytes),
            _ => bytes.iter().position(|byte| matches!(byte, b'\'' | b'\\') || self.dialect.encoding.pairs(*byte)),
        };
        let Some(at) = found else { return bytes.len() };
        self.state = match bytes.get(at) {
            Some(b'\'') => State::StringQuote,
            Some(b'\\') => State::StringEscape,
            _ => State::StringPair,
        };
        at + 1
    }

    #[inline]
    pub(super) fn string_quote(&mut self, byte: u8) -> usize {
        self.state = if byte == b'\'' { State::String } else { State::Start };
        usize::from(byte == b'\'')
    }

    pub(super) fn string_escape(&mut self, byte: u8) -> usize {
        self.state = if self.dialect.encoding.pairs(byte) { State::StringPair } else { State::String };
        1
    }

    pub(super) fn string_pair(&mut self, byte: u8) -> usize {
        self.state = State::String;
        usize::from(byte != b'\'')
    }

    /// `"` was read, and is the first of `bytes`.
    #[inline]
    pub(super) fn double_quote(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        let Some(len) = piece.skeleton.bare_word(bytes.get(1..).unwrap_or_default()) else {
            return self.begin_quoted(b"", piece);
        };
        piece.fresh = true;
        self.last = Last::Operand;
        len + 2
    }

    pub(super) fn begin_quoted(&mut self, prefix: &[u8], piece: &mut Piece) -> usize {
        piece.fresh = true;
        piece.skeleton.quoted_begin(prefix);
        self.state = State::Quoted;
        1
    }

    pub(super) fn quoted(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        let taken = piece.skeleton.quoted_part(bytes);
        if taken < bytes.len() {
            self.state = State::QuotedQuote;
            return taken + 1;
        }
        taken
    }

    pub(super) fn quoted_quote(&mut self, byte: u8, piece: &mut Piece) -> usize {
        if byte == b'"' {
            piece.skeleton.quoted_quote();
            self.state = State::Quoted;
            return 1;
        }
        piece.skeleton.quoted_end(true);
        self.state = State::Start;
        self.last = Last::Operand;
        0
    }

    pub(super) fn dollar(&mut self, byte: u8, piece: &mut Piece) -> usize {
        match class(byte) {
            Byte::Digit => {
                piece.skeleton.literal();
                self.state = State::Parameter;
                0
            }
            Byte::Dollar | Byte::Word | Byte::Prefix => {
                self.dollar.tag = Tag::default();
                self.state = State::Tag;
                0
            }
            _ => {
                piece.skeleton.other(b'$');
                self.state = State::Start;
                0
            }
        }
    }

    pub(super) fn parameter(&mut self, bytes: &[u8]) -> usize {
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits < bytes.len() {
            self.state = State::Start;
        }
        digits
    }

    pub(super) fn tag(&mut self, byte: u8, piece: &mut Piece) -> usize {
        match class(byte) {
            Byte::Dollar => {
                piece.skeleton.literal();
                self.dollar.seen = None;
                self.state = State::DollarQuoted;
                1
            }
            Byte::Word | Byte::Prefix | Byte::Digit => {
                self.push_tag(byte);
                if self.dialect.encoding.pairs(byte) {
                    self.state = State::TagPair;
                }
                1
            }
            _ => {
                let kept = self.dollar.kept;
                let len = self.dollar.tag.len.min(TAG_KEPT);
                piece.skeleton.other(b'$');
                self.again(kept.get(..len).unwrap_or_default(), piece);
                0
            }
        }
    }

    pub(super) fn tag_pair(&mut self, byte: u8) -> usize {
        self.state = State::Tag;
        if byte == b'\'' || byte == b'"' {
            return 0;
        }
        self.push_tag(byte);
        1
    }

    fn push_tag(&mut self, byte: u8) {
        if let Some(slot) = self.dollar.kept.get_mut(self.dollar.tag.len) {
            *slot = byte;
        }
        self.dollar.tag.push(byte);
    }

    pub(super) fn dollar_quoted(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'$', bytes);
        if let Some(mut seen) = self.dollar.seen {
            let content = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            let fits = seen.len + content.len() <= self.dollar.tag.len;
            self.dollar.seen = fits.then(|| {
                content.iter().for_each(|byte| seen.push(*byte));
                seen
            });
        }
        let Some(end) = end else { return bytes.len() };
        if self.dollar.seen == Some(self.dollar.tag) {
            self.state = State::Start;
        } else {
            self.dollar.seen = Some(Tag::default());
        }
        end + 1
    }

    pub(super) fn line_comment(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        let end = memchr2(b'\n', b'\r', bytes);
        let len = end.unwrap_or(bytes.len());
        piece.comment_bytes(bytes.get(..len).unwrap_or_default());
        if end.is_some() {
            piece.comment_end();
            self.state = State::Start;
        }
        len
    }

    pub(super) fn block_comment(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        let found = memchr2(b'*', b'/', bytes);
        let len = found.unwrap_or(bytes.len());
        piece.comment_bytes(bytes.get(..len).unwrap_or_default());
        match found.and_then(|at| bytes.get(at)) {
            Some(mark) => {
                self.state = State::BlockMark(*mark);
                len + 1
            }
            None => len,
        }
    }

    pub(super) fn block_mark(&mut self, mark: u8, byte: u8, piece: &mut Piece) -> usize {
        self.state = State::BlockComment;
        match (mark, byte) {
            (b'*', b'/') if self.nested <= 1 => {
                piece.comment_end();
                self.state = State::Start;
                return 1;
            }
            (b'*', b'/') => self.nested -= 1,
            (b'/', b'*') => self.nested = self.nested.saturating_add(1),
            _ => {
                piece.comment_bytes(&[mark]);
                return 0;
            }
        }
        piece.comment_bytes(&[mark, byte]);
        1
    }
}
