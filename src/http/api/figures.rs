//! Figures of a window, from memory, from the tables, or from both: the tables for what memory doesn't reach.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::ask::Ask;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::live::{Filter, GroupBy, KnownQuery, SlowExecution, StatementRow, TagRow, TimelinePoint};
use crate::store::read::PastSessions;

impl Ask<'_> {
    /// Statements with calls or prepares; unsorted.
    pub(in crate::http) fn statements(&self, group: GroupBy) -> Vec<StatementRow> {
        let rows = self.memory.map(|window| self.view.statements(window, &self.filter, group));
        let past = self.past.map(|past| past.statements.as_slice()).unwrap_or_default();
        joined(rows.unwrap_or_default(), past)
    }

    /// One statement's series.
    pub(in crate::http) fn callers(&self, hash: QueryHash) -> Vec<StatementRow> {
        let rows = self.memory.map(|window| self.view.statements(window, &self.filter, self.filter.finest()));
        let mut rows = rows.unwrap_or_default();
        rows.retain(|row| row.query.query.hash == hash);
        joined(rows, self.past.map(|past| past.callers.as_slice()).unwrap_or_default())
    }

    /// The total time of all data statements, whoever ran them.
    pub(in crate::http) fn data_time(&self) -> Nanos {
        let memory = self.memory.map(|window| self.view.totals(window, &Filter::default()).total);
        let past = self.past.iter().flat_map(|past| &past.statements);
        let past: Nanos = past.filter(|row| row.query.class == Class::Data).map(|row| row.stats.total).sum();
        memory.unwrap_or_default() + past
    }

    /// Steps of one statement or of all data statements, in order of time.
    pub(in crate::http) fn timeline(&self, hash: Option<QueryHash>) -> Vec<TimelinePoint> {
        let past = self.past.map(|past| past.timeline.clone()).unwrap_or_default();
        let memory = self.memory.map(|window| self.view.timeline(window, &self.filter, hash));
        past.into_iter().chain(memory.unwrap_or_default()).collect()
    }

    /// Executions of at least `threshold`, newest first.
    pub(in crate::http) fn slow(&self, threshold: Nanos) -> Vec<SlowExecution> {
        let memory = self.memory.map(|window| self.view.slow(window, threshold, &self.filter));
        let past = self.past.map(|past| past.slow.clone()).unwrap_or_default();
        memory.unwrap_or_default().into_iter().chain(past).collect()
    }

    /// Figures of one or of all statements by value of a tag, of the one value that is asked for where one is; unsorted.
    pub(in crate::http) fn tags(&self, key: &str, hash: Option<QueryHash>) -> Vec<TagRow> {
        let mut rows = self.memory.map(|window| self.view.tags(window, key, hash)).unwrap_or_default();
        for past in self.past.iter().flat_map(|past| &past.tags) {
            match rows.iter_mut().find(|row| row.value == past.value) {
                Some(row) => {
                    row.stats.merge(&past.stats);
                    // Which they are is not known of both; at least so many.
                    row.statements = row.statements.max(past.statements);
                }
                None => rows.push(past.clone()),
            }
        }
        rows.retain(|row| self.filter.tag.as_ref().is_none_or(|tag| *tag.value == *row.value));
        rows
    }

    /// One statement's errors by SQLSTATE, most frequent first.
    pub(in crate::http) fn errors(&self, hash: QueryHash) -> Vec<(Sqlstate, u64)> {
        let memory = self.memory.map(|window| self.view.errors(window, &self.filter, Some(hash)));
        let mut errors = memory.unwrap_or_default();
        for (code, count) in self.past.iter().flat_map(|past| &past.errors) {
            match errors.iter_mut().find(|(known, _)| known == code) {
                Some((_, so_far)) => *so_far += count,
                None => errors.push((*code, *count)),
            }
        }
        errors.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        errors
    }

    /// All sessions together.
    pub(in crate::http) fn sessions(&self) -> PastSessions {
        let mut all = self.past.map(|past| past.sessions.clone()).unwrap_or_default();
        let Some(window) = self.memory else { return all };
        let sessions = self.view.sessions(window);
        all.opened += sessions.opened;
        all.failed += sessions.failed.iter().map(|(_, count)| count).sum::<u64>();
        all.committed += sessions.committed.count();
        all.rolled_back += sessions.rolled_back.count();
        all.transactions.merge(&sessions.committed);
        all.transactions.merge(&sessions.rolled_back);
        all.transaction_time += sessions.transaction_time;
        all.idle_in_transaction += sessions.idle_in_transaction;
        all
    }

    /// What is known of a statement.
    pub(in crate::http) fn known(&self, hash: QueryHash) -> Option<Arc<KnownQuery>> {
        self.view.query(hash).or_else(|| self.past.and_then(|past| past.known.clone()))
    }
}

/// Rows of one group added up.
fn joined(mut rows: Vec<StatementRow>, past: &[StatementRow]) -> Vec<StatementRow> {
    let key =
        |row: &StatementRow| (row.query.query.hash, row.database.clone(), row.user.clone(), row.application.clone());
    let mut places: HashMap<_, usize> = rows.iter().enumerate().map(|(place, row)| (key(row), place)).collect();
    for row in past {
        match places.entry(key(row)) {
            Entry::Occupied(place) => {
                if let Some(here) = rows.get_mut(*place.get()) {
                    here.stats.merge(&row.stats);
                }
            }
            Entry::Vacant(vacant) => {
                vacant.insert(rows.len());
                rows.push(row.clone());
            }
        }
    }
    rows
}
