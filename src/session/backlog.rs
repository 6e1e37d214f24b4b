//! How much the sessions of one worker may be owed together: memory has a ceiling whatever clients send ahead (DESIGN §1.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::session::OWED_MAX;

/// Entries that each session may be owed whatever the others are.
const FREE: usize = 256;
/// Entries that all sessions of a worker may be owed beyond that: 8 MiB.
const SHARED_MAX: usize = OWED_MAX;

/// What the sessions of a worker have taken of what they share, in entries.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<AtomicUsize>);

/// One session's part of it.
#[derive(Debug, Default)]
pub(super) struct Share {
    all: Backlog,
    taken: usize,
}

impl Share {
    /// A part of what others share, too.
    pub(super) fn of(all: &Backlog) -> Self {
        Self { all: all.clone(), taken: 0 }
    }

    /// Entries that there is room for.
    #[inline]
    pub(super) fn room(&self) -> usize {
        FREE + self.taken
    }

    /// Doubles the room, up to [`OWED_MAX`]; false when it can't be.
    #[cold]
    pub(super) fn grow(&mut self) -> bool {
        let more = self.room().min(OWED_MAX.saturating_sub(self.room()));
        let fits = more > 0 && self.all.0.load(Relaxed) + more <= SHARED_MAX;
        if fits {
            self.all.0.fetch_add(more, Relaxed);
            self.taken += more;
        }
        fits
    }

    /// Gives back what was taken.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.taken > 0 {
            self.all.0.fetch_sub(std::mem::take(&mut self.taken), Relaxed);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}
