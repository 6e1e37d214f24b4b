//! What keeps dead rows or WAL alive: replication slots, standbys, prepared and long transactions.

use serde::{Deserialize, Serialize};

use crate::base::units::WallTime;

/// A replication slot.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// Its name, unquoted.
    pub name: String,
    /// `physical` or `logical`.
    pub kind: String,
    /// Of a logical one.
    pub database: Option<String>,
    /// Somebody streams from it.
    pub is_active: bool,
    /// It ends with its session.
    pub is_temporary: bool,
    /// WAL held back for it; `None`: it holds nothing yet.
    pub retained_bytes: Option<u64>,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: Option<String>,
    /// What may still be written before it is lost; `None`: unlimited.
    pub safe_wal_bytes: Option<u64>,
    /// Transactions since the oldest that rows are kept for, of tables or of catalogues.
    pub xmin_age: Option<u64>,
    /// Since when it is inactive; PostgreSQL 17 and later.
    pub inactive_since: Option<WallTime>,
}

/// A standby, or another receiver of WAL.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Standby {
    /// Its `application_name`.
    pub name: String,
    /// Its address; `None` on a socket, or when it may not be seen.
    pub address: Option<String>,
    /// `streaming`, `catchup`, `backup`…
    pub state: Option<String>,
    /// WAL that was made and not yet replayed there.
    pub behind_bytes: Option<u64>,
    /// Transactions since the oldest that rows are kept for, by its feedback.
    pub xmin_age: Option<u64>,
}

/// A prepared transaction that was neither committed nor rolled back.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Prepared {
    /// Its name.
    pub gid: String,
    /// Its database.
    pub database: String,
    /// Whose.
    pub user: String,
    /// Since when.
    pub prepared_at: WallTime,
    /// Transactions since its own.
    pub xid_age: u64,
}

/// A session's transaction that is old or keeps rows alive.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// The backend's process.
    pub pid: i32,
    /// Its database.
    pub database: Option<String>,
    /// Whose.
    pub user: Option<String>,
    /// `application_name`.
    pub application: String,
    /// `active`, `idle in transaction`…; `None` when it may not be seen.
    pub state: Option<String>,
    /// Since when.
    pub began_at: Option<WallTime>,
    /// Transactions since the oldest that it may still see.
    pub xmin_age: Option<u64>,
    /// VACUUM or autovacuum: it holds nothing back.
    pub is_vacuum: bool,
}
