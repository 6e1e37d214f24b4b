//! How the live view answers. Percentiles come from added buckets, never from averages (FIELD (f)).

use std::collections::{BTreeMap, hash_map::Entry};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::answer::{
    ActiveStatement, ActiveTransaction, Filter, GroupBy, KnownQuery, SlowExecution, StatementRow, TagRow,
    TimelinePoint, Window,
};
use super::cumulative::Cumulative;
use super::sessions::SessionStats;
use super::view::LiveView;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::sql::query::Query;
use crate::stats::minute::{Minute, Series};
use crate::stats::series::SeriesStats;
use crate::stats::tagged::TagValue;

impl LiveView {
    /// When it was last brought up to date.
    pub fn at(&self) -> WallTime {
        self.at
    }

    /// When the process started to measure.
    pub fn started(&self) -> WallTime {
        self.started
    }

    /// The part of `wanted` that memory can answer, in whole minutes: from the start where it asks for all, else from
    /// the oldest minute that it touches.
    pub fn covered(&self, wanted: Window) -> Window {
        let spans: Vec<&Minute> = self.spans(wanted).collect();
        let end = self.history.opened_until();
        match (spans.first(), spans.last()) {
            (Some(first), Some(last)) => {
                let from = if self.since_start(wanted) { self.started.minute().min(first.from) } else { first.from };
                Window { from, to: wanted.to.min(last.to) }
            }
            _ => Window { from: wanted.to.min(end), to: wanted.to.min(end) },
        }
    }

    fn since_start(&self, window: Window) -> bool {
        window.from <= self.started
    }

    /// The spans that answer for a window, in order.
    fn spans(&self, window: Window) -> impl Iterator<Item = &Minute> {
        let past = self.history.past().filter(move |_| self.since_start(window) && window.to > window.from);
        let touched = move |span: &&Minute| span.from < window.to && span.to > window.from;
        past.into_iter().chain(self.history.spans().filter(touched))
    }

    /// The figures that answer, each once per span.
    fn rows<'a>(&'a self, window: Window, filter: &'a Filter) -> impl Iterator<Item = Row<'a>> {
        self.spans(window).flat_map(|span| rows_of(span, filter))
    }

    /// Statements with at least one call or prepare in the window; unsorted.
    pub fn statements(&self, window: Window, filter: &Filter, group: GroupBy) -> Vec<StatementRow> {
        let mut groups: FxHashMap<(QueryHash, &str, u64), StatementRow> = FxHashMap::default();
        for Row { hash, series, stats } in self.rows(window, filter) {
            let identity = series.map(|series| &*series.identity);
            let (database, full) = match group {
                GroupBy::Hash => (None, None),
                GroupBy::HashDatabase => (identity, None),
                GroupBy::Full => (identity, identity),
            };
            let key = match (database, full) {
                (_, Some(identity)) => (hash, "", identity.key()),
                (Some(identity), None) => (hash, &*identity.database, 0),
                (None, None) => (hash, "", 0),
            };
            match groups.entry(key) {
                Entry::Occupied(mut found) => found.get_mut().stats.merge(stats),
                Entry::Vacant(vacant) => {
                    let known = || series.map_or_else(|| without_text(hash), |series| Arc::clone(&series.query));
                    vacant.insert(StatementRow {
                        query: self.query(hash).unwrap_or_else(known),
                        database: database.map(|identity| identity.database.clone()),
                        user: full.map(|identity| identity.user.clone()),
                        application: full.map(|identity| identity.application.clone()),
                        stats: stats.clone(),
                    });
                }
            }
        }
        groups.into_values().filter(|row| row.stats.calls + row.stats.prepares > 0).collect()
    }

    /// All data statements together.
    pub fn totals(&self, window: Window, filter: &Filter) -> SeriesStats {
        sum(self.rows(window, filter).filter(Row::is_data))
    }

    /// Steps over the window, ascending, of one statement or of all data statements. What left the hour is no step.
    pub fn timeline(&self, window: Window, filter: &Filter, hash: Option<QueryHash>) -> Vec<TimelinePoint> {
        let mut points = Vec::new();
        let mut next: Option<WallTime> = None;
        for span in self.history.spans().filter(|span| span.from < window.to && span.to > window.from) {
            let gap = next.map_or(Nanos::ZERO, |next| span.from.since(next));
            if let Some(at) = next.filter(|_| gap > Nanos::ZERO) {
                points.push(TimelinePoint { at, step: gap, stats: None });
            }
            let takes_part = |row: &Row<'_>| hash.map_or_else(|| row.is_data(), |hash| row.hash == hash);
            let rows = rows_of(span, filter).filter(takes_part);
            points.push(TimelinePoint { at: span.from, step: span.step(), stats: Some(sum(rows)) });
            next = Some(span.to);
        }
        points
    }

