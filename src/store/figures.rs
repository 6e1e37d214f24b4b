//! The figures of a row of statistics, the same in minutes, hours and days. Everything adds. Pure.

use serde::{Deserialize, Serialize};

use crate::base::units::Nanos;
use crate::stats::series::SeriesStats;

/// As wide as the hours' and days' columns; minutes are cut to `integer` where they are written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)] // Named as the columns.
pub(super) struct Figures {
    pub(super) rows: i64,
    pub(super) bytes_in: i64,
    pub(super) bytes_out: i64,
    pub(super) total_us: i64,
    pub(super) first_row_us: i64,
    pub(super) client_stall_us: i64,
    pub(super) max_us: i64,
    pub(super) calls: i64,
    pub(super) errors: i64,
    pub(super) aborted: i64,
    pub(super) batched: i64,
    pub(super) min_us: i64,
    /// Good, alert, critical; warning is the rest.
    pub(super) levels: [i64; 3],
    pub(super) first_row_calls: i64,
    pub(super) prepares: i64,
    pub(super) prepare_us: i64,
    /// Ascending.
    pub(super) buckets_us: Vec<i32>,
    pub(super) counts: Vec<i64>,
}

impl Figures {
    /// Those of a series.
    pub(super) fn of(stats: &SeriesStats) -> Self {
        let [good, _, alert, critical] = stats.levels.map(signed);
        Self {
            rows: signed(stats.rows),
            bytes_in: signed(stats.bytes_in),
            bytes_out: signed(stats.bytes_out),
            total_us: micros(stats.total),
            first_row_us: micros(stats.first_row),
            client_stall_us: micros(stats.client_stall),
            max_us: micros(stats.max),
            calls: signed(stats.calls),
            errors: signed(stats.errors),
            aborted: signed(stats.aborted),
            batched: signed(stats.batched),
            min_us: micros(stats.min),
            levels: [good, alert, critical],
            first_row_calls: signed(stats.first_row_calls),
            prepares: signed(stats.prepares),
            prepare_us: micros(stats.prepare_time),
            buckets_us: stats.durations.buckets().map(|(top, _)| top.cast_signed()).collect(),
            counts: stats.durations.buckets().map(|(_, count)| signed(count)).collect(),
        }
    }

    /// Adds all of `other`.
    pub(super) fn add(&mut self, other: &Figures) {
        if other.calls > 0 {
            self.min_us = if self.calls == 0 { other.min_us } else { self.min_us.min(other.min_us) };
        }
        self.max_us = self.max_us.max(other.max_us);
        for (here, there) in [
            (&mut self.rows, other.rows),
            (&mut self.bytes_in, other.bytes_in),
            (&mut self.bytes_out, other.bytes_out),
            (&mut self.total_us, other.total_us),
            (&mut self.first_row_us, other.first_row_us),
            (&mut self.client_stall_us, other.client_stall_us),
            (&mut self.calls, other.calls),
            (&mut self.errors, other.errors),
            (&mut self.aborted, other.aborted),
            (&mut self.batched, other.batched),
            (&mut self.first_row_calls, other.first_row_calls),
            (&mut self.prepares, other.prepares),
            (&mut self.prepare_us, other.prepare_us),
        ] {
            *here = here.saturating_add(there);
        }
        self.levels.iter_mut().zip(other.levels).for_each(|(here, there)| *here = here.saturating_add(there));
        add_histogram((&mut self.buckets_us, &mut self.counts), (&other.buckets_us, &other.counts));
    }
}

/// Adds ascending buckets and their counts to others.
pub(super) fn add_histogram(to: (&mut Vec<i32>, &mut Vec<i64>), other: (&[i32], &[i64])) {
    let (tops, counts) = to;
    for (top, count) in other.0.iter().zip(other.1) {
        match tops.binary_search(top) {
            Ok(at) => {
                if let Some(here) = counts.get_mut(at) {
                    *here = here.saturating_add(*count);
                }
            }
            Err(at) => {
                tops.insert(at, *top);
                counts.insert(at.min(counts.len()), *count);
            }
        }
    }
}

pub(super) fn micros(span: Nanos) -> i64 {
    signed(span.as_micros())
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
