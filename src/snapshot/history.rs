//! What rounds before said.
//!
//! An object has a sample only where its figures changed, and once a day: at a round without a sample of it, it stood as
//! in the sample before.

use std::collections::HashMap;

use super::database::DatabaseFigures;
use super::index::IndexFigures;
use super::relation::{Key, Oid};
use super::server::Connections;
use super::table::TableFigures;
use crate::base::units::WallTime;

/// Of one server over some days, all lists ascending in time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct History {
    /// When each database was looked at.
    pub rounds: HashMap<Oid, Vec<Round>>,
    /// Figures of databases.
    pub databases: HashMap<Oid, Vec<Sample<DatabaseFigures>>>,
    /// Figures of tables.
    pub tables: HashMap<Key, Vec<Sample<TableFigures>>>,
    /// Figures of indexes.
    pub indexes: HashMap<Key, Vec<Sample<IndexFigures>>>,
    /// The last values of sequences that were used and may be read.
    pub sequences: HashMap<Key, Vec<Sample<i64>>>,
    /// Sessions of the server.
    pub connections: Vec<Sample<Connections>>,
}

/// A look at a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// When.
    pub at: WallTime,
    /// Since the round before it no data statement passed, so that it was left asleep: the gap is no missing history.
    pub after_idle: bool,
    /// Every object has a sample.
    pub is_full: bool,
}

/// Figures at one time.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sample<T> {
    /// When.
    pub at: WallTime,
    /// What they were.
    pub figures: T,
}
