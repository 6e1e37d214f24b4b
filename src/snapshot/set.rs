//! All that one round saw, and what it could not see.

use serde::{Deserialize, Serialize};

use super::database::Database;
use super::index::Index;
use super::relation::Key;
use super::server::Server;
use super::table::Table;
use crate::base::units::WallTime;

/// One round over a server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Set {
    /// When it began, by the server's clock.
    pub at: WallTime,
    /// The server.
    pub server: Server,
    /// Its databases, templates left out.
    pub databases: Vec<Database>,
    /// Users' tables of all databases that were looked at: partitions, and their topmost parents with sums.
    pub tables: Vec<Table>,
    /// Their indexes, likewise.
    pub indexes: Vec<Index>,
    /// Indexes that are there, of tables that somebody had locked exclusively: nothing is known of them this time.
    pub unread: Vec<Key>,
    /// What could not be seen.
    pub missing: Vec<Missing>,
}

/// Something that could not be seen.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Missing {
    /// Where; `None`: of the whole server.
    pub database: Option<String>,
    /// What: `tables`, `indexes`, `sequences`, `calls`…
    pub what: String,
    /// Why, as a sentence for the owner.
    pub why: String,
    /// The statement that an owner could run.
    pub remedy: Option<String>,
}

impl Missing {
    /// `what`: which databases there are.
    pub const DATABASES: &str = "databases";
    /// `what`: replication slots.
    pub const SLOTS: &str = "slots";
    /// `what`: a database's sequences.
    pub const SEQUENCES: &str = "sequences";
}
