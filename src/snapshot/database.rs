//! A database.

use serde::{Deserialize, Serialize};

use super::relation::Oid;
use super::sequence::Sequence;
use crate::base::units::WallTime;

/// A database of the server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Database {
    /// By this it is known.
    pub oid: Oid,
    /// What it is called at present.
    pub name: String,
    /// Whether its tables were looked at; else the set says why not.
    pub is_seen: bool,
    /// What was counted.
    pub figures: DatabaseFigures,
    /// Its sequences.
    pub sequences: Vec<Sequence>,
}

/// Counters and sizes; counters since the last reset.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseFigures {
    /// On disk; `None` without CONNECT on it or `pg_read_all_stats`.
    pub size_bytes: Option<u64>,
    /// Sessions in it.
    pub sessions: u64,
    /// Its own limit of sessions, if it has one.
    pub session_limit: Option<u64>,
    /// Transactions committed.
    pub committed: u64,
    /// Transactions rolled back.
    pub rolled_back: u64,
    /// Blocks found in shared buffers.
    pub blocks_hit: u64,
    /// Blocks asked of the operating system.
    pub blocks_read: u64,
    /// Temporary files.
    pub temp_files: u64,
    /// Bytes written to them.
    pub temp_bytes: u64,
    /// Deadlocks.
    pub deadlocks: u64,
    /// Sessions ended by a fatal error or by an operator; PostgreSQL 14 and later.
    pub sessions_killed: Option<u64>,
    /// Pages whose checksum was wrong; `None` without checksums.
    pub checksum_failures: Option<u64>,
    /// Transactions since the oldest unfrozen row's: at 2^31 the server would stop.
    pub xid_age: u64,
    /// Multixacts, likewise.
    pub multixact_age: u64,
    /// When its counters were reset; `None` proves nothing.
    pub stats_reset: Option<WallTime>,
}
