//! What a connection and its worker know of each other.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use super::watched::Watched;

/// What a connection shares with its worker: the worker lists sessions for the harvest, and asks them to end.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) watched: Watched,
    order: Cell<Option<Order>>,
    waker: RefCell<Option<Waker>>,
}

/// A request to end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Order {
    /// Outside a transaction, with nothing owed.
    WhenIdle,
    /// Whatever is going on.
    Now,
}

impl Link {
    pub(crate) fn new(watched: Watched) -> Self {
        Self { watched, ..Self::default() }
    }

    /// What was asked for.
    #[inline]
    pub(super) fn ordered(&self) -> Option<Order> {
        self.order.get()
    }

    /// Who is woken when something is asked for.
    pub(super) fn wake_with(&self, waker: &Waker) {
        self.waker.replace(Some(waker.clone()));
    }

    /// Asks the connection to end.
    pub(crate) fn order(&self, order: Order) {
        self.order.set(self.order.get().max(Some(order)));
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}
