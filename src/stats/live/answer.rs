//! What questions to the live view are made of, and what answers are.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::Dropped;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::describe::{Description, describe};
use crate::sql::kind::Class;
use crate::sql::query::Query;
use crate::sql::statement::{Tags, Trace};
use crate::stats::series::SeriesStats;

/// A span of wall-clock time, `from` included, `to` excluded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Begin.
    pub from: WallTime,
    /// End.
    pub to: WallTime,
}

/// Which figures take part. `None` is any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// The monitored server's name.
    pub server: Option<String>,
    /// The database's name.
    pub database: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The normalised application_name.
    pub application: Option<String>,
    /// Only what ran with this tag. Sums by tag are kept apart from the series: nothing else of the filter splits them.
    pub tag: Option<Tag>,
}

/// A tag that applications leave in comments, such as `route`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value; `(other)` for those that did not fit.
    pub value: String,
}

impl Filter {
    /// Whether an execution with these tags takes part, whoever ran it.
    pub fn admits_tags(&self, tags: Option<&Tags>) -> bool {
        self.tag.as_ref().is_none_or(|Tag { key, value }| {
            tags.is_some_and(|tags| tags.pairs.iter().any(|(here, is)| **here == **key && **is == **value))
        })
    }

    /// What splits the figures most that take part.
    pub fn finest(&self) -> GroupBy {
        if self.tag.is_some() { GroupBy::Hash } else { GroupBy::Full }
    }

    /// Whether a series of this identity takes part.
    pub fn admits(&self, identity: &Identity) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.server, &identity.server)
            && is(&self.database, &identity.database)
            && is(&self.user, &identity.user)
            && is(&self.application, &identity.application)
    }
}

/// Which parts of the series key split the rows of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GroupBy {
    /// One row per statement.
    #[default]
    Hash,
    /// One row per statement and database.
    HashDatabase,
    /// One row per series.
    Full,
}

/// A query with what the control side learned of it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownQuery {
    /// Hash, kind, canonical text.
    pub query: Arc<Query>,
    /// What it is for.
    pub class: Class,
    /// Operations and targets in order (FIELD (c)).
    pub summary: Box<str>,
    /// Relations that it reads or writes.
    pub tables: Vec<Box<str>>,
    /// Columns that its conditions compare, as `table.column` where the table is known.
    pub filters: Vec<Box<str>>,
    /// `-- name:` or its kin, when one was seen.
    pub name: Option<Box<str>>,
}

impl KnownQuery {
    /// What the text alone tells.
    pub fn of(query: &Arc<Query>) -> Self {
        let Description { class, summary, tables, filters, .. } = describe(query);
        Self { query: Arc::clone(query), class, summary, tables, filters, name: None }
    }

    /// What it is called by where there is no room for its text; the hash of one that has neither.
    pub fn shown(&self) -> String {
        let text: String = self.query.text.chars().take(80).collect();
        let known = [&*self.summary, &text].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
        known.unwrap_or_else(|| self.query.hash.to_string())
    }
}

/// One row of an answer about statements.
#[derive(Clone, Debug)]
pub struct StatementRow {
    /// The statement.
    pub query: Arc<KnownQuery>,
    /// Parts of the key that split the rows; others are `None`.
    pub database: Option<Box<str>>,
    /// As above.
    pub user: Option<Box<str>>,
    /// As above.
    pub application: Option<Box<str>>,
    /// The figures.
    pub stats: SeriesStats,
}

/// One step of a timeline.
#[derive(Clone, Debug)]
pub struct TimelinePoint {
    /// The step's begin.
    pub at: WallTime,
    /// Its length: 60 s, or a multiple where old minutes were merged.
    pub step: Nanos,
    /// `None` in gaps: nothing is known of that time.
    pub stats: Option<SeriesStats>,
}

/// Why an execution is kept by itself. Of several reasons the first holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Reason {
    /// It took at least `slow_threshold`.
    #[default]
    Slow,
    /// It failed.
    Error,
    /// Chance took it (`sample_rate`).
    Sampled,
    /// It had been in flight for 30 s; when it ends it is slow, too.
    Running,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 4] = [Reason::Slow, Reason::Error, Reason::Sampled, Reason::Running];

    /// The name in tables and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Slow => "slow",
            Reason::Error => "error",
            Reason::Sampled => "sampled",
            Reason::Running => "running",
        }
    }

    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// How one is counted that finds no room.
    pub(in crate::stats) fn dropped(self) -> Dropped {
        match self {
            Reason::Slow | Reason::Running => Dropped::SlowRing,
            Reason::Error => Dropped::ErrorRing,
            Reason::Sampled => Dropped::SampleRing,
        }
    }
}

/// One execution that was kept by itself.
#[derive(Clone, Debug)]
pub struct SlowExecution {
    /// Why.
    pub reason: Reason,
    /// When it completed; of one that was running, when that was seen.
    pub at: WallTime,
    /// The statement.
    pub query: Arc<Query>,
    /// Whose it was.
    pub identity: Arc<Identity>,
    /// Its duration; of a slow batch the whole span.
    pub duration: Nanos,
    /// Statements that shared the span; 1 when alone.
    pub statements: u32,
    /// To its first row.
    pub first_row: Option<Nanos>,
    /// Estimate of waiting for the client.
    pub client_stall: Nanos,
    /// Rows by command tag.
    pub rows: u64,
    /// SQLSTATE when it failed.
    pub error: Option<Sqlstate>,
    /// Comments that describe it.
    pub tags: Option<Arc<Tags>>,
    /// Its trace context.
    pub trace: Option<Trace>,
    /// Its bind values as a JSON array, where the owner wants them.
    pub parameters: Option<Arc<str>>,
}

/// Figures of one value of a tag.
#[derive(Clone, Debug)]
pub struct TagRow {
    /// The value; `(other)` for what did not fit.
    pub value: Box<str>,
    /// The figures.
    pub stats: SeriesStats,
    /// Distinct statements seen with it.
    pub statements: u64,
}

/// What a statement in flight is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActiveState {
    /// No row yet.
    Running,
    /// Rows are arriving.
    Fetching,
    /// pgvitals holds bytes that the client does not take.
    WaitingForClient,
}

/// A statement in flight at [`crate::stats::live::LiveView::at`].
#[derive(Clone, Debug)]
pub struct ActiveStatement {
    /// The statement.
    pub query: Arc<Query>,
    /// Since its start.
    pub age: Nanos,
    /// What it is doing.
    pub state: ActiveState,
    /// Whose it is.
    pub identity: Arc<Identity>,
    /// Comments that describe it.
    pub tags: Option<Arc<Tags>>,
}

/// An open transaction at [`crate::stats::live::LiveView::at`].
#[derive(Clone, Debug)]
pub struct ActiveTransaction {
    /// Since its start.
    pub age: Nanos,
    /// Idle in it for so long now; `None` while a statement runs.
    pub idle: Option<Nanos>,
    /// Statements completed in it.
    pub statements: u64,
    /// The last statement that completed in it.
    pub last_query: Option<Arc<Query>>,
    /// Whose it is.
    pub identity: Arc<Identity>,
}
