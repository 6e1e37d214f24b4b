//! A connection's session, as those who look at it share it.

use std::cell::{Cell, Ref, RefCell, RefMut};

use crate::base::units::Stamp;
use crate::session::Session;

/// A connection's session; `None` once measuring code has panicked on it: from then on it is opaque.
#[derive(Default)]
pub(crate) struct Watched {
    session: RefCell<Option<Box<Session>>>,
    /// Start of the statement that was last told of because it has been in flight for long.
    running: Cell<Option<Stamp>>,
}

impl Watched {
    pub(crate) fn new(session: Session) -> Self {
        Self { session: RefCell::new(Some(Box::new(session))), running: Cell::default() }
    }

    /// The session's place, for whoever measures on it.
    #[inline]
    pub(super) fn place(&self) -> RefMut<'_, Option<Box<Session>>> {
        self.session.borrow_mut()
    }

    /// A second has passed.
    pub(crate) fn rest(&self) {
        if let Some(session) = self.session.borrow_mut().as_deref_mut() {
            session.rest();
        }
    }

    /// The session, unless it is opaque because of a panic.
    pub(crate) fn session(&self) -> Option<Ref<'_, Session>> {
        Ref::filter_map(self.session.borrow(), |session| session.as_deref()).ok()
    }

    /// Does something to the session.
    #[cfg(test)]
    pub(super) fn with(&self, act: impl FnOnce(&mut Session)) {
        if let Some(session) = self.session.borrow_mut().as_deref_mut() {
            act(session);
        }
    }

    /// Whether this is the first time that the statement that began at `start` is told of.
    pub(crate) fn is_news(&self, start: Stamp) -> bool {
        self.running.replace(Some(start)) != Some(start)
    }
}
