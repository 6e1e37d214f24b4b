//! Values that may be chosen from, by their names in the API.

use crate::base::units::Nanos;
use crate::stats::live::GroupBy;

/// What `/api/performance` can answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Named as in API.md.
pub(in crate::http) enum Metric {
    Summary,
    Queries,
    Query,
    Timeline,
    Tags,
    Active,
    SlowQueries,
    Indexes,
    Bloat,
    Capacity,
    Recommendations,
    Coverage,
    Alerts,
    Fleet,
    Index,
    Table,
}

impl Metric {
    const ALL: [Metric; 16] = [
        Metric::Summary,
        Metric::Queries,
        Metric::Query,
        Metric::Timeline,
        Metric::Tags,
        Metric::Active,
        Metric::SlowQueries,
        Metric::Indexes,
        Metric::Bloat,
        Metric::Capacity,
        Metric::Recommendations,
        Metric::Coverage,
        Metric::Alerts,
        Metric::Fleet,
        Metric::Index,
        Metric::Table,
    ];

    /// The names, in the order of [`Metric::ALL`].
    pub(in crate::http) const NAMES: &[&str] = &[
        "summary",
        "queries",
        "query",
        "timeline",
        "tags",
        "active",
        "slow_queries",
        "indexes",
        "bloat",
        "capacity",
        "recommendations",
        "coverage",
        "alerts",
        "fleet",
        "index",
        "table",
    ];

    /// The name in the API.
    pub(in crate::http) fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// Whether it tells of the last look at the monitored server, whatever the window.
    pub(in crate::http) fn is_of_rounds(self) -> bool {
        use Metric::{Bloat, Capacity, Coverage, Index, Indexes, Recommendations, Table};
        matches!(self, Indexes | Bloat | Capacity | Recommendations | Coverage | Index | Table)
    }

    /// Whether `route` leaves a part of it.
    pub(in crate::http) fn is_by_route(self) -> bool {
        use Metric::{Queries, Query, SlowQueries, Timeline};
        matches!(self, Queries | Query | Timeline | SlowQueries)
    }

    /// The metric of a name.
    pub(in crate::http) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// How the answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Format {
    /// One object.
    Json,
    /// Rows only.
    Csv,
}

impl Format {
    /// The names in the API.
    pub(in crate::http) const NAMES: &[&str] = &["json", "csv"];

    /// The format of a name.
    pub(in crate::http) fn parse(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

/// Length of a step that may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub(in crate::http) enum Step {
    Minute,
    Hour,
    Day,
}

impl Step {
    /// The names in the API.
    pub(in crate::http) const NAMES: &[&str] = &["minute", "hour", "day"];

    /// The step of a name.
    pub(in crate::http) fn parse(name: &str) -> Option<Self> {
        match name {
            "minute" => Some(Step::Minute),
            "hour" => Some(Step::Hour),
            "day" => Some(Step::Day),
            _ => None,
        }
    }

    /// Its length.
    pub(super) const fn length(self) -> Nanos {
        Nanos::from_millis(match self {
            Step::Minute => 60_000,
            Step::Hour => 3_600_000,
            Step::Day => 86_400_000,
        })
    }
}

/// Values of `series`.
pub(in crate::http) const SERIES: &[&str] = &["day"];

/// Values of `group_by`.
pub(in crate::http) const GROUPS: &[&str] = &["hash", "hash,database", "hash,database,user,application"];

/// What splits the rows, by its name.
pub(in crate::http) fn group(name: &str) -> Option<GroupBy> {
    match name {
        "hash" => Some(GroupBy::Hash),
        "hash,database" => Some(GroupBy::HashDatabase),
        "hash,database,user,application" => Some(GroupBy::Full),
        _ => None,
    }
}
