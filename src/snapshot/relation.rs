//! What tables and indexes have in common: their key, and bloat.

use serde::{Deserialize, Serialize};

/// An object's number in its catalogue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Oid(pub u32);

/// A relation of a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Key {
    /// Its database.
    pub database: Oid,
    /// The relation itself.
    pub relation: Oid,
}

/// Space that a relation holds and does not need.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bloat {
    /// Of the size, 0 to 100.
    pub percent: f64,
    /// Bytes of it.
    pub wasted_bytes: u64,
    /// How it was found out.
    pub method: Method,
}

/// How bloat was found out, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Method {
    /// `pgstattuple_approx` read the pages.
    Measured,
    /// What the rows should take, by statistics, against what there is.
    #[default]
    Estimated,
    /// The share of dead rows that the statistics system counted; free space is not in it.
    DeadTuples,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Measured, Self::Estimated, Self::DeadTuples];

    /// Its name in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "pgstattuple_approx",
            Self::Estimated => "estimate",
            Self::DeadTuples => "dead_tuples",
        }
    }

    /// The method of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Why there is no estimate: it would be wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Withheld {
    /// Never analysed.
    NeverAnalyzed,
    /// Many rows changed since the last ANALYZE.
    StaleStatistics,
    /// The role may not read the columns' statistics: `pg_read_all_data`, or SELECT on the table.
    NoStatistics,
    /// Values lie in a TOAST table, where statistics do not see them.
    Toasted,
    /// A column of the type `name`, whose width statistics have wrong.
    NameColumn,
    /// An index of a part of the rows.
    PartialIndex,
    /// An index over expressions.
    ExpressionIndex,
    /// An index of another method than btree.
    OtherMethod,
    /// Equal keys share their place, so that the rows take less than the estimate would think.
    Deduplicated,
    /// Too few pages for an estimate to mean anything.
    Small,
    /// A parent of partitions, which holds nothing itself.
    Partitioned,
    /// An index that is not valid; it is a finding by itself.
    InvalidIndex,
}

impl Withheld {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NeverAnalyzed,
        Self::StaleStatistics,
        Self::NoStatistics,
        Self::Toasted,
        Self::NameColumn,
        Self::PartialIndex,
        Self::ExpressionIndex,
        Self::OtherMethod,
        Self::Deduplicated,
        Self::Small,
        Self::Partitioned,
        Self::InvalidIndex,
    ];

    /// Its name in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverAnalyzed => "never_analyzed",
            Self::StaleStatistics => "stale_statistics",
            Self::NoStatistics => "no_statistics",
            Self::Toasted => "toasted",
            Self::NameColumn => "name_column",
            Self::PartialIndex => "partial_index",
            Self::ExpressionIndex => "expression_index",
            Self::OtherMethod => "other_method",
            Self::Deduplicated => "deduplicated",
            Self::Small => "small",
            Self::Partitioned => "partitioned",
            Self::InvalidIndex => "invalid_index",
        }
    }

    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_what_it_names() {
        Method::ALL.iter().for_each(|method| assert_eq!(Method::parse(method.as_str()), Some(*method)));
        Withheld::ALL.iter().for_each(|reason| assert_eq!(Withheld::parse(reason.as_str()), Some(*reason)));
        assert_eq!((Method::parse("guess"), Withheld::parse("")), (None, None));
    }
}
