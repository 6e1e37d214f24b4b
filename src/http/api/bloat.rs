//! `metric=bloat`: tables and indexes that hold space which they do not need.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::shape::tenths;
use crate::analyze::bloat::Bloated;
use crate::analyze::level;
use crate::http::problem::Problem;
use crate::snapshot::relation::{Method, Withheld};

/// From so many percent on, unless `threshold` says otherwise.
const THRESHOLD: f64 = 20.0;

/// Tables and indexes at or above the threshold, the most wasted first; with 0 also those of which nothing is known.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Bloat {
    threshold_percent: f64,
    pub(in crate::http) tables: Vec<BloatRow>,
    indexes: Vec<BloatRow>,
}

/// One table or index.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct BloatRow {
    server: String,
    pub(in crate::http) database: String,
    schema: String,
    table: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    live_tuples: Option<u64>,
    dead_tuples: Option<u64>,
    size_bytes: u64,
    /// Null: see `withheld`.
    bloat_percent: Option<f64>,
    wasted_bytes: Option<u64>,
    /// healthy, monitor, warning, critical.
    level: Option<&'static str>,
    /// How it was found out: docs/health.md.
    method: Option<&'static str>,
    /// Why nothing is said.
    withheld: Option<&'static str>,
    advice: Option<String>,
    statement: Option<String>,
}

/// The answer.
pub(in crate::http) fn bloat(ask: &Ask<'_>) -> Result<Bloat, Problem> {
    let limit = ask.limit(50)?;
    let threshold =
        ask.params.number("threshold", "percent, a number from 0 to 100", |n| (0.0..=100.0).contains(&n))?;
    let threshold = threshold.unwrap_or(THRESHOLD);
    let is_shown = |row: &&BloatRow| {
        ask.admits(&row.database) && row.bloat_percent.map_or(threshold == 0.0, |percent| percent >= threshold)
    };
    let tables = ask.seen.iter().flat_map(|seen| &seen.tables).filter(is_shown);
    let indexes = ask.seen.iter().flat_map(|seen| &seen.bloated).filter(is_shown);
    Ok(Bloat {
        threshold_percent: threshold,
        tables: tables.take(limit).cloned().collect(),
        indexes: indexes.take(limit).cloned().collect(),
    })
}

impl BloatRow {
    /// The shape of one.
    pub(in crate::http) fn new(server: &str, one: &Bloated<'_>) -> Self {
        Self {
            server: server.to_owned(),
            database: one.database.to_owned(),
            schema: one.schema.to_owned(),
            table: one.table.to_owned(),
            index: one.index.map(str::to_owned),
            live_tuples: one.live_tuples,
            dead_tuples: one.dead_tuples,
            size_bytes: one.size_bytes,
            bloat_percent: one.bloat.map(|bloat| tenths(bloat.percent)),
            wasted_bytes: one.bloat.map(|bloat| bloat.wasted_bytes),
            level: one.level.map(level::Bloat::as_str),
            method: one.bloat.map(|bloat| Method::as_str(bloat.method)),
            withheld: one.withheld.map(Withheld::as_str),
            advice: one.advice.clone(),
            statement: one.statement.clone(),
        }
    }
}
