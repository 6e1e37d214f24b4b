//! What became of rows of the tables, until these know it: a store that can be read and not written to would have people told
//! the same again and again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::alerts::desk::Desk;
use crate::store::alerts::notices::Became;
use crate::store::error::Error;

/// Rows and what became of each.
#[derive(Debug, Default)]
pub(super) struct Unnoted(
    /// Locked by who tells, for a moment.
    Mutex<BTreeMap<i64, Became>>,
);

impl Unnoted {
    /// Takes over what became of rows.
    pub(super) fn add(&self, outcomes: Vec<(i64, Became)>) {
        self.rows().extend(outcomes);
    }

    /// Whether something became of a row that the tables don't know yet.
    pub(super) fn has(&self, id: i64) -> bool {
        self.rows().contains_key(&id)
    }

    /// Notes it in the tables; what they don't take stays.
    ///
    /// # Errors
    /// What the store said.
    pub(super) async fn note(&self, desk: &Desk) -> Result<(), Error> {
        // Taken out: several messages are sent at once, and each failed attempt counts once.
        let outcomes: Vec<(i64, Became)> = std::mem::take(&mut *self.rows()).into_iter().collect();
        if outcomes.is_empty() {
            return Ok(());
        }
        let noted = desk.settle(&outcomes).await;
        if noted.is_err() {
            self.add(outcomes);
        }
        noted
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<i64, Became>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
