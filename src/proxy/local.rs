//! What the connections of one thread share. Borrowed only inside one poll.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::held::{Budget, READ_MAX};
use super::look::Lens;
use super::shared::Shared;
use super::tls::stream::Loan;

/// One per worker.
pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lens: Lens,
    pub(crate) budget: Rc<Budget>,
    pub(crate) buffer: RefCell<Box<[u8]>>,
    /// What encrypted legs borrow.
    pub(crate) loan: Rc<Loan>,
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let budget = Rc::new(Budget::new(shared.workers));
        Self {
            lens: Lens::new(Arc::clone(&shared)),
            loan: Rc::new(Loan::new(Rc::clone(&budget))),
            budget,
            buffer: RefCell::new(vec![0; READ_MAX].into_boxed_slice()),
            shared,
        }
    }
}
