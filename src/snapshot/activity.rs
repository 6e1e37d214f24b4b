//! Who works on a server: for what share of it pgvitals sees.

use serde::{Deserialize, Serialize};

use crate::base::units::WallTime;

/// What `pg_stat_statements` counted, top level only.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Calls {
    /// By user and database.
    pub by: Vec<CallsBy>,
    /// When it was reset, or began without figures of an earlier time; `None` before PostgreSQL 14, where nobody knows.
    pub since: Option<WallTime>,
    /// How often entries were evicted since then; above 0, sums are too small. `None` before PostgreSQL 14.
    pub evictions: Option<u64>,
}

/// Calls of one user in one database.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallsBy {
    /// Whose.
    pub user: String,
    /// Where.
    pub database: String,
    /// How many.
    pub calls: u64,
}

/// Client sessions at one moment, our own left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionsBy {
    /// Whose.
    pub user: String,
    /// Where.
    pub database: String,
    /// `application_name`.
    pub application: String,
    /// The client's address; `None` on a socket, or when it may not be seen.
    pub address: Option<String>,
    /// How many.
    pub sessions: u64,
}
