//! `metric=recommendations`: what to do, the most important first.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::changes::{Changes, changes};
use super::seen::Seen;
use super::shape::tenths;
use crate::analyze::recommend::{Recommendation, Whole, order, slower};
use crate::http::problem::Problem;
use crate::store::read::Days;

/// What averts a standstill first, then what saves most.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Recommendations {
    pub(in crate::http) recommendations: Vec<RecommendationRow>,
    /// What changed in statements; null without a store.
    changes: Option<Changes>,
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
pub(in crate::http) fn recommendations(
    ask: &Ask<'_>,
    seen: &[Arc<Seen>],
    changed: &[(String, Arc<Days>)],
) -> Result<Recommendations, Problem> {
    let limit = ask.limit(50)?;
    let mut all: Vec<(&str, Whole, Recommendation)> = Vec::new();
    for seen in seen {
        let days = changed.iter().find(|(server, _)| *server == seen.server).map(|(_, days)| days);
        let whole = Whole { bytes: seen.bytes, ms_per_day: days.map_or(0.0, |days| days.total_ms) };
        let mut list = seen.recommendations.clone();
        let day = days.map(|days| days.day()).unwrap_or_default();
        list.extend(day.worse.iter().map(|one| slower(one, seen.version_number)));
        all.extend(list.into_iter().map(|one| (seen.server.as_str(), whole, one)));
    }
    all.retain(|(_, _, one)| one.database.as_deref().is_none_or(|database| ask.admits(database)));
    all.sort_by(|(_, whole_a, a), (_, whole_b, b)| order((a, whole_a), (b, whole_b)));
    let rows = all.iter().take(limit).map(|(server, _, one)| RecommendationRow::new(server, one));
    Ok(Recommendations { recommendations: rows.collect(), changes: changes(ask, changed, limit) })
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
