//! What is asked of the tables.

use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;
use crate::stats::live::{Filter, GroupBy, Window};

/// A question.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Of which time, by the store's clock; whole minutes.
    pub window: Window,
    /// Which series take part.
    pub filter: Filter,
    /// Of whom.
    pub whose: Whose,
    /// Which figures.
    pub wanted: Wanted,
}

/// Whose figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Everybody's.
    All,
    /// A service's.
    Service(String),
    /// Of the instances of this name, whatever their lives.
    Instance(String),
    /// Of one life, as the store calls it.
    Life(i64),
}

/// Which figures.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wanted {
    /// Statements, grouped so.
    pub statements: Option<GroupBy>,
    /// One statement: its text, its series, its errors, its tags and its timeline instead of all data statements'.
    pub statement: Option<QueryHash>,
    /// A timeline of steps that are not longer where the tables have them so fine.
    pub timeline: Option<Nanos>,
    /// Slow executions of at least so long.
    pub slow: Option<Nanos>,
    /// Figures by value of this tag.
    pub tags: Option<String>,
    /// Sessions and transactions.
    pub sessions: bool,
}
