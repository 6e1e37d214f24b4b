//! `metric=bloat`: tables and indexes that hold space which they do not need.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::seen::{BloatRow, Seen};
use crate::http::problem::Problem;

/// From so many percent on, unless `threshold` says otherwise.
const THRESHOLD: f64 = 20.0;

/// Tables and indexes at or above the threshold, the most wasted first; with 0 also those of which nothing is known.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Bloat {
    threshold_percent: f64,
    pub(in crate::http) tables: Vec<BloatRow>,
    indexes: Vec<BloatRow>,
}

/// The answer.
pub(in crate::http) fn bloat(ask: &Ask<'_>, seen: &[Arc<Seen>]) -> Result<Bloat, Problem> {
    let limit = ask.limit(50)?;
    let threshold =
        ask.params.number("threshold", "percent, a number from 0 to 100", |n| (0.0..=100.0).contains(&n))?;
    let threshold = threshold.unwrap_or(THRESHOLD);
    let is_shown = |row: &&BloatRow| {
        ask.admits(&row.database) && row.bloat_percent.map_or(threshold == 0.0, |percent| percent >= threshold)
    };
    let tables = seen.iter().flat_map(|seen| &seen.tables).filter(is_shown);
    let indexes = seen.iter().flat_map(|seen| &seen.bloated).filter(is_shown);
    Ok(Bloat {
        threshold_percent: threshold,
        tables: tables.take(limit).cloned().collect(),
        indexes: indexes.take(limit).cloned().collect(),
    })
}
