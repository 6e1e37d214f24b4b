//! What is handed to whoever writes it down, by value: [`Minutes`].

use std::sync::Arc;

use super::admission::Place;
use super::live::{KnownQuery, SessionStats, SlowExecution};
use super::minute::Minute;
use super::series::{SeriesKey, SeriesStats};
use crate::base::units::WallTime;
use crate::session::identity::Identity;
use crate::sql::hash::QueryHash;
use crate::sql::statement::Tags;

/// How often what was measured is handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pace {
    /// Each minute once, when it is over.
    #[default]
    Minute,
    /// Each second, of the minute that is still open too: for whoever adds up minutes himself.
    Second,
}

/// Figures that nobody was handed before, and executions that are told one by one.
#[derive(Debug, Default)]
pub struct Minutes {
    /// Closed spans in order of time; what came late for one that was handed over before is a span again.
    pub spans: Vec<Span>,
    /// Executions that are told one by one: slow and failed ones in the order in which they came, then those that chance
    /// took.
    pub slow: Vec<Noted>,
}

/// An execution that is told by itself.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The execution.
    pub execution: Arc<SlowExecution>,
    /// How many of its statement and reason are not told beside it.
    pub suppressed: u64,
}

/// Everything that was measured in a minute, or in several where they had to be joined.
#[derive(Debug)]
pub struct Span(Minute);

/// One series of a span.
#[derive(Clone, Copy, Debug)]
pub struct SpanSeries<'a> {
    /// The statement.
    pub query: &'a Arc<KnownQuery>,
    /// Whose it was.
    pub identity: &'a Arc<Identity>,
    /// The figures.
    pub stats: &'a SeriesStats,
}

/// One statement's figures with one value of a tag.
#[derive(Clone, Copy, Debug)]
pub struct SpanTag<'a> {
    /// The tag's key.
    pub key: &'a str,
    /// Its value; `(other)` for those that did not fit.
    pub value: &'a str,
    /// The statement; that of `(other)` where it did not fit.
    pub query: QueryHash,
    /// The figures.
    pub stats: &'a SeriesStats,
}

impl Span {
    pub(super) fn new(minute: Minute) -> Self {
        Self(minute)
    }

    /// One that nobody measured, from `from` to `to`; its series follow ([`Span::add`]).
    pub fn made(from: WallTime, to: WallTime, sessions: SessionStats, open_sessions: u64) -> Self {
        let mut minute = Minute::of(from);
        (minute.from, minute.to, minute.sessions, minute.open_sessions) = (from, to, sessions, open_sessions);
        Self(minute)
    }

    /// Adds figures of executions that all had these tags.
    pub fn add(&mut self, query: &Arc<KnownQuery>, identity: &Arc<Identity>, tags: &Tags, stats: &SeriesStats) {
        let key = SeriesKey::of(&query.query, identity);
        let place = Place { key, query: Arc::clone(query), identity: Arc::clone(identity) };
        self.0.add(&place, stats);
        self.0.tags.add(tags, query.query.hash, stats);
    }

    /// Begin, included: the start of a UTC minute.
    pub fn from(&self) -> WallTime {
        self.0.from
    }

    /// End, excluded.
    pub fn to(&self) -> WallTime {
        self.0.to
    }

    /// The series, each once, in no order.
    pub fn series(&self) -> impl Iterator<Item = SpanSeries<'_>> {
        self.0.series().map(|(_, row)| SpanSeries { query: &row.query, identity: &row.identity, stats: &row.stats })
    }

    /// Data statements by tag.
    pub fn tags(&self) -> impl Iterator<Item = SpanTag<'_>> {
        self.0.tags.rows().map(|(key, value, query, stats)| SpanTag { key, value, query, stats })
    }

    /// All sessions together.
    pub fn sessions(&self) -> &SessionStats {
        &self.0.sessions
    }

    /// Sessions that were open at its end.
    pub fn open_sessions(&self) -> u64 {
        self.0.open_sessions
    }

    /// Executions in it.
    pub fn calls(&self) -> u64 {
        self.series().map(|row| row.stats.calls).sum()
    }
}

impl Minutes {
    /// Executions in it: what is lost with it.
    pub fn calls(&self) -> u64 {
        self.spans.iter().map(Span::calls).sum()
    }
}
