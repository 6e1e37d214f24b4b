//! Operators and the comments that end them (FINGERPRINT §1).

use super::lexer::{Last, Lexer, State};
use super::operator::Operator;
use super::piece::Piece;
use super::tags::CommentStyle;
use super::token::{Byte, class, keeps_sign};

/// How many bytes of a run are one operator: trailing signs are operators by themselves, unless a byte before keeps them.
fn operator_len(run: &[u8]) -> usize {
    if run.iter().any(|byte| keeps_sign(*byte)) {
        return run.len();
    }
    run.iter().rposition(|byte| !matches!(byte, b'+' | b'-')).map_or(1, |last| last + 1)
}

impl Lexer {
    #[inline(always)]
    pub(super) fn begin_operator(&mut self, bytes: &[u8], piece: &mut Piece) -> usize {
        if let [byte, next, ..] = bytes
            && class(*next) != Byte::Operator
        {
            self.emit_operator(std::slice::from_ref(byte), piece);
            return 1;
        }
        // No comment begins in these; `<>`, `>=`, `||`, `->` and their kin.
        if let Some([first, second, next]) = bytes.first_chunk()
            && class(*next) != Byte::Operator
            && !matches!([first, second], [b'-', b'-'] | [b'/', b'*'])
        {
            self.emit_run(&[*first, *second], piece);
            return 2;
        }
        self.operator.len = 0;
        self.state = State::Operator;
        0
    }

    pub(super) fn operator(&mut self, byte: u8, piece: &mut Piece) -> usize {
        match (self.operator.last(), byte) {
            (Some(b'-'), b'-') => self.begin_comment(State::LineComment, CommentStyle::Line, piece),
            (Some(b'/'), b'*') => self.begin_comment(State::BlockComment, CommentStyle::Block, piece),
            _ if class(byte) != Byte::Operator => {
                self.end_operator(piece);
                self.state = State::Start;
                return 0;
            }
            _ => {
                if !self.operator.push(byte) {
                    self.end_operator(piece);
                    self.operator.push(byte);
                }
            }
        }
        1
    }

    fn begin_comment(&mut self, state: State, style: CommentStyle, piece: &mut Piece) {
        self.operator.len = self.operator.len.saturating_sub(1);
        self.end_operator(piece);
        piece.comment_begin(style);
        self.nested = 1;
        self.state = state;
    }

    fn end_operator(&mut self, piece: &mut Piece) {
        let Operator { bytes, len } = std::mem::take(&mut self.operator);
        let run = bytes.get(..len).unwrap_or_default();
        if !run.is_empty() {
            self.emit_run(run, piece);
        }
    }

    fn emit_run(&mut self, run: &[u8], piece: &mut Piece) {
        let (operator, signs) = run.split_at_checked(operator_len(run)).unwrap_or((run, &[]));
        self.emit_operator(operator, piece);
        for sign in signs {
            self.emit_operator(std::slice::from_ref(sign), piece);
        }
    }

    #[inline(always)]
    fn emit_operator(&mut self, operator: &[u8], piece: &mut Piece) {
        if self.held() {
            self.release(piece);
        }
        piece.fresh = true;
        self.last = Last::Other;
        piece.skeleton.operator(operator);
    }
}
