//! `metric=capacity`: what grows, how fast, and when it is full.

use std::sync::Arc;

use super::ask::Ask;
use super::choices::SERIES;
use super::seen::{CapacityRows, GrowthRow, Seen};
use crate::http::problem::Problem;

/// The answer.
pub(in crate::http) fn capacity(ask: &Ask<'_>, seen: &[Arc<Seen>]) -> Result<CapacityRows, Problem> {
    let limit = ask.limit(50)?;
    let is_wanted = ask.params.choice("series", SERIES, |name| SERIES.contains(&name).then_some(()))?.is_some();
    let all = |rows: fn(&CapacityRows) -> &Vec<GrowthRow>| {
        let rows = seen.iter().flat_map(|seen| rows(&seen.capacity));
        let admitted = rows.filter(|row| row.database.as_deref().is_none_or(|database| ask.admits(database)));
        admitted.take(limit).map(|row| if is_wanted { row.clone() } else { row.without_series() }).collect()
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
