//! A batch that grows: rows of the same series and bucket become one. Everything adds. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::batch::{Batch, ErrorRow, IdleRow, SessionRow, StatsRow, TagRow};
use super::figures::add_histogram;
use crate::base::sqlstate::Sqlstate;
use crate::sql::query::Pseudo;

/// Tags' values that a batch keeps (STORE §2), and rows of tags and of errors that a growing one takes.
const VALUES: usize = 1_000;
const ROWS: usize = 10_000;
/// What stands for a value that did not fit.
const OTHER: &str = "(other)";

/// A batch and where its rows are.
#[derive(Debug)]
pub(super) struct Sum {
    batch: Batch,
    stats: Places<StatsRow>,
    errors: Places<ErrorRow>,
    tags: Places<TagRow>,
    sessions: Places<SessionRow>,
    idle_after: Places<IdleRow>,
}

/// A row that takes in others with its key.
trait Additive {
    type Key: Eq + Hash;

    fn key(&self) -> Self::Key;

    fn add(&mut self, other: Self);
}

/// Where the row of each key is.
#[derive(Debug)]
struct Places<R: Additive>(HashMap<R::Key, usize>);

impl<R: Additive> Places<R> {
    fn add(&mut self, rows: &mut Vec<R>, row: R) {
        let at = *self.0.entry(row.key()).or_insert(rows.len());
        match rows.get_mut(at) {
            Some(known) => known.add(row),
            None => rows.push(row),
        }
    }

    /// Whether a row fits that may be a new one.
    fn fits(&self, row: &R) -> bool {
        self.0.len() < ROWS || self.0.contains_key(&row.key())
    }
}

impl Sum {
    /// Of nothing yet; `batch` is what it is known by.
    pub(super) fn new(batch: Batch) -> Self {
        Self {
            batch,
            stats: Places(HashMap::new()),
            errors: Places(HashMap::new()),
            tags: Places(HashMap::new()),
            sessions: Places(HashMap::new()),
            idle_after: Places(HashMap::new()),
        }
    }

    /// What it has come to so far.
    pub(super) fn so_far(&self) -> &Batch {
        &self.batch
    }

    /// Adds all of `part`.
    pub(super) fn add(&mut self, part: Batch) {
        let batch = &mut self.batch;
        batch.queries.extend(part.queries);
        batch.series.extend(part.series);
        batch.slow.extend(part.slow);
        part.stats.into_iter().for_each(|row| self.stats.add(&mut batch.stats, row));
        part.sessions.into_iter().for_each(|row| self.sessions.add(&mut batch.sessions, row));
        part.idle_after.into_iter().for_each(|row| self.idle_after.add(&mut batch.idle_after, row));
        for mut row in part.errors {
            if !self.errors.fits(&row) {
                row.sqlstate = Sqlstate::OTHER.as_str().to_owned();
            }
            self.errors.add(&mut batch.errors, row);
        }
        for row in part.tags {
            let row = if self.tags.fits(&row) { row } else { row.without_value() };
            self.tags.add(&mut batch.tags, row);
        }
    }

    /// The batch, complete.
    pub(super) fn finish(mut self) -> Batch {
        self.trim_tags();
        self.batch
    }

    /// Keeps the values with most time; the rest of each key becomes `(other)`.
    fn trim_tags(&mut self) {
        let mut time: HashMap<(&str, &str), i64> = HashMap::new();
        for row in &self.batch.tags {
            *time.entry((&row.key, &row.value)).or_default() += row.figures.total_us;
        }
        if time.len() <= VALUES {
            return;
        }
        let mut ranked: Vec<_> = time.into_iter().collect();
        ranked.sort_by_key(|(value, total_us)| (std::cmp::Reverse(*total_us), *value));
        let kept: HashSet<(String, String)> =
            ranked.into_iter().take(VALUES).map(|((key, value), _)| (key.to_owned(), value.to_owned())).collect();
        self.tags.0.clear();
        for mut row in std::mem::take(&mut self.batch.tags) {
            if !kept.contains(&(row.key.clone(), row.value.clone())) {
                row = row.without_value();
            }
            self.tags.add(&mut self.batch.tags, row);
        }
    }
}

impl TagRow {
    fn without_value(self) -> Self {
        Self { value: OTHER.to_owned(), query_hash: Pseudo::Other.query().hash.to_string(), ..self }
    }
}

impl Additive for StatsRow {
    type Key = (i64, i64);

    fn key(&self) -> Self::Key {
        (self.series_id, self.bucket_us)
    }

    fn add(&mut self, other: Self) {
        self.figures.add(&other.figures);
    }
}

impl Additive for ErrorRow {
    type Key = (i64, i64, String);

    fn key(&self) -> Self::Key {
        (self.series_id, self.bucket_us, self.sqlstate.clone())
    }

    fn add(&mut self, other: Self) {
        self.errors = self.errors.saturating_add(other.errors);
    }
}

impl Additive for TagRow {
    type Key = (i64, String, String, String);

    fn key(&self) -> Self::Key {
        (self.bucket_us, self.key.clone(), self.value.clone(), self.query_hash.clone())
    }

    fn add(&mut self, other: Self) {
        self.figures.add(&other.figures);
    }
}

impl Additive for SessionRow {
    type Key = i64;

    fn key(&self) -> Self::Key {
        self.bucket_us
    }

    fn add(&mut self, other: Self) {
        for (here, there) in [
            (&mut self.startup_us, other.startup_us),
            (&mut self.transaction_us, other.transaction_us),
            (&mut self.idle_in_transaction_us, other.idle_in_transaction_us),
            (&mut self.transaction_statements, other.transaction_statements),
            (&mut self.opened, other.opened),
            (&mut self.failed, other.failed),
            (&mut self.closed, other.closed),
            (&mut self.ended_by_error, other.ended_by_error),
            (&mut self.committed, other.committed),
            (&mut self.rolled_back, other.rolled_back),
        ] {
            *here = here.saturating_add(there);
        }
        // At the end of the minute.
        self.open = other.open;
        add_histogram((&mut self.buckets_us, &mut self.counts), (&other.buckets_us, &other.counts));
    }
}

impl Additive for IdleRow {
    type Key = (i64, i64);

    fn key(&self) -> Self::Key {
        (self.series_id, self.bucket_us)
    }

    fn add(&mut self, other: Self) {
        self.idle_us = self.idle_us.saturating_add(other.idle_us);
        self.times = self.times.saturating_add(other.times);
    }
}

#[cfg(test)]
#[path = "tests/sum.rs"]
mod tests;
