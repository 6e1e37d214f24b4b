//! What was measured and nobody was handed yet: closed minutes, late figures, single executions. For whoever writes them
//! down; without one there is no outbox and nothing is kept twice.
//!
//! It has figures of its own instead of pieces of the history: what a clock that was set back, a fold or a coarser step
//! does there can't hand anything out twice, or never.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::admission::Place;
use super::ceiling;
use super::harvest::Harvest;
use super::live::{Reason, SlowExecution};
use super::minute::Minute;
use super::minutes::{Minutes, Noted, Span};
use super::other::Others;
use super::series::SeriesStats;
use super::sieve::own_cost;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::statement::Tags;

/// Slow and failed executions that wait at most. Of those that chance took [`ceiling::SAMPLES`] bytes do.
const SLOW_MAX: usize = 1_000;
/// Statements of which it is known how many executions were suppressed, by reason.
const SUPPRESSED_MAX: usize = 1_000;

/// What waits to be taken, under a ceiling: resolution goes first, then rows of their own. Counts stay exact.
#[derive(Debug)]
pub struct Outbox {
    /// By begin; no two overlap.
    spans: BTreeMap<WallTime, Minute>,
    slow: VecDeque<Noted>,
    sampled: VecDeque<Noted>,
    sampled_bytes: usize,
    suppressed: FxHashMap<(QueryHash, Reason), u64>,
    others: Others,
    most_bytes: usize,
    telemetry: Arc<Telemetry>,
}

impl Outbox {
    /// An empty one that holds at most so many bytes of closed minutes, or one span of the most used series.
    pub fn new(most_bytes: usize, telemetry: Arc<Telemetry>) -> Self {
        Self {
            spans: BTreeMap::new(),
            slow: VecDeque::new(),
            sampled: VecDeque::new(),
            sampled_bytes: 0,
            suppressed: FxHashMap::default(),
            others: Others::default(),
            most_bytes,
            telemetry,
        }
    }

    pub(super) fn add(&mut self, at: WallTime, place: &Place, stats: &SeriesStats) {
        self.span_of(at).add(place, stats);
    }

    pub(super) fn add_sessions(&mut self, harvest: &Harvest) {
        if harvest.sessions.is_eventful() {
            self.span_of(harvest.at).sessions.merge(&harvest.sessions);
        }
    }

    /// Sessions that are open now, if anything was told of the minute that holds `at`.
    pub(super) fn set_open_sessions(&mut self, at: WallTime, open: u64) {
        if let Some((_, span)) = self.spans.range_mut(..=at).next_back()
            && span.holds(at)
        {
            span.open_sessions = open;
        }
    }

    pub(super) fn add_tags(&mut self, at: WallTime, tags: &Tags, query: QueryHash, stats: &SeriesStats) {
        self.span_of(at).tags.add(tags, query, stats);
    }

    pub(super) fn add_other_tags(&mut self, at: WallTime, key: &str, stats: &SeriesStats) {
        self.span_of(at).tags.add_other(key, stats);
    }

    /// An execution that is kept by itself.
    pub(super) fn note(&mut self, execution: &Arc<SlowExecution>) {
        let suppressed = self.suppressed.remove(&(execution.query.hash, execution.reason)).unwrap_or_default();
        let noted = Noted { execution: Arc::clone(execution), suppressed };
        if execution.reason == Reason::Sampled {
            self.sampled_bytes += own_cost(execution);
            self.sampled.push_back(noted);
        } else {
            self.slow.push_back(noted);
        }
        if self.slow.len() > SLOW_MAX {
            self.slow.pop_front();
            self.telemetry.dropped(Dropped::Outbox, 1);
        }
        while self.sampled_bytes > ceiling::SAMPLES
            && let Some(oldest) = self.sampled.pop_front()
        {
            self.sampled_bytes -= own_cost(&oldest.execution);
            self.telemetry.dropped(Dropped::Outbox, 1);
        }
    }

