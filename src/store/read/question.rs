//! What is asked of the tables.

use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;
use crate::stats::live::{Filter, GroupBy, Page, Window};

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
    /// Statements.
    pub statements: Option<Statements>,
    /// One statement: its text, its series, its errors, its tags and its timeline instead of all data statements'.
    pub statement: Option<QueryHash>,
    /// A timeline of steps that are not longer where the tables have them so fine.
    pub timeline: Option<Nanos>,
    /// Executions that were kept one by one.
    pub slow: Option<Slow>,
    /// Figures by value of this tag.
    pub tags: Option<String>,
    /// Sessions and transactions.
    pub sessions: bool,
}

/// Which single executions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slow {
    /// Those that took at least so long.
    pub threshold: Nanos,
    /// So many at most; all are counted.
    pub most: usize,
    /// The longest instead of the newest, without those that were still running: each of them is there again.
    pub longest: bool,
}

/// Statements, each group once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Statements {
    /// What splits them.
    pub group: GroupBy,
    /// Whose durations are read.
    pub durations: Durations,
    /// Also the durations of all data statements together, unless that takes too long.
    pub together: bool,
    /// Also those that have their durations, in so many equal parts of a time.
    pub sparklines: Option<(Window, u16)>,
}

/// Whose durations are read. They are most of what the tables hold; rows without them have sums alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Durations {
    /// Nobody's.
    #[default]
    Nobodys,
    /// Everybody's.
    All,
    /// Those of one page, whose rows are described as well.
    Of(Page),
}

impl Durations {
    /// Whether texts have to be compared.
    pub(super) fn is_searched(&self) -> bool {
        matches!(self, Durations::Of(Page { search: Some(_), .. }))
    }
}
