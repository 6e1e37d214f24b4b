//! A text's statements, one after the other.

use super::lexer::Lexer;
use super::piece::Piece;
use super::statement::Dialect;

/// Reads texts, whole or in pieces, and hands out their statements.
pub(super) struct Reader {
    lexer: Lexer,
    piece: Piece,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { lexer: Lexer::new(Dialect::default()), piece: Piece::new() }
    }

    /// Begins a text.
    #[inline]
    pub(super) fn begin(&mut self, dialect: Dialect) {
        self.lexer.reset(dialect);
        self.piece.clear();
    }

    /// Reads on, and calls `ended` for each statement that `;` ends, with the number of `bytes` up to there.
    #[inline]
    pub(super) fn feed(&mut self, bytes: &[u8], mut ended: impl FnMut(&mut Piece, usize)) {
        let mut at = 0;
        while let Some(taken) = self.lexer.feed(bytes.get(at..).unwrap_or_default(), &mut self.piece) {
            at += taken;
            ended(&mut self.piece, at);
            self.piece.clear();
        }
    }

    /// The text ends: what no `;` has ended.
    #[inline]
    pub(super) fn end(&mut self) -> &mut Piece {
        self.lexer.end(&mut self.piece);
        &mut self.piece
    }
}
