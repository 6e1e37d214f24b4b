//! What the server still owes, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::units::Stamp;
use crate::session::backlog::{Backlog, Share};
use crate::session::key::Key;
use crate::sql::bound::Bound;
use crate::sql::statement::{Statement, Statements};
use crate::wire::frontend::Target;

/// One message of the client that the server answers. Small: a pipeline holds very many.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owed {
    /// Completions of the statements of the next text, then ReadyForQuery.
    Query { sent: Stamp, bytes: u32 },
    /// FunctionCallResponse, then ReadyForQuery.
    FunctionCall { sent: Stamp, bytes: u32 },
    /// ParseComplete, for the next of [`Pipeline::parsed`].
    Parse { name: Key, sent: Stamp, alone: bool },
    /// BindComplete; with `bound` for the next of [`Pipeline::bound`].
    Bind { portal: Key, statement: Key, sent: Stamp, alone: bool, bound: bool },
    /// RowDescription or NoData, for a statement after ParameterDescription.
    Describe { target: Target, name: Key, sent: Stamp, alone: bool },
    /// CloseComplete.
    Close { target: Target, name: Key },
    /// Rows, then CommandComplete, EmptyQueryResponse or PortalSuspended. `flushed` is when the server was told to
    /// send what it has; later than any read before.
    Execute { portal: Key, sent: Stamp, flushed: Stamp, bytes: u32 },
    /// ReadyForQuery. With `maybe` a COPY may have swallowed it (PROTOCOL §3).
    Sync { sent: Stamp, maybe: bool },
    /// Nothing: CopyDone or CopyFail that went out before CopyInResponse came in.
    CopyEnd,
}

impl Owed {
    /// A statement runs for it.
    pub(super) fn is_statement(&self) -> bool {
        matches!(self, Owed::Query { .. } | Owed::FunctionCall { .. } | Owed::Execute { .. })
    }

    /// ReadyForQuery answers it for sure.
    pub(super) fn ends_with_ready(&self) -> bool {
        matches!(self, Owed::Query { .. } | Owed::FunctionCall { .. } | Owed::Sync { maybe: false, .. })
    }

    /// The portal that it executes.
    pub(super) fn portal(&self) -> Option<Key> {
        match *self {
            Owed::Execute { portal, .. } => Some(portal),
            _ => None,
        }
    }

    /// Its size, where that will be charged to a statement.
    pub(super) fn bytes(&self) -> u64 {
        match *self {
            Owed::Query { bytes, .. } | Owed::FunctionCall { bytes, .. } | Owed::Execute { bytes, .. } => bytes.into(),
            _ => 0,
        }
    }

    /// When its last byte was read.
    pub(super) fn sent(&self) -> Stamp {
        match *self {
            Owed::Query { sent, .. }
            | Owed::FunctionCall { sent, .. }
            | Owed::Parse { sent, .. }
            | Owed::Bind { sent, .. }
            | Owed::Describe { sent, .. }
            | Owed::Execute { sent, .. }
            | Owed::Sync { sent, .. } => sent,
            Owed::Close { .. } | Owed::CopyEnd => Stamp::default(),
        }
    }
}

/// The queue; who appends asks before whether it is full. Texts and bound values stand in queues of their own, in the
/// order of the entries that they belong to.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    queue: VecDeque<Owed>,
    parsed: VecDeque<Statement>,
    texts: VecDeque<Statements>,
    bound: VecDeque<Arc<Bound>>,
    unflushed: usize,
    /// Statements of `texts`.
    statements: usize,
    share: Share,
}

/// A Query's text takes as much as so many entries, and one more for each of its statements.
const TEXT: usize = 4;
const _: () =
    assert!(size_of::<Statement>() <= size_of::<Owed>() && size_of::<Statements>() <= TEXT * size_of::<Owed>());

/// Queues of at most this capacity stay when they are empty, for good or until the session rests.
const RETAINED: usize = 16;
const RETAINED_BUSY: usize = 1_024;

impl Pipeline {
    /// How much it may hold is shared with others.
    pub(super) fn share(&mut self, backlog: &Backlog) {
        self.share = Share::of(backlog);
    }

    /// There is no room for more.
    #[inline]
    pub(super) fn is_full(&mut self) -> bool {
        let held = self.queue.len() + self.parsed.len() + TEXT * self.texts.len() + self.statements;
        held >= self.share.room() && !self.share.grow()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        let mut share = std::mem::take(&mut self.share);
        share.give_back();
        *self = Self { share, ..Self::default() };
    }

    /// Appends an entry that has no text.
    #[inline]
    pub(super) fn push(&mut self, owed: Owed) {
        self.queue.push_back(owed);
        self.unflushed += 1;
    }

    /// Appends a Parse.
    pub(super) fn push_parse(&mut self, name: Key, statement: Statement, sent: Stamp) {
        self.push(Owed::Parse { name, sent, alone: false });
        self.parsed.push_back(statement);
    }

    /// Appends a Bind with its values.
    #[cold]
    pub(super) fn push_bound(&mut self, owed: Owed, bound: Arc<Bound>) {
        self.push(owed);
        self.bound.push_back(bound);
    }

    /// Appends a Query.
    pub(super) fn push_query(&mut self, statements: Statements, sent: Stamp, bytes: u32) {
        self.push(Owed::Query { sent, bytes });
        self.statements += statements.len();
        self.texts.push_back(statements);
    }

