//! Figures since the process started, as Prometheus wants them.

use std::collections::{BTreeMap, BTreeSet};

use super::sessions::SessionStats;
use crate::sql::kind::{Class, Kind};
use crate::stats::admission::Place;
use crate::stats::harvest::HarvestedSeries;
use crate::stats::histogram::Histogram;
use crate::stats::other::OTHER;
use crate::stats::series::SeriesStats;

/// Labels that a client chooses are capped (FIELD (c)).
const LABELS_MAX: usize = 100;

/// Figures since the process started: they only grow, also when minutes leave memory.
#[derive(Clone, Debug, Default)]
pub struct Cumulative {
    /// By database and kind; at most 100 databases, then `(other)`.
    pub statements: BTreeMap<(Box<str>, Kind), SeriesStats>,
    /// Errors by database and SQLSTATE; at most 100 databases and 100 codes, then `(other)`.
    pub errors: BTreeMap<(Box<str>, Box<str>), u64>,
    /// Executions of data statements by level: good, warning, alert, critical.
    pub levels: [u64; 4],
    /// Times to the first row, data statements.
    pub first_row: Histogram,
    /// Sum of them.
    pub first_row_time: crate::base::units::Nanos,
    /// All sessions together.
    pub sessions: SessionStats,
    databases: BTreeSet<Box<str>>,
    codes: BTreeSet<Box<str>>,
}

impl Cumulative {
    /// Adds what a series gained.
    pub(super) fn add(&mut self, place: &Place, gained: &HarvestedSeries) {
        let stats = &gained.stats;
        let database = label(&mut self.databases, &place.identity.database);
        for (code, count) in stats.codes.iter() {
            let code = label(&mut self.codes, code.as_str());
            *self.errors.entry((database.clone(), code)).or_default() += count;
        }
        if place.query.class == Class::Data {
            self.levels.iter_mut().zip(stats.levels).for_each(|(here, there)| *here += there);
            self.first_row.merge(&gained.first_rows);
            self.first_row_time += stats.first_row;
        }
        self.statements.entry((database, place.query.query.kind)).or_default().merge(stats);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let rows = self.statements.values().map(|stats| size_of::<SeriesStats>() + 64 + stats.heap_bytes());
        rows.sum::<usize>() + self.errors.len() * 96 + self.sessions.heap_bytes() + self.first_row.heap_bytes()
    }
}

fn label(known: &mut BTreeSet<Box<str>>, value: &str) -> Box<str> {
    if value == OTHER || (!known.contains(value) && known.len() >= LABELS_MAX) {
        return OTHER.into();
    }
    if !known.contains(value) {
        known.insert(value.into());
    }
    value.into()
}
