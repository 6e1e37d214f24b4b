//! `metric=indexes`: which indexes are used, and which could go.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::seen::{IndexRow, Seen};
use crate::http::problem::Problem;

/// Indexes, those to drop first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Indexes {
    pub(in crate::http) indexes: Vec<IndexRow>,
}

/// The answer.
pub(in crate::http) fn indexes(ask: &Ask<'_>, seen: &[Arc<Seen>]) -> Result<Indexes, Problem> {
    let limit = ask.limit(50)?;
    let rows = seen.iter().flat_map(|seen| &seen.indexes).filter(|row| ask.admits(&row.database));
    Ok(Indexes { indexes: rows.take(limit).cloned().collect() })
}
