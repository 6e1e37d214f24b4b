//! What one read told: events in order, and executions that ended in it and share their span (PROTOCOL §5).

use std::num::NonZeroU32;

use smallvec::SmallVec;

use crate::base::units::{Nanos, Stamp};
use crate::session::key::Key;
use crate::session::names::Names;
use crate::session::observation::Observation;
use crate::session::observation::{Batch, Event, Observer, Outcome};
use crate::session::portal::{Call, Portal};
use crate::session::stall::Spans;
use crate::sql::statement::Statement;

/// Gathers a read's events until it is looked at as a whole.
#[derive(Debug, Default)]
pub(super) struct Group {
    events: SmallVec<[Event; 2]>,
    members: SmallVec<[Member; 2]>,
    /// How many of them are fetches: mostly none, so that nobody has to look for one among thousands.
    fetches: usize,
    start: Stamp,
    /// Union of the members' spans from Execute to Sync or Flush.
    unflushed: Option<(Stamp, Stamp)>,
}

/// An execution, or a fetch of one, that ended in this read.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Member {
    /// A call that ended: the event's index.
    Ended(usize),
    /// A fetch of a call that goes on, in this portal.
    Fetched(Key),
}

/// Room for more events than this is given back after the read.
const RETAINED_BUSY: usize = 512;

impl Group {
    /// Says something that shares no time.
    #[inline]
    pub(super) fn say(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Nothing was said.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.members.is_empty()
    }

    /// An execution or a fetch that began at `start` ended; `unflushed` is its span from Execute to Sync or Flush.
    #[inline]
    fn join(&mut self, member: Member, start: Stamp, unflushed: Option<(Stamp, Stamp)>) {
        if self.members.is_empty() {
            self.start = start;
        }
        self.members.push(member);
        self.unflushed = match (self.unflushed, unflushed) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    /// A fetch of `portal` ended and its call goes on.
    #[inline(never)]
    pub(super) fn fetched(&mut self, portal: Key, start: Stamp, unflushed: Option<(Stamp, Stamp)>) {
        if self.fetch_of(portal).is_none() {
            self.join(Member::Fetched(portal), start, unflushed);
            self.fetches += 1;
        }
    }

    /// A call ended with an answer that began at `start`; one that was fetched before in this read is the same member.
    #[inline]
    pub(super) fn ended(
        &mut self,
        portal: Option<Key>,
        start: Stamp,
        unflushed: Option<(Stamp, Stamp)>,
        observation: Observation,
    ) {
        let ended = Member::Ended(self.events.len());
        self.events.push(Event::Statement(observation));
        if !portal.is_some_and(|portal| self.replace_fetch(portal, ended)) {
            self.join(ended, start, unflushed);
        }
    }

    /// A suspended call ended because its portal went, in this read or a later one.
    pub(super) fn dropped(&mut self, portal: Key, observation: Observation) {
        let ended = Member::Ended(self.events.len());
        self.events.push(Event::Statement(observation));
        self.replace_fetch(portal, ended);
    }

    #[inline]
    fn fetch_of(&mut self, portal: Key) -> Option<&mut Member> {
        if self.fetches == 0 {
            return None;
        }
        self.members.iter_mut().find(|member| **member == Member::Fetched(portal))
    }

    /// The call that `portal` was fetched of has ended, in the same read; false when it was not fetched in it.
    #[inline]
    fn replace_fetch(&mut self, portal: Key, ended: Member) -> bool {
        let Some(member) = self.fetch_of(portal) else { return false };
        *member = ended;
        self.fetches -= 1;
        true
    }

    /// The start of the span that the next member will share; `None` when it would be the first.
    pub(super) fn shared_start(&self) -> Option<Stamp> {
        (!self.members.is_empty()).then_some(self.start)
    }

    /// The read is over: members get their share of the span, and everything is told.
    #[inline]
    pub(super) fn settle(
        &mut self,
        now: Stamp,
        spans: &mut Spans,
        portals: &mut Names<Portal>,
        out: &mut impl Observer,
    ) {
        if !self.members.is_empty() {
            self.share(now, spans, portals);
            spans.forget(now);
        }
        if self.events.len() == 1 {
            // By far the most reads tell one event.
            self.events.pop().into_iter().for_each(|event| out.observe(event));
            return;
        }
        for event in self.events.drain(..) {
            out.observe(event);
        }
        if self.events.capacity() > RETAINED_BUSY {
            self.rest();
        }
    }

    /// Gives memory back that a session at rest has no use for.
    pub(super) fn rest(&mut self) {
        if self.events.is_empty() {
            self.events.shrink_to_fit();
            self.members.shrink_to_fit();
        }
    }

    #[inline]
    fn share(&mut self, now: Stamp, spans: &Spans, portals: &mut Names<Portal>) {
        let count = self.members.len() as u64;
        let span = now.since(self.start);
        let stall = spans.within(self.start, now, self.unflushed.take());
        let part = |whole: Nanos, index: usize| {
            if count == 1 {
                return whole;
            }
            let more = u64::from((index as u64) < whole.get() % count);
            Nanos::new(whole.get() / count + more)
        };
        for (index, member) in self.members.iter().enumerate() {
            let (time, stall) = (part(span, index), part(stall, index));
            match *member {
                Member::Ended(event) => {
                    if let Some(Event::Statement(observation)) = self.events.get_mut(event) {
                        observation.duration += time;
                        observation.client_stall += stall;
                        observation.first_row = observation.first_row.map(|first| first.min(observation.duration));
                        let statements = u32::try_from(count).ok().filter(|count| *count > 1);
                        observation.batch = statements.and_then(NonZeroU32::new).map(|statements| Batch {
                            statements,
                            span,
                            leader: index == 0,
                        });
                    }
                }
                Member::Fetched(key) => {
                    if let Some(Portal::Suspended(suspended)) = portals.get(key) {
                        suspended.call.duration += time;
                        suspended.call.client_stall += stall;
                        let duration = suspended.call.duration;
                        suspended.call.first_row = suspended.call.first_row.map(|first| first.min(duration));
                    }
                }
            }
        }
        self.members.clear();
        self.fetches = 0;
    }
}

/// The event of a call that ended.
#[inline]
pub(super) fn observation(statement: Statement, call: Call, outcome: Outcome) -> Observation {
    Observation {
        query: statement.query,
        identity: call.identity,
        start: call.start,
        duration: call.duration,
        batch: None,
        first_row: call.first_row,
        client_stall: call.client_stall,
        rows: call.rows,
        bytes_in: call.bytes_in,
        bytes_out: call.bytes_out,
        outcome,
        details: statement.details,
    }
}
