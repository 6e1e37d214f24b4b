//! An index: what it is, and what was counted.

use serde::{Deserialize, Serialize};

use super::relation::{Bloat, Key, Oid, Withheld};
use crate::base::units::WallTime;

/// An index of a user's table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Index {
    /// By this it is known.
    pub key: Key,
    /// Its table, in the same database.
    pub table: Oid,
    /// Of a partition: the index at the top, whose row has the sums of all partitions. None may go without the others.
    pub root: Option<Oid>,
    /// What it is called at present.
    pub names: IndexNames,
    /// What it is.
    pub definition: IndexDefinition,
    /// What was counted.
    pub figures: IndexFigures,
}

/// Names, unquoted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct IndexNames {
    /// The database.
    pub database: String,
    /// The schema of the index and of its table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
}

/// Counters and sizes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct IndexFigures {
    /// Of the topmost index: how many partitions (leaves) have their figures summed up here; 0 for any other.
    pub partitions: u32,
    /// Scans since the last reset.
    pub scans: u64,
    /// Entries returned by scans since then.
    pub tuples_read: u64,
    /// Live rows fetched by plain scans since then.
    pub tuples_fetched: u64,
    /// On disk.
    pub size_bytes: u64,
    /// End of the last transaction that used it; PostgreSQL 16 and later. Not reset with the counters, but lost with them
    /// in a crash.
    pub last_scan: Option<WallTime>,
    /// When the database's counters were reset; `None` proves nothing: a crash discards them.
    pub stats_reset: Option<WallTime>,
    /// Of btrees; `None`: see `withheld`.
    pub bloat: Option<Bloat>,
    /// Why there is none.
    pub withheld: Option<Withheld>,
}

/// What an index is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexDefinition {
    /// The statement that makes it, as `pg_get_indexdef` writes it.
    pub statement: String,
    /// Access method.
    pub method: String,
    /// Key columns in their order.
    pub columns: Vec<IndexColumn>,
    /// INCLUDE columns.
    pub include: Vec<String>,
    /// WHERE of a partial index.
    pub predicate: Option<String>,
    /// `fillfactor`; 90 for a btree without one.
    pub fillfactor_percent: u32,
    /// UNIQUE, primary keys included.
    pub is_unique: bool,
    /// Of the primary key.
    pub is_primary: bool,
    /// Of an exclusion constraint.
    pub is_exclusion: bool,
    /// UNIQUE NULLS NOT DISTINCT.
    pub is_nulls_not_distinct: bool,
    /// Of a DEFERRABLE constraint, which neither ON CONFLICT nor foreign keys can go by.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_deferrable: bool,
    /// The constraint that it stands for: such an index goes with its constraint alone.
    pub constraint: Option<String>,
    /// False: it serves no query; a CREATE INDEX CONCURRENTLY failed or is under way.
    pub is_valid: bool,
    /// False: not even kept up to date yet.
    pub is_ready: bool,
    /// Somebody builds or rebuilds it at this moment, as far as can be seen.
    pub is_building: bool,
    /// Of REPLICA IDENTITY USING INDEX, or of DEFAULT where it is the primary key.
    pub is_replica_identity: bool,
    /// Named by the last CLUSTER.
    pub is_clustered: bool,
    /// The parent of partitions' indexes.
    pub is_partitioned: bool,
    /// Foreign keys of its table whose columns it begins with: without it, changes of the other table scan this one.
    pub foreign_keys: Vec<String>,
    /// Foreign keys of other tables that rest on it.
    pub referenced_by: Vec<String>,
}

impl IndexDefinition {
    /// Whether a key is an expression.
    pub fn has_expressions(&self) -> bool {
        self.columns.iter().any(|column| column.is_expression)
    }

    /// Whether rows would be let in, or lose their identity, without it.
    pub fn enforces(&self) -> bool {
        self.is_unique || self.is_exclusion || self.is_replica_identity || self.constraint.is_some()
    }
}

/// A key column.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexColumn {
    /// Column or expression, as `pg_get_indexdef` writes it: quoted where need be.
    pub text: String,
    /// An expression.
    pub is_expression: bool,
    /// Operator class with its schema, and its parameters if it has any.
    pub opclass: String,
    /// Collation with its schema; empty where the type has none.
    pub collation: String,
    /// DESC.
    pub is_descending: bool,
    /// NULLS FIRST.
    pub is_nulls_first: bool,
}
