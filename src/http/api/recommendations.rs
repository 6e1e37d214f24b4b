//! `metric=recommendations`: what to do, the most important first.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::shape::tenths;
use crate::analyze::recommend::Recommendation;
use crate::http::problem::Problem;

/// What averts a standstill first, then what saves most.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Recommendations {
    pub(in crate::http) recommendations: Vec<RecommendationRow>,
}

/// One thing to do.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct RecommendationRow {
    server: String,
    /// Where to run it.
    database: Option<String>,
    kind: String,
    subject: String,
    saves: SavesBody,
    evidence: String,
    /// Null where it takes thought.
    statement: Option<String>,
    /// What undoes it.
    undo: Option<String>,
    risk: String,
}

/// What it saves.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
struct SavesBody {
    /// It averts a standstill.
    standstill: bool,
    bytes: u64,
    /// Time of the server.
    ms_per_day: f64,
}

/// The answer.
pub(in crate::http) fn recommendations(ask: &Ask<'_>) -> Result<Recommendations, Problem> {
    let limit = ask.limit(50)?;
    let rows = ask.seen.iter().flat_map(|seen| &seen.recommendations);
    let admitted = rows.filter(|row| row.database.as_deref().is_none_or(|database| ask.admits(database)));
    Ok(Recommendations { recommendations: admitted.take(limit).cloned().collect() })
}

impl RecommendationRow {
    /// The shape of one.
    pub(in crate::http) fn new(server: &str, one: &Recommendation) -> Self {
        Self {
            server: server.to_owned(),
            database: one.database.clone(),
            kind: one.kind.clone(),
            subject: one.subject.clone(),
            saves: SavesBody {
                standstill: one.saves.standstill,
                bytes: one.saves.bytes,
                ms_per_day: tenths(one.saves.ms_per_day),
            },
            evidence: one.evidence.clone(),
            statement: one.statement.clone(),
            undo: one.undo.clone(),
            risk: one.risk.clone(),
        }
    }
}
