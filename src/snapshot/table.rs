//! A table: what was set, and what was counted.

use serde::{Deserialize, Serialize};

use super::relation::{Bloat, Key, Oid, Withheld};
use crate::base::units::WallTime;

/// A user's table or materialised view.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    /// By this it is known.
    pub key: Key,
    /// Of a partition: the table at the top, whose row has the sums of all partitions.
    pub root: Option<Oid>,
    /// What it is called at present.
    pub names: TableNames,
    /// What was set.
    pub definition: TableDefinition,
    /// What was counted.
    pub figures: TableFigures,
}

/// Names, unquoted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TableNames {
    /// The database.
    pub database: String,
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// What was set.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TableDefinition {
    /// The parent of partitions; it holds nothing itself.
    pub is_partitioned: bool,
    /// A materialised view.
    pub is_materialized_view: bool,
    /// UNLOGGED: empty after a crash, and on a standby.
    pub is_unlogged: bool,
    /// 100 unless set.
    pub fillfactor_percent: u32,
    /// Storage parameters as `name=value`, those of its TOAST table with the prefix `toast.`.
    pub options: Vec<String>,
}

/// Counters, sizes and times. Times and ages of a partitioned table are its partitions' oldest (time) and largest (age).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableFigures {
    /// Of the topmost table: how many partitions (leaves) have their figures summed up here; 0 for any other.
    pub partitions: u32,
    /// Rows, as the statistics system estimates them.
    pub live_tuples: u64,
    /// Dead rows.
    pub dead_tuples: u64,
    /// Rows changed since the last ANALYZE.
    pub modified_since_analyze: u64,
    /// Rows inserted since the last VACUUM.
    pub inserted_since_vacuum: u64,
    /// Rows inserted since the last reset.
    pub inserted: u64,
    /// Rows updated since then.
    pub updated: u64,
    /// Rows updated without a new index entry since then.
    pub hot_updated: u64,
    /// Rows deleted since then.
    pub deleted: u64,
    /// Sequential scans since then.
    pub sequential_scans: u64,
    /// Rows at the last VACUUM or ANALYZE; `None` before the first.
    pub estimated_tuples: Option<f64>,
    /// Main fork, free space map and visibility map.
    pub heap_bytes: u64,
    /// The TOAST table with its index.
    pub toast_bytes: u64,
    /// All indexes.
    pub index_bytes: u64,
    /// VACUUM by hand.
    pub last_vacuum: Option<WallTime>,
    /// By the autovacuum daemon.
    pub last_autovacuum: Option<WallTime>,
    /// ANALYZE by hand.
    pub last_analyze: Option<WallTime>,
    /// By the autovacuum daemon.
    pub last_autoanalyze: Option<WallTime>,
    /// Transactions since its oldest unfrozen row's, its TOAST table's included.
    pub xid_age: u64,
    /// Multixacts, likewise.
    pub multixact_age: u64,
    /// When the database's counters were reset; `None` proves nothing.
    pub stats_reset: Option<WallTime>,
    /// Of the heap; measured, of its TOAST table as well.
    pub bloat: Option<Bloat>,
    /// Why there is no estimate.
    pub withheld: Option<Withheld>,
}

impl TableFigures {
    /// Heap, TOAST and indexes.
    pub fn size_bytes(&self) -> u64 {
        self.heap_bytes.saturating_add(self.toast_bytes).saturating_add(self.index_bytes)
    }
}
