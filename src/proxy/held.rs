//! Bytes that were read and that the other side does not take yet, and how many of them a worker may hold.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// Bytes of one read; also the size of a worker's buffer.
pub(crate) const READ_MAX: usize = 64 * 1024;
/// Bytes of one read when the budget is half used.
const READ_SCARCE: usize = 4 * 1024;
/// Most that one worker and all workers together may hold (PROTOCOL §7).
const WORKER_MAX: usize = 16 * 1024 * 1024;
const TOTAL_MAX: usize = 32 * 1024 * 1024;

/// What one worker may hold. Workers share the total evenly, so that none has to ask another.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

impl Budget {
    /// The budget of one of `workers` workers.
    pub(crate) fn new(workers: usize) -> Self {
        Self::with_limit(WORKER_MAX.min(TOTAL_MAX / workers.max(1)))
    }

    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { limit, held: Cell::new(0), waiting: RefCell::default() }
    }

    /// How many bytes the next read may bring; 0: none before somebody's bytes are gone.
    #[inline]
    pub(crate) fn read_limit(&self) -> usize {
        let held = self.held.get();
        if held <= self.limit / 2 {
            READ_MAX
        } else if held < self.limit {
            READ_SCARCE
        } else {
            0
        }
    }

    /// Wakes `waker` when there is room again.
    pub(crate) fn wait(&self, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn release(&self, bytes: usize) {
        self.held.set(self.held.get().saturating_sub(bytes));
        if self.read_limit() > 0 {
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// The rest of a chunk, never empty. Freed as a whole once the other side took it all.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: Box<[u8]>,
    taken: usize,
    budget: Rc<Budget>,
}

impl Held {
    /// Keeps a copy of `rest`; `None` when nothing is left.
    pub(crate) fn new(rest: &[u8], budget: &Rc<Budget>) -> Option<Self> {
        (!rest.is_empty()).then(|| {
            budget.held.set(budget.held.get() + rest.len());
            Self { bytes: rest.into(), taken: 0, budget: Rc::clone(budget) }
        })
    }

    /// What the other side has not taken.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The other side took `count` bytes; true when all are gone.
    pub(crate) fn took(&mut self, count: usize) -> bool {
        self.taken += count;
        self.taken >= self.bytes.len()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.release(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_get_smaller_above_half_and_stop_at_the_limit() {
        let budget = Rc::new(Budget::with_limit(100));
        let half = Held::new(&[0; 50], &budget);
        assert_eq!(budget.read_limit(), READ_MAX);
        let more = Held::new(&[0; 1], &budget);
        assert_eq!(budget.read_limit(), READ_SCARCE);
        let rest = Held::new(&[0; 49], &budget);
        assert_eq!(budget.read_limit(), 0);
        drop((half, more, rest));
        assert_eq!((budget.read_limit(), budget.held.get()), (READ_MAX, 0));
    }

    #[test]
    fn all_workers_together_stay_under_the_total() {
        for workers in 1..100 {
            let limit = Budget::new(workers).limit;
            assert!(limit <= WORKER_MAX && limit * workers <= TOTAL_MAX, "{workers} workers, {limit} bytes each");
        }
    }

    #[test]
    fn what_was_taken_is_gone_and_the_rest_follows_in_order() {
        let budget = Rc::new(Budget::with_limit(100));
        let mut held = Held::new(b"abcdef", &budget).unwrap();
        assert!(!held.took(2));
        assert_eq!(held.rest(), b"cdef");
        assert!(held.took(4));
        assert!(Held::new(b"", &budget).is_none());
    }
}
