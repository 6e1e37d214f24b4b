//! The statement in progress: its skeleton and its comments.

use std::sync::Arc;

use super::skeleton::Skeleton;
use super::statement::{Name, Tags, Trace};
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
    pub(super) fn new() -> Self {
        Self { skeleton: Skeleton::new(), fresh: false, commented: false, comments: Collector::default() }
    }

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

    /// Begins the next statement.
    pub(super) fn clear(&mut self) {
        self.skeleton.clear();
        self.fresh = false;
        if std::mem::take(&mut self.commented) {
            self.comments.reset();
        }
    }
}