    /// Some that are not: the last one of statement and reason that waits tells how many there were, or else the next.
    pub(super) fn suppress(&mut self, hash: QueryHash, reason: Reason, count: u64) {
        let waiting = if reason == Reason::Sampled { &mut self.sampled } else { &mut self.slow };
        let same = |noted: &&mut Noted| noted.execution.query.hash == hash && noted.execution.reason == reason;
        if let Some(last) = waiting.iter_mut().rev().find(same) {
            last.suppressed += count;
        } else if self.suppressed.len() < SUPPRESSED_MAX || self.suppressed.contains_key(&(hash, reason)) {
            *self.suppressed.entry((hash, reason)).or_default() += count;
        }
    }

    fn span_of(&mut self, at: WallTime) -> &mut Minute {
        let found = self.spans.range(..=at).next_back().filter(|(_, span)| span.holds(at)).map(|(from, _)| *from);
        self.spans.entry(found.unwrap_or(at.minute())).or_insert_with(|| Minute::of(at))
    }

    /// The oldest span that doesn't hold `now`, with the single executions so far; `None` when there is neither.
    pub fn take(&mut self, now: WallTime) -> Option<Minutes> {
        let oldest = self.spans.iter().find(|(_, span)| !span.holds(now)).map(|(from, _)| *from);
        let taken = oldest.and_then(|from| self.spans.remove(&from));
        self.minutes(taken.into_iter().collect())
    }

    /// Everything, the open minute too: nobody will come again.
    pub fn take_all(&mut self) -> Option<Minutes> {
        let spans = std::mem::take(&mut self.spans).into_values().collect();
        self.minutes(spans)
    }

    fn minutes(&mut self, mut spans: Vec<Minute>) -> Option<Minutes> {
        spans.iter_mut().for_each(Minute::close);
        let spans: Vec<Span> = spans.into_iter().map(Span::new).collect();
        self.sampled_bytes = 0;
        let slow: Vec<Noted> = self.slow.drain(..).chain(self.sampled.drain(..)).collect();
        (!spans.is_empty() || !slow.is_empty()).then_some(Minutes { spans, slow })
    }

    /// Gets under the ceiling while nobody takes anything. The minute that holds `now` is left alone.
    pub fn settle(&mut self, now: WallTime) {
        while self.waiting_bytes(now) > self.most_bytes {
            if !self.coarsen(now) {
                self.shed(now);
                break;
            }
        }
    }

    fn waiting(&self, now: WallTime) -> impl Iterator<Item = (&WallTime, &Minute)> {
        self.spans.iter().filter(move |(_, span)| !span.holds(now))
    }

    fn waiting_bytes(&self, now: WallTime) -> usize {
        self.waiting(now).map(|(_, span)| span.memory_bytes()).sum()
    }

    /// Joins the two neighbours that make the shortest span together, of these the oldest.
    fn coarsen(&mut self, now: WallTime) -> bool {
        let spans: Vec<(WallTime, WallTime)> = self.waiting(now).map(|(from, span)| (*from, span.to)).collect();
        let pairs = spans.iter().zip(spans.iter().skip(1));
        // The minute that is left alone may lie between two when the clock was set back.
        let joined = pairs.filter(|(older, newer)| !(older.0 <= now && now < newer.1));
        let Some((older, newer)) = joined.min_by_key(|(older, newer)| newer.1.since(older.0)) else { return false };
        if let Some(newer) = self.spans.remove(&newer.0)
            && let Some(older) = self.spans.get_mut(&older.0)
        {
            older.merge(&newer);
        }
        true
    }

    /// Leaves rows of their own to the series with most calls.
    fn shed(&mut self, now: WallTime) {
        let most = self.most_bytes / 2;
        for span in self.spans.values_mut().filter(|span| !span.holds(now)) {
            if span.memory_bytes() > most {
                span.shed(most, &mut self.others);
            }
        }
    }

    /// How long the oldest closed span has been waiting at `now`.
    pub fn lag(&self, now: WallTime) -> Nanos {
        self.waiting(now).next().map_or(Nanos::ZERO, |(_, span)| now.since(span.to))
    }
}

#[cfg(test)]
#[path = "tests/outbox.rs"]
mod tests;