    /// Kept executions in the window that took at least `threshold`, newest first.
    pub fn slow(&self, window: Window, threshold: Nanos, filter: &Filter) -> Vec<SlowExecution> {
        let takes_part = |slow: &&SlowExecution| {
            window.from <= slow.at
                && slow.at < window.to
                && slow.duration >= threshold
                && filter.admits(&slow.identity)
                && filter.admits_tags(slow.tags.as_deref())
        };
        let mut kept: Vec<SlowExecution> = self.slow.iter().filter(takes_part).cloned().collect();
        kept.sort_by_key(|slow| std::cmp::Reverse(slow.at));
        kept
    }

    /// Figures of one or of all data statements by value of the tag `key`; unsorted.
    pub fn tags(&self, window: Window, key: &str, hash: Option<QueryHash>) -> Vec<TagRow> {
        let mut values: FxHashMap<&str, (SeriesStats, FxHashSet<QueryHash>)> = FxHashMap::default();
        for (value, figures) in self.spans(window).flat_map(|span| span.tags.values(key)) {
            let Some(hash) = hash else {
                let (stats, statements) = values.entry(value).or_default();
                stats.merge(&figures.total());
                statements.extend(figures.by_statement().map(|(query, _)| query));
                continue;
            };
            if let Some(part) = figures.of(hash) {
                let (stats, statements) = values.entry(value).or_default();
                stats.merge(part);
                statements.insert(hash);
            }
        }
        let row = |(value, (stats, statements)): (&str, (SeriesStats, FxHashSet<QueryHash>))| TagRow {
            value: value.into(),
            stats,
            statements: statements.len() as u64,
        };
        values.into_iter().map(row).collect()
    }

    /// Errors by SQLSTATE, of one statement or of all, most frequent first.
    pub fn errors(&self, window: Window, filter: &Filter, hash: Option<QueryHash>) -> Vec<(Sqlstate, u64)> {
        let mut codes: BTreeMap<Sqlstate, u64> = BTreeMap::new();
        for row in self.rows(window, filter).filter(|row| hash.is_none_or(|hash| hash == row.hash)) {
            row.stats.codes.iter().for_each(|(code, count)| *codes.entry(code).or_default() += count);
        }
        let mut codes: Vec<_> = codes.into_iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        codes
    }

    /// All sessions together over the window.
    pub fn sessions(&self, window: Window) -> SessionStats {
        let mut total = SessionStats::default();
        self.spans(window).for_each(|span| total.merge(&span.sessions));
        total
    }

    /// What is known of a query hash.
    pub fn query(&self, hash: QueryHash) -> Option<Arc<KnownQuery>> {
        self.registry.get(hash).map(Arc::clone)
    }

    /// Statements in flight, oldest first.
    pub fn active_statements(&self) -> &[ActiveStatement] {
        &self.active.statements
    }

    /// Open transactions, oldest first.
    pub fn active_transactions(&self) -> &[ActiveTransaction] {
        &self.active.transactions
    }

    /// Sessions open now.
    pub fn open_sessions(&self) -> u64 {
        self.active.open_sessions
    }

    /// All data statements of the last merged second.
    pub fn last_second(&self) -> SeriesStats {
        self.last_second.total()
    }

    /// The data statements with most total time in the last merged second, at most 5.
    pub fn last_second_top(&self) -> Vec<StatementRow> {
        self.last_second.top()
    }

    /// Since the process started.
    pub fn cumulative(&self) -> &Cumulative {
        &self.cumulative
    }

    /// Distinct series in memory, and the most that may be.
    pub fn series(&self) -> (usize, usize) {
        self.admission.series()
    }
}

/// Figures of one statement in one span.
struct Row<'a> {
    hash: QueryHash,
    /// What they belong to; sums by tag, which are of data statements alone, belong to no series.
    series: Option<&'a Series>,
    stats: &'a SeriesStats,
}

impl Row<'_> {
    fn is_data(&self) -> bool {
        self.series.is_none_or(|series| series.query.class == Class::Data)
    }
}

/// The figures of a span that take part: of series, or by statement those with the tag that is asked for.
fn rows_of<'a>(span: &'a Minute, filter: &'a Filter) -> impl Iterator<Item = Row<'a>> {
    let tagged = filter.tag.as_ref().and_then(|tag| span.tags.value(&tag.key, &tag.value));
    let tagged = tagged.into_iter().flat_map(TagValue::by_statement);
    let series = filter.tag.is_none().then(|| span.series()).into_iter().flatten();
    let series = series.filter(|(_, series)| filter.admits(&series.identity));
    let series = series.map(|(key, series)| Row { hash: key.0, series: Some(series), stats: &series.stats });
    series.chain(tagged.map(|(hash, stats)| Row { hash, series: None, stats }))
}

/// A statement whose text made room, with figures by tag alone.
fn without_text(hash: QueryHash) -> Arc<KnownQuery> {
    Arc::new(KnownQuery { class: Class::Data, ..KnownQuery::of(&Query::without_text(hash)) })
}

fn sum<'a>(rows: impl Iterator<Item = Row<'a>>) -> SeriesStats {
    let mut total = SeriesStats::default();
    rows.for_each(|row| total.merge(row.stats));
    total
}
