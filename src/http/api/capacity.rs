//! `metric=capacity`: what grows, how fast, and when it is full.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::shape::tenths;
use crate::analyze::capacity::{Capacity, Growth};
use crate::http::problem::Problem;

/// What grows; `tables` the fastest growing first. Each list has at most `limit` rows.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct CapacityRows {
    /// All databases together in bytes, against `disk_capacity`.
    disk: Vec<GrowthRow>,
    /// Bytes.
    pub(in crate::http) databases: Vec<GrowthRow>,
    /// Bytes, indexes included; partitions are in their topmost parent.
    tables: Vec<GrowthRow>,
    /// Values handed out.
    sequences: Vec<GrowthRow>,
    /// Transaction ids and multixacts since the oldest row that is not frozen.
    wraparound: Vec<GrowthRow>,
    /// Sessions.
    connections: Vec<GrowthRow>,
}

/// One that grows.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct GrowthRow {
    server: String,
    /// Null of the server.
    database: Option<String>,
    /// Empty of a database or the server itself.
    name: String,
    now: f64,
    /// The most that was seen.
    peak: f64,
    /// Where it ends; null: nowhere, or nobody said.
    limit: Option<f64>,
    /// Null: not watched for long enough.
    growth_per_day: Option<f64>,
    /// Of `growth_per_day` by 95 %.
    low: Option<f64>,
    high: Option<f64>,
    /// Null: it does not grow, or has no limit.
    full_in_days: Option<f64>,
    earliest_full_in_days: Option<f64>,
}

/// The answer.
pub(in crate::http) fn capacity(ask: &Ask<'_>) -> Result<CapacityRows, Problem> {
    let limit = ask.limit(50)?;
    let all = |rows: fn(&CapacityRows) -> &Vec<GrowthRow>| {
        let rows = ask.seen.iter().flat_map(|seen| rows(&seen.capacity));
        let admitted = rows.filter(|row| row.database.as_deref().is_none_or(|database| ask.admits(database)));
        admitted.take(limit).cloned().collect()
    };
    Ok(CapacityRows {
        disk: all(|rows| &rows.disk),
        databases: all(|rows| &rows.databases),
        tables: all(|rows| &rows.tables),
        sequences: all(|rows| &rows.sequences),
        wraparound: all(|rows| &rows.wraparound),
        connections: all(|rows| &rows.connections),
    })
}

impl CapacityRows {
    /// The shape of a server's.
    pub(in crate::http) fn new(server: &str, capacity: &Capacity) -> Self {
        let rows = |all: &[Growth]| all.iter().map(|growth| GrowthRow::new(server, growth)).collect();
        let one = |growth: &Option<Growth>| growth.iter().map(|growth| GrowthRow::new(server, growth)).collect();
        Self {
            disk: one(&capacity.disk),
            databases: rows(&capacity.databases),
            tables: rows(&capacity.tables),
            sequences: rows(&capacity.sequences),
            wraparound: rows(&capacity.wraparound),
            connections: one(&capacity.connections),
        }
    }
}

impl GrowthRow {
    fn new(server: &str, growth: &Growth) -> Self {
        Self {
            server: server.to_owned(),
            database: growth.database.clone(),
            name: growth.name.clone(),
            now: growth.now,
            peak: growth.peak,
            limit: growth.limit,
            growth_per_day: growth.trend.map(|trend| tenths(trend.per_day)),
            low: growth.trend.map(|trend| tenths(trend.low)),
            high: growth.trend.map(|trend| tenths(trend.high)),
            full_in_days: growth.full.days.map(tenths),
            earliest_full_in_days: growth.full.earliest.map(tenths),
        }
    }
}
