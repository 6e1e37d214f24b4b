//! A server, over all its databases.

use serde::{Deserialize, Serialize};

use super::activity::{Calls, SessionsBy};
use super::holder::{Prepared, Slot, Standby, Transaction};
use crate::base::units::WallTime;

/// A monitored server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// As `server_version_num`: 150004.
    pub version_number: u32,
    /// As it says itself.
    pub version: String,
    /// Of the cluster, shared by its standbys; `None` when it may not be seen.
    pub system_identifier: Option<i64>,
    /// It replays WAL of another: counters are its own, tables are not.
    pub is_standby: bool,
    /// When it started.
    pub started_at: WallTime,
    /// Sessions against their limit.
    pub connections: Connections,
    /// Settings that rules look at.
    pub settings: Vec<Setting>,
    /// Replication slots.
    pub slots: Vec<Slot>,
    /// Receivers of WAL.
    pub standbys: Vec<Standby>,
    /// Prepared transactions.
    pub prepared: Vec<Prepared>,
    /// The oldest transactions, and those that hold the oldest rows: at most 20.
    pub transactions: Vec<Transaction>,
    /// Calls as the server counted them; `None` without `pg_stat_statements`.
    pub calls: Option<Calls>,
    /// Who is connected.
    pub sessions: Vec<SessionsBy>,
}

/// Sessions against their limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// `max_connections`.
    pub limit: u64,
    /// Of these, kept for superusers and for `pg_use_reserved_connections`.
    pub reserved: u64,
    /// Client backends.
    pub used: u64,
    /// Of these, in a transaction and waiting for their client.
    pub idle_in_transaction: u64,
}

/// A setting.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value in `unit`.
    pub value: String,
    /// `kB`, `ms`…; empty without one.
    pub unit: String,
}
