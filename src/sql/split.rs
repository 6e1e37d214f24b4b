//! A text's statements, one after the other: lexer, skeleton and comments at work together.

use std::sync::Arc;

use super::lexer::Lexer;
use super::skeleton::Skeleton;
use super::statement::{Dialect, Name, Tags, Trace};
use super::tags::{Collector, CommentStyle, Interner};

/// What is known of the statement in progress.
pub(super) struct Piece {
    pub(super) skeleton: Skeleton,
    /// A token was read since the last comment began.
    pub(super) fresh: bool,
    commented: bool,
    comments: Collector,
}

impl Piece {
    /// `;` was read: true when it ends the statement.
    #[inline]
    pub(super) fn semicolon(&mut self) -> bool {
        self.skeleton.semicolon()
    }

    pub(super) fn comment_begin(&mut self, style: CommentStyle) {
        if std::mem::take(&mut self.fresh) {
            self.comments.token();
        }
        self.commented = true;
        self.comments.begin(style);
    }

    pub(super) fn comment_bytes(&mut self, bytes: &[u8]) {
        self.comments.bytes(bytes);
    }

    pub(super) fn comment_end(&mut self) {
        self.comments.end();
    }

    /// The statement's skeleton; empty for an empty statement.
    pub(super) fn skeleton(&self) -> &[u8] {
        self.skeleton.as_bytes()
    }

    /// See [`Skeleton::take_name`].
    pub(super) fn take_name(&mut self) -> Option<Name> {
        self.skeleton.take_name()
    }

    /// What the statement's comments say.
    #[inline]
    pub(super) fn describe(&mut self, interner: &mut Interner) -> (Option<Arc<Tags>>, Option<Trace>) {
        if !self.commented {
            return (None, None);
        }
        if self.fresh {
            self.comments.token();
        }
        self.comments.finish(interner)
    }

    fn clear(&mut self) {
        self.skeleton.clear();
        self.fresh = false;
        if std::mem::take(&mut self.commented) {
            self.comments.reset();
        }
    }
}

/// Reads texts, whole or in pieces, and hands out their statements.
pub(super) struct Reader {
    lexer: Lexer,
    piece: Piece,
}

impl Reader {
    pub(super) fn new() -> Self {
        let piece = Piece { skeleton: Skeleton::new(), fresh: false, commented: false, comments: Collector::default() };
        Self { lexer: Lexer::new(Dialect::default()), piece }
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
