//! Comments to [`Tags`] and [`Trace`]: what stands before or after a statement describes it (FIELD (b), sqlcommenter).
//!
//! Comments inside a statement are dropped, hints (`/*+ … */`) and prose say nothing. None of it reaches the hash.

use std::sync::Arc;

use hashbrown::HashMap;

use super::comment::{self, Findings, Mark};
use super::statement::{Details, Tags, Trace};

/// Bytes of a comment that are kept; a longer one is prose.
const COMMENT_BYTES_MAX: usize = 4_096;
/// Tag sets in one of an interner's two generations.
const SETS_MAX: usize = 512;
/// Bytes of keys and values in one of an interner's two generations.
const SETS_BYTES_MAX: usize = 128 * 1024;

/// How a comment is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommentStyle {
    /// `-- …`
    Line,
    /// `/* … */`
    Block,
}

/// Gathers the comments of one statement while it is lexed. At most 4 KiB of one comment and 16 pairs are kept, in
/// buffers that live on; a text without comments touches none of them.
#[derive(Default, Debug)]
pub struct Collector {
    comment: Vec<u8>,
    in_block: bool,
    overlong: bool,
    found: Findings,
    /// What stands before the statement's first token.
    leading: Mark,
    started: bool,
    /// A token has been seen, and no comment since.
    settled: bool,
}

impl Collector {
    /// A comment begins.
    pub fn begin(&mut self, style: CommentStyle) {
        self.comment.clear();
        self.in_block = style == CommentStyle::Block;
        self.overlong = false;
        self.settled = false;
    }

    /// Bytes of the comment without its marks, split anyhow; a nested comment's with its marks.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.overlong || bytes.len() > COMMENT_BYTES_MAX - self.comment.len() {
            self.overlong = true;
        } else {
            self.comment.extend_from_slice(bytes);
        }
    }

    /// The comment ends.
    pub fn end(&mut self) {
        let hint = self.in_block && self.comment.first() == Some(&b'+');
        if !self.overlong && !hint {
            self.found.read(&self.comment);
        }
    }

    /// A token of the statement was seen: comments since its first token stand inside it and are dropped.
    #[inline]
    pub fn token(&mut self) {
        if !self.settled {
            self.settle();
        }
    }

    #[cold]
    fn settle(&mut self) {
        if self.started {
            self.found.back_to(self.leading);
        } else {
            self.leading = self.found.mark();
            self.started = true;
        }
        self.settled = true;
    }

    /// The statement has ended: what its comments say. Leaves the collector as new.
    pub fn finish(&mut self, interner: &mut Interner) -> (Option<Arc<Tags>>, Option<Trace>) {
        let trace = self.found.trace();
        let tags = self.found.key().map(|key| interner.intern(key));
        self.reset();
        (tags, trace)
    }

    /// Forgets the statement.
    pub fn reset(&mut self) {
        self.found.back_to(Mark::default());
        self.leading = Mark::default();
        self.started = false;
        self.settled = false;
    }
}

/// Equal tag sets share one allocation: a worker's, bounded to twice 512 sets and 128 KiB of text.
///
/// Two generations: when the young one is full it becomes the old one, whose sets go unless they are met again. So a
/// flood of sets that never repeat can't drive out those that do.
#[derive(Default, Debug)]
pub struct Interner {
    young: HashMap<Box<str>, Arc<Tags>>,
    young_bytes: usize,
    old: HashMap<Box<str>, Arc<Tags>>,
}

impl Interner {
    /// What `first` says and then `second`: of a key's values the first one stays.
    pub(super) fn join(&mut self, first: Option<Arc<Tags>>, second: Option<Arc<Tags>>) -> Option<Arc<Tags>> {
        match (first, second) {
            (Some(first), Some(second)) => Some(self.intern(&comment::joined_key(&first, &second))),
            (first, second) => first.or(second),
        }
    }

    /// Adds to `details` what comments further on say; where both have a value, the first one stays.
    pub(super) fn describe(
        &mut self,
        details: &mut Option<Arc<Details>>,
        tags: Option<Arc<Tags>>,
        trace: Option<Trace>,
    ) {
        if tags.is_some() || trace.is_some() {
            let details = Arc::make_mut(details.get_or_insert_default());
            details.tags = self.join(details.tags.take(), tags);
            details.trace = details.trace.or(trace);
        }
    }

    fn intern(&mut self, key: &str) -> Arc<Tags> {
        if let Some(tags) = self.young.get(key) {
            return Arc::clone(tags);
        }
        let (key, tags) = match self.old.remove_entry(key) {
            Some(entry) => entry,
            None => (key.into(), Arc::new(comment::tags(key))),
        };
        if self.young.len() == SETS_MAX || self.young_bytes + key.len() > SETS_BYTES_MAX {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
            self.young_bytes = 0;
        }
        self.young_bytes += key.len();
        self.young.insert(key, Arc::clone(&tags));
        tags
    }
}

/// Whether values of `key` differ from execution to execution, so that they belong to samples and mint no series.
pub fn high_cardinality(key: &str) -> bool {
    matches!(key, "traceparent" | "tracestate") || key.ends_with("_id")
}

#[cfg(test)]
#[path = "tests/tags.rs"]
mod tests;
