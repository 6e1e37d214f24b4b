//! `(other)`: the one visible series of a server that takes what does not fit under a ceiling.

use std::sync::Arc;

use super::series::SeriesKey;
use crate::session::identity::Identity;
use crate::sql::query::{Pseudo, Query};

/// What stands for a label that did not fit.
pub(super) const OTHER: &str = "(other)";

/// The identities of `(other)`, one per server; there are as many as routes.
#[derive(Clone, Debug, Default)]
pub(super) struct Others(Vec<Arc<Identity>>);

impl Others {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Statement and identity of the `(other)` of the server of `identity`.
    pub(super) fn of(&mut self, identity: &Identity) -> (Arc<Query>, Arc<Identity>) {
        let known = self.0.iter().find(|other| other.server == identity.server);
        let other = match known {
            Some(other) => Arc::clone(other),
            None => {
                let other = Arc::new(Identity::new(Arc::clone(&identity.server), OTHER, OTHER, OTHER));
                self.0.push(Arc::clone(&other));
                other
            }
        };
        (Pseudo::Other.query(), other)
    }
}

/// True for the key parts of an `(other)`.
pub(super) fn is_other(key: SeriesKey) -> bool {
    key.0 == Pseudo::Other.query().hash
}
