//! `metric=indexes`: which indexes are used, and which could go.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::shape::{rfc3339, tenths};
use crate::analyze::indexes::{IndexUse, Status};
use crate::analyze::level::Use;
use crate::http::problem::Problem;
use crate::jobs::insight::Insight;

/// Indexes, those to drop first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Indexes {
    pub(in crate::http) indexes: Vec<IndexRow>,
}

/// One index; of a partitioned table the topmost, with sums of all partitions.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct IndexRow {
    server: String,
    pub(in crate::http) database: String,
    schema: String,
    table: String,
    index: String,
    /// Since the last reset of the server's counters.
    scans: u64,
    size_bytes: u64,
    /// Null: no use was seen.
    #[schema(format = DateTime)]
    last_used: Option<String>,
    /// Days without use, or without use as far as was watched.
    unused_days: f64,
    /// active, low_usage, unused, drop, not_enough_history.
    status: &'static str,
    reason: String,
    /// What takes it away, where that is the advice.
    statement: Option<String>,
    /// What brings it back.
    undo: Option<String>,
}

/// The answer.
pub(in crate::http) fn indexes(ask: &Ask<'_>) -> Result<Indexes, Problem> {
    let limit = ask.limit(50)?;
    let rows = ask.seen.iter().flat_map(|seen| &seen.indexes).filter(|row| ask.admits(&row.database));
    Ok(Indexes { indexes: rows.take(limit).cloned().collect() })
}

impl IndexRow {
    /// All of a server in their order.
    pub(in crate::http) fn all(server: &str, insight: &Insight<'_>) -> Vec<Self> {
        let mut uses: Vec<&IndexUse<'_>> = insight.uses.iter().collect();
        uses.sort_by_key(|one| (rank(one.status), Reverse(one.index.figures.size_bytes)));
        uses.into_iter().map(|one| Self::new(server, one)).collect()
    }

    fn new(server: &str, one: &IndexUse<'_>) -> Self {
        let (names, figures, evidence) = (&one.index.names, &one.index.figures, &one.evidence);
        let unused = evidence.last_used_ago.unwrap_or(evidence.unused);
        Self {
            server: server.to_owned(),
            database: names.database.clone(),
            schema: names.schema.clone(),
            table: names.table.clone(),
            index: names.index.clone(),
            scans: figures.scans,
            size_bytes: figures.size_bytes,
            last_used: evidence.last_used.map(rfc3339),
            unused_days: tenths(unused.as_secs_f64() / 86_400.0),
            status: one.status.as_str(),
            reason: one.reason.clone(),
            statement: one.statement.clone(),
            undo: one.undo.clone(),
        }
    }
}

/// What asks for a decision comes first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Used(Use::Drop) => 0,
        Status::Used(Use::Unused) => 1,
        Status::Used(Use::LowUsage) => 2,
        Status::NotEnoughHistory => 3,
        Status::Used(Use::Active) => 4,
    }
}
