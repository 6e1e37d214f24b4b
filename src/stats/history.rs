//! The open minute, the hour of closed ones behind it, and all that is older in one piece.

use std::sync::Arc;

use super::admission::Evicted;
use super::minute::{MINUTE, Minute};
use crate::base::units::{Nanos, WallTime};

/// How far back closed minutes reach.
const KEPT: Nanos = Nanos::from_millis(60 * 60_000);

/// Spans in order of time. What left the hour stays in `past`, so that "since start" is exact.
#[derive(Clone, Debug)]
pub(super) struct History {
    past: Option<Arc<Minute>>,
    closed: Vec<Arc<Minute>>,
    open: Arc<Minute>,
}

impl History {
    pub(super) fn new(started: WallTime) -> Self {
        Self { past: None, closed: Vec::new(), open: Arc::new(Minute::of(started)) }
    }

    /// When the open minute began.
    pub(super) fn opened(&self) -> WallTime {
        self.open.from
    }

    /// When it will be over.
    pub(super) fn opened_until(&self) -> WallTime {
        self.open.to
    }

    /// Closes the open minute when it is over at `now`: the minute that was closed.
    pub(super) fn roll(&mut self, now: WallTime) -> Option<WallTime> {
        if now.minute() <= self.open.from {
            return None;
        }
        let mut closed = std::mem::replace(&mut self.open, Arc::new(Minute::of(now)));
        let from = closed.from;
        Arc::make_mut(&mut closed).close();
        self.closed.push(closed);
        let horizon = self.open.from.before(KEPT);
        let gone = self.closed.iter().take_while(|minute| minute.to <= horizon).count();
        for minute in self.closed.drain(..gone) {
            join(&mut self.past, minute);
        }
        Some(from)
    }

    /// Follows a clock that was set back by more than a minute: what lies ahead of it goes to the past, by count exact.
    /// False when it was not.
    pub(super) fn set_back(&mut self, now: WallTime) -> bool {
        if now.minute().after(MINUTE) >= self.open.from {
            return false;
        }
        let open = std::mem::replace(&mut self.open, Arc::new(Minute::of(now)));
        join(&mut self.past, open);
        while let Some(last) = self.closed.pop_if(|minute| minute.to > self.open.from) {
            if last.holds(now) {
                self.open = last;
            } else {
                join(&mut self.past, last);
            }
        }
        true
    }

    /// The span that holds `at`; one is made in a gap, and what is older than all goes to the past.
    pub(super) fn span_of(&mut self, at: WallTime) -> &mut Minute {
        if at >= self.open.from {
            return Arc::make_mut(&mut self.open);
        }
        let place = self.closed.partition_point(|minute| minute.to <= at);
        let found = self.closed.get(place).is_some_and(|minute| minute.holds(at));
        let older_than_all = at < self.open.from.before(KEPT) || self.past.as_ref().is_some_and(|past| at < past.to);
        if !found && older_than_all {
            let past = self.past.get_or_insert_with(|| Arc::new(Minute::of(at)));
            return Arc::make_mut(past);
        }
        if !found {
            self.closed.insert(place, Arc::new(Minute::of(at)));
        }
        match self.closed.get_mut(place) {
            Some(minute) => Arc::make_mut(minute),
            None => Arc::make_mut(&mut self.open),
        }
    }

    /// Merges one pair of neighbours: of equally long ones the shortest, of these the oldest, so that steps never get
    /// coarser towards now; without such a pair the oldest two. False when there is none.
    pub(super) fn coarsen(&mut self) -> bool {
        let pairs = self.closed.windows(2).enumerate();
        let lengths = pairs.filter_map(|(at, pair)| match pair {
            [a, b] if a.to == b.from => {
                Some(if a.step() == b.step() { (false, a.step(), at) } else { (true, Nanos::ZERO, at) })
            }
            _ => None,
        });
        let Some((.., at)) = lengths.min() else { return false };
        let newer = self.closed.remove(at + 1);
        if let Some(older) = self.closed.get_mut(at) {
            Arc::make_mut(older).merge(&newer);
        }
        true
    }

    /// Moves the figures of series that made room, in every span.
    pub(super) fn fold(&mut self, evicted: &[Evicted]) {
        if evicted.is_empty() {
            return;
        }
        let spans = self.past.iter_mut().chain(&mut self.closed).chain([&mut self.open]);
        spans.filter(|span| span.has_any(evicted)).for_each(|span| Arc::make_mut(span).fold(evicted));
    }

    /// The older spans and the open one, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = &Minute> {
        self.closed.iter().chain([&self.open]).map(|minute| &**minute)
    }

    /// What left the hour.
    pub(super) fn past(&self) -> Option<&Minute> {
        self.past.as_deref()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.past().into_iter().chain(self.spans()).map(Minute::memory_bytes).sum()
    }
}

fn join(past: &mut Option<Arc<Minute>>, minute: Arc<Minute>) {
    match past {
        Some(past) => Arc::make_mut(past).merge(&minute),
        None => *past = Some(minute),
    }
}
