//! What is true now and in the last hour: the one thing that HTTP, metrics and the terminal read.
//!
//! [`LiveView`] is cheap to clone (all its parts are shared) and never changes after it was cloned.

use std::sync::Arc;

use super::series::SeriesStats;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::sql::query::Query;
use crate::sql::statement::{Tags, Trace};

/// A span of wall-clock time, `from` included, `to` excluded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Begin.
    pub from: WallTime,
    /// End.
    pub to: WallTime,
}

/// Which series take part. `None` is any.
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
#[derive(Debug, PartialEq)]
pub struct KnownQuery {
    /// Hash, kind, canonical text.
    pub query: Arc<Query>,
    /// What it is for.
    pub class: Class,
    /// Operations and targets in order (FIELD (c)).
    pub summary: Box<str>,
    /// Relations that it reads or writes.
    pub tables: Vec<Box<str>>,
    /// `-- name:` or its kin, when one was seen.
    pub name: Option<Box<str>>,
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

/// One execution that was kept by itself.
#[derive(Clone, Debug)]
pub struct SlowExecution {
    /// When it completed.
    pub at: WallTime,
    /// The statement.
    pub query: Arc<Query>,
    /// Whose it was.
    pub identity: Arc<Identity>,
    /// Its duration; of a batch the whole span.
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

/// A statement in flight at [`LiveView::at`].
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

/// An open transaction at [`LiveView::at`].
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

/// All sessions together over a window.
#[derive(Clone, Debug, Default)]
pub struct SessionStats {
    /// Sessions that reached ReadyForQuery.
    pub opened: u64,
    /// Start-ups that failed, by SQLSTATE (`None`: without an answer); at most 100 codes, then `None`.
    pub failed: Vec<(Option<Sqlstate>, u64)>,
    /// Sessions that an error ended, by SQLSTATE.
    pub ended: Vec<(Sqlstate, u64)>,
    /// Durations of start-ups.
    pub startup: super::histogram::Histogram,
    /// Durations of committed and of rolled-back explicit transactions.
    pub committed: super::histogram::Histogram,
    /// As above.
    pub rolled_back: super::histogram::Histogram,
    /// Sum of their durations.
    pub transaction_time: Nanos,
    /// Time idle in transactions.
    pub idle_in_transaction: Nanos,
    /// Bytes that belong to connections, not statements.
    pub overhead_in: u64,
    /// As above, from the server.
    pub overhead_out: u64,
    /// Errors that belong to no call.
    pub protocol_errors: u64,
    /// ReadyForQuery with too few or too many completions before it.
    pub mismatches: u64,
}

/// Figures since the process started, as Prometheus wants them: they only grow.
#[derive(Clone, Debug, Default)]
pub struct Cumulative {
    /// By database and kind; at most 100 databases, then `(other)`.
    pub statements: std::collections::BTreeMap<(Box<str>, crate::sql::kind::Kind), SeriesStats>,
    /// Errors by database and SQLSTATE; at most 100 codes, then `(other)`.
    pub errors: std::collections::BTreeMap<(Box<str>, Box<str>), u64>,
    /// Executions of data statements by level: good, warning, alert, critical.
    pub levels: [u64; 4],
    /// Times to the first row, data statements.
    pub first_row: super::histogram::Histogram,
    /// All sessions together.
    pub sessions: SessionStats,
}

/// A picture of memory at one moment; one is published after each merge.
#[derive(Clone, Debug, Default)]
pub struct LiveView {
    at: WallTime,
    started: WallTime,
    cumulative: Arc<Cumulative>,
}

impl LiveView {
    /// An empty view of a process that began to measure at `started`.
    pub fn new(_settings: &super::Settings, started: WallTime) -> Self {
        Self { at: started, started, ..Self::default() }
    }

    /// Adds the harvest of one worker; what is active in it replaces what was.
    pub fn absorb(&mut self, _worker: usize, harvest: super::harvest::Harvest) {
        self.at = self.at.max(harvest.at);
    }

    /// Closes seconds and minutes that are over at `now`; called once a second.
    pub fn tick(&mut self, _now: WallTime) {}

    /// When the last harvest was merged.
    pub fn at(&self) -> WallTime {
        self.at
    }

    /// When the process started to measure.
    pub fn started(&self) -> WallTime {
        self.started
    }

    /// The part of `wanted` that memory can answer, in whole minutes.
    pub fn covered(&self, wanted: Window) -> Window {
        wanted
    }

    /// Statements with at least one call or prepare in the window; unsorted.
    pub fn statements(&self, _window: Window, _filter: &Filter, _group: GroupBy) -> Vec<StatementRow> {
        Vec::new()
    }

    /// All data statements together.
    pub fn totals(&self, _window: Window, _filter: &Filter) -> SeriesStats {
        SeriesStats::default()
    }

    /// Steps over the window, ascending, of one statement or of all data statements.
    pub fn timeline(&self, _window: Window, _filter: &Filter, _hash: Option<QueryHash>) -> Vec<TimelinePoint> {
        Vec::new()
    }

    /// Kept executions in the window that took at least `threshold`, newest first.
    pub fn slow(&self, _window: Window, _threshold: Nanos, _filter: &Filter) -> Vec<SlowExecution> {
        Vec::new()
    }

    /// Figures by value of the tag `key`; unsorted.
    pub fn tags(&self, _window: Window, _key: &str) -> Vec<TagRow> {
        Vec::new()
    }

    /// Errors by SQLSTATE, of one statement or of all, most frequent first.
    pub fn errors(&self, _window: Window, _filter: &Filter, _hash: Option<QueryHash>) -> Vec<(Sqlstate, u64)> {
        Vec::new()
    }

    /// All sessions together over the window.
    pub fn sessions(&self, _window: Window) -> SessionStats {
        SessionStats::default()
    }

    /// What is known of a query hash.
    pub fn query(&self, _hash: QueryHash) -> Option<Arc<KnownQuery>> {
        None
    }

    /// Statements in flight, oldest first.
    pub fn active_statements(&self) -> &[ActiveStatement] {
        &[]
    }

    /// Open transactions, oldest first.
    pub fn active_transactions(&self) -> &[ActiveTransaction] {
        &[]
    }

    /// Sessions open now.
    pub fn open_sessions(&self) -> u64 {
        0
    }

    /// All data statements of the last merged second.
    pub fn last_second(&self) -> SeriesStats {
        SeriesStats::default()
    }

    /// The statements with most total time in the last merged second, at most 5.
    pub fn last_second_top(&self) -> Vec<StatementRow> {
        Vec::new()
    }

    /// Since the process started.
    pub fn cumulative(&self) -> &Cumulative {
        &self.cumulative
    }

    /// Distinct series in memory, and the most that may be.
    pub fn series(&self) -> (usize, usize) {
        (0, 0)
    }
}