    /// Sync or Flush was read at `now`: what was sent since the last one is going to be answered without more ado.
    #[inline]
    pub(super) fn flush(&mut self, now: Stamp) {
        let mut executed = false;
        let count = self.unflushed.min(self.queue.len());
        self.unflushed = 0;
        for owed in self.queue.iter_mut().rev().take(count) {
            match owed {
                Owed::Execute { flushed, .. } => {
                    *flushed = now;
                    executed = true;
                }
                Owed::Parse { alone, .. } | Owed::Bind { alone, .. } | Owed::Describe { alone, .. } => {
                    *alone = !executed;
                }
                _ => {}
            }
        }
    }

    /// The entry that the next answer belongs to.
    #[inline]
    pub(super) fn front(&self) -> Option<&Owed> {
        self.queue.front()
    }

    /// Entries from the front.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Owed> + ExactSizeIterator {
        self.queue.iter()
    }

    /// Entries from the front, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Owed> {
        self.queue.iter_mut()
    }

    /// Statements of Parse entries from the front.
    pub(super) fn parsed(&self) -> impl Iterator<Item = &Statement> {
        self.parsed.iter()
    }

    /// Values of Bind entries from the front, of those that have some.
    pub(super) fn bound(&self) -> impl Iterator<Item = &Arc<Bound>> {
        self.bound.iter()
    }

    /// Statements of Query entries from the front.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Statements> {
        self.texts.iter()
    }

    /// Statements of the first Query entry.
    pub(super) fn text(&self) -> Option<&Statements> {
        self.texts.front()
    }

    /// Sizes of what will be charged to statements.
    pub(super) fn bytes(&self) -> u64 {
        self.queue.iter().map(Owed::bytes).sum()
    }

    /// Takes the front entry off, and its text or values with it.
    pub(super) fn pop(&mut self) -> Option<Popped> {
        let owed = self.queue.pop_front()?;
        Some(match owed {
            Owed::Parse { .. } => Popped { parsed: self.parsed.pop_front(), ..Popped::plain(owed) },
            Owed::Query { .. } => {
                let text = self.texts.pop_front();
                self.statements -= text.as_ref().map_or(0, |text| text.len());
                Popped { text, ..Popped::plain(owed) }
            }
            Owed::Bind { bound: true, .. } => Popped { bound: self.bound.pop_front(), ..Popped::plain(owed) },
            _ => Popped::plain(owed),
        })
    }

    /// Takes the front entry off; for entries without text or values.
    #[inline]
    pub(super) fn pop_plain(&mut self) {
        self.queue.pop_front();
    }

    /// Nothing is owed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The size of the Query or FunctionCall in front, once: its first completion takes it all.
    pub(super) fn take_message_bytes(&mut self) -> u32 {
        match self.queue.front_mut() {
            Some(Owed::Query { bytes, .. } | Owed::FunctionCall { bytes, .. }) => std::mem::take(bytes),
            _ => 0,
        }
    }

    /// A COPY swallowed the Syncs that it may have swallowed.
    pub(super) fn drop_maybes(&mut self) {
        self.queue.retain(|owed| !matches!(owed, Owed::Sync { maybe: true, .. }));
    }

    /// Takes off what the server skips: all up to the first Sync that it owes for sure, but for those that it *may*.
    /// `each` sees what is taken off. False when no such Sync is there.
    pub(super) fn skip_to_sync(&mut self, mut each: impl FnMut(Popped)) -> bool {
        let end = self.queue.iter().position(|owed| matches!(owed, Owed::Sync { maybe: false, .. }));
        let mut maybes = Vec::new();
        for _ in 0..end.unwrap_or(self.queue.len()) {
            match self.pop() {
                Some(Popped { owed: owed @ Owed::Sync { .. }, .. }) => maybes.push(owed),
                Some(popped) => each(popped),
                None => break,
            }
        }
        for maybe in maybes.into_iter().rev() {
            self.queue.push_front(maybe);
        }
        end.is_some()
    }

    /// Nothing is owed any more: gives back what a huge pipeline took.
    #[inline]
    pub(super) fn release(&mut self) {
        self.unflushed = 0;
        self.share.give_back();
        self.shrink(RETAINED_BUSY);
    }

    /// Gives memory back that a session at rest has no use for.
    pub(super) fn rest(&mut self) {
        self.shrink(RETAINED);
    }

    #[inline]
    fn shrink(&mut self, retained: usize) {
        fn shrink<T>(queue: &mut VecDeque<T>, retained: usize) {
            if queue.capacity() > retained && queue.is_empty() {
                *queue = VecDeque::new();
            }
        }
        shrink(&mut self.queue, retained);
        shrink(&mut self.parsed, retained);
        shrink(&mut self.texts, retained);
        shrink(&mut self.bound, retained);
    }
}

/// What [`Pipeline::pop`] took off.
#[derive(Debug)]
pub(super) struct Popped {
    pub(super) owed: Owed,
    pub(super) parsed: Option<Statement>,
    pub(super) text: Option<Statements>,
    pub(super) bound: Option<Arc<Bound>>,
}

impl Popped {
    fn plain(owed: Owed) -> Self {
        Self { owed, parsed: None, text: None, bound: None }
    }

    /// Statements that will never run now that this was taken off unanswered.
    pub(super) fn statements(&self) -> u64 {
        match self.owed {
            Owed::Query { .. } => self.text.as_ref().map_or(1, |text| text.answers() as u64),
            Owed::FunctionCall { .. } | Owed::Execute { .. } => 1,
            _ => 0,
        }
    }
}

const _: () = assert!(size_of::<Owed>() <= 32);
