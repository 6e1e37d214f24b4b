//! Spans in which the client was waited for, and how much of a statement's time they cover (PROTOCOL §5).

use smallvec::SmallVec;

use crate::base::units::{Nanos, Stamp};

/// A union of spans, in order, none touching the next.
#[derive(Debug, Default)]
pub(super) struct Spans {
    closed: SmallVec<[(Stamp, Stamp); 2]>,
    /// Since when the client leg doesn't take bytes.
    client: Option<Stamp>,
    /// Since when the upstream leg doesn't take bytes.
    upstream: Option<Stamp>,
    /// Since when the server waits for COPY data that pgvitals doesn't have either.
    copy: Option<Stamp>,
    copying: bool,
}

/// More spans than this within one statement are joined, the oldest first; their length stays exact.
const SPANS_MAX: usize = 16;

impl Spans {
    /// The client leg doesn't take bytes.
    pub(super) fn hold_client(&mut self, since: Stamp) {
        self.client.get_or_insert(since);
    }

    /// The client leg took everything.
    pub(super) fn drain_client(&mut self, at: Stamp) {
        if let Some(since) = self.client.take() {
            self.add(since, at);
        }
    }

    /// The upstream leg doesn't take bytes: in COPY IN it is the server that is waited for.
    pub(super) fn hold_upstream(&mut self, since: Stamp) {
        self.upstream.get_or_insert(since);
        if let Some(from) = self.copy.take() {
            self.add(from, since);
        }
    }

    /// The upstream leg took everything.
    pub(super) fn drain_upstream(&mut self, at: Stamp) {
        self.upstream = None;
        if self.copying {
            self.copy = Some(at);
        }
    }

    /// CopyInResponse: the server waits for the client's data.
    pub(super) fn begin_copy(&mut self, at: Stamp) {
        self.copying = true;
        if self.upstream.is_none() {
            self.copy = Some(at);
        }
    }

    /// CopyDone, CopyFail or the server's end of the COPY.
    pub(super) fn end_copy(&mut self, at: Stamp) {
        self.copying = false;
        if let Some(from) = self.copy.take() {
            self.add(from, at);
        }
    }

    /// The client is being waited for.
    pub(super) fn waiting(&self) -> bool {
        self.client.is_some() || self.copy.is_some()
    }

    fn add(&mut self, mut from: Stamp, mut to: Stamp) {
        if to <= from {
            return;
        }
        while let Some((begin, end)) = self.closed.last().copied()
            && end >= from
        {
            (from, to) = (from.min(begin), to.max(end));
            self.closed.pop();
        }
        self.closed.push((from, to));
        if self.closed.len() > SPANS_MAX {
            let (begin, end) = self.closed.remove(0);
            if let Some(second) = self.closed.first_mut() {
                second.0 = Stamp::from_nanos(second.0.as_nanos() - end.since(begin).get());
            }
        }
    }

    /// Length of the union of all spans and `extra`, cut to `from`..`to`.
    #[inline]
    pub(super) fn within(&self, from: Stamp, to: Stamp, extra: Option<(Stamp, Stamp)>) -> Nanos {
        if self.closed.is_empty() && self.client.is_none() && self.copy.is_none() && extra.is_none() {
            return Nanos::ZERO;
        }
        let open = [self.client.map(|since| (since, to)), self.copy.map(|since| (since, to)), extra];
        let mut spans: SmallVec<[(Stamp, Stamp); 4]> =
            self.closed.iter().copied().chain(open.into_iter().flatten()).collect();
        spans.sort_unstable();
        let (mut total, mut reached) = (Nanos::ZERO, from);
        for (begin, end) in spans {
            let (begin, end) = (begin.max(reached), end.min(to));
            total += end.since(begin);
            reached = reached.max(end);
        }
        total
    }

    /// Forgets spans that ended by `now`: whatever completes later starts later.
    #[inline]
    pub(super) fn forget(&mut self, now: Stamp) {
        if !self.closed.is_empty() {
            self.closed.retain(|(_, end)| *end > now);
        }
    }
}
