//! `metric=active`: what runs now, and which transactions are open.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ask::Ask;
use super::params::bad;
use super::shape::ms;
use super::slow::tags;
use crate::http::problem::Problem;
use crate::stats::live::{ActiveState, ActiveStatement, ActiveTransaction};

/// Statements in flight and open transactions, oldest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Active {
    pub(in crate::http) statements: Vec<StatementBody>,
    transactions: Vec<TransactionBody>,
}

/// A statement in flight.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct StatementBody {
    query_hash: String,
    query: String,
    age_ms: f64,
    /// running, fetching, waiting_for_client.
    state: &'static str,
    database: String,
    user: String,
    application: String,
    #[schema(value_type = Object)]
    tags: Value,
}

/// An open transaction.
#[derive(Serialize, ToSchema)]
struct TransactionBody {
    age_ms: f64,
    /// Idle for so long now; null while a statement runs.
    idle_ms: Option<f64>,
    /// Completed in it.
    statements: u64,
    last_query_hash: Option<String>,
    database: String,
    user: String,
    application: String,
}

/// The answer. The window means nothing here.
///
/// # Errors
/// Of a process that measures nothing, and of a server that it is not in front of: an empty answer would say that nothing
/// runs.
pub(in crate::http) fn active(ask: &Ask<'_>) -> Result<Active, Problem> {
    if !ask.app.measures() {
        let detail = "what runs now is in the memory of the sidecar that it runs through: ask that one; pgvitals serve knows \
                      what the tables hold";
        return Err(bad(detail.to_owned()));
    }
    let own = &ask.app.settings.servers;
    if let Some(server) = ask.filter.server.as_ref().filter(|server| !own.contains(server)) {
        let own = own.join(", ");
        return Err(bad(format!(
            "what runs now is in the memory of the sidecar that it runs through; this one is in front of {own}, not of {server}"
        )));
    }
    let limit = ask.limit(50)?;
    let statements = ask.view.active_statements().iter().filter(|row| ask.filter.admits(&row.identity));
    let transactions = ask.view.active_transactions().iter().filter(|row| ask.filter.admits(&row.identity));
    Ok(Active {
        statements: statements.take(limit).map(StatementBody::new).collect(),
        transactions: transactions.take(limit).map(TransactionBody::new).collect(),
    })
}

impl StatementBody {
    fn new(row: &ActiveStatement) -> Self {
        Self {
            query_hash: row.query.hash.to_string(),
            query: row.query.text.to_string(),
            age_ms: ms(row.age),
            state: match row.state {
                ActiveState::Running => "running",
                ActiveState::Fetching => "fetching",
                ActiveState::WaitingForClient => "waiting_for_client",
            },
            database: row.identity.database.to_string(),
            user: row.identity.user.to_string(),
            application: row.identity.application.to_string(),
            tags: tags(row.tags.as_deref()),
        }
    }
}

impl TransactionBody {
    fn new(row: &ActiveTransaction) -> Self {
        Self {
            age_ms: ms(row.age),
            idle_ms: row.idle.map(ms),
            statements: row.statements,
            last_query_hash: row.last_query.as_ref().map(|query| query.hash.to_string()),
            database: row.identity.database.to_string(),
            user: row.identity.user.to_string(),
            application: row.identity.application.to_string(),
        }
    }
}
