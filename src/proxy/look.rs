//! The one guard around measuring code (PROTOCOL §7): whatever panics behind it, the bytes still flow.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::link::Link;
use super::pump::Look;
use super::shared::Shared;
use super::tape::Tape;
use super::watched::Watched;
use crate::base::telemetry::{Dropped, Unmeasured};
use crate::base::units::{Stamp, WallTime};
use crate::session::backlog::Backlog;
use crate::session::observation::Event;
use crate::session::observation::Observer;
use crate::session::{Leg, Session};
use crate::sql::bound::Allowance;
use crate::sql::fingerprint::Fingerprinter;
use crate::stats::harvest::Harvest;
use crate::stats::recorder::Recorder;

/// A worker's recorder and fingerprinter, borrowed only while looking and while harvesting.
pub(crate) struct Lens {
    shared: Arc<Shared>,
    parts: RefCell<Parts>,
    tape: RefCell<Tape>,
    /// Chunks so far, modulo [`SAMPLED`].
    chunks: Cell<u8>,
    /// Bytes of bind values that sessions hold.
    values: Arc<AtomicUsize>,
    /// What sessions are owed.
    backlog: Backlog,
}

/// Of so many chunks one pays for a second look at the clock, so that what pgvitals adds to their way is known. Odd:
/// requests and answers take turns.
const SAMPLED: u8 = 61;

struct Parts {
    recorder: Recorder,
    fingerprinter: Fingerprinter,
}

impl Parts {
    fn new(shared: &Shared) -> Self {
        Self {
            recorder: Recorder::new(&shared.stats(), shared.workers, Arc::clone(&shared.telemetry)),
            fingerprinter: Fingerprinter::new(shared.settings().max_query_text, seed()),
        }
    }
}

/// A number that nobody can foresee: keys of the fingerprinter's table must not be made to collide.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

impl Lens {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let parts = RefCell::new(Parts::new(&shared));
        let (tape, chunks) = (RefCell::new(Tape::new()), Cell::new(0));
        Self { shared, parts, tape, chunks, values: Arc::default(), backlog: Backlog::default() }
    }

    /// A new session with its part of what the worker may hold; with an allowance for bind values where they are wanted.
    pub(crate) fn equipped(&self, session: Session) -> Session {
        let session = session.sharing(&self.backlog);
        if self.shared.stats().capture_parameters {
            return session.with_parameters(Allowance::new(&self.values));
        }
        session
    }

    /// A chunk that was read at `read` has just been written.
    #[inline]
    fn forwarded(&self, read: Stamp) {
        let chunks = (self.chunks.get() + 1) % SAMPLED;
        self.chunks.set(chunks);
        if chunks == 0 {
            self.parts.borrow_mut().recorder.forwarded(self.shared.clock.stamp().since(read));
        }
    }

    /// Runs `measure` on the session, unless it is opaque; a panic makes it so. Whatever waits is looked at before.
    #[inline]
    pub(crate) fn look(
        &self,
        watched: &Watched,
        measure: impl FnOnce(&mut Session, &mut Fingerprinter, &mut Recorder),
    ) {
        self.catch_up();
        self.measure(&mut self.parts.borrow_mut(), watched, measure);
    }

    /// Looks at a chunk of `link` that came from `from` at `at`; at a short one later, together with others.
    #[inline]
    fn look_later(&self, link: &Rc<Link>, from: Leg, at: Stamp, chunk: &[u8]) {
        if self.tape.borrow_mut().keep(link, from, at, chunk) {
            return;
        }
        self.catch_up();
        if !self.tape.borrow_mut().keep(link, from, at, chunk) {
            self.pass(&mut self.parts.borrow_mut(), &link.watched, from, at, chunk);
        }
    }

    /// Looks at all that waits.
    pub(crate) fn catch_up(&self) {
        let parts = &mut *self.parts.borrow_mut();
        self.tape.borrow_mut().play(|entry, chunk| self.pass(parts, &entry.link.watched, entry.from, entry.at, chunk));
    }

    #[inline]
    fn pass(&self, parts: &mut Parts, watched: &Watched, from: Leg, at: Stamp, chunk: &[u8]) {
        self.measure(parts, watched, |session, fingerprinter, recorder| {
            #[cfg(any(test, feature = "fault-injection"))]
            let recorder = &mut super::fault::Faulty::new(chunk, recorder);
            match from {
                Leg::Client => session.client_bytes(chunk, at, fingerprinter, recorder),
                Leg::Upstream => session.server_bytes(chunk, at, recorder),
            }
        });
    }

    #[inline]
    fn measure(
        &self,
        parts: &mut Parts,
        watched: &Watched,
        measure: impl FnOnce(&mut Session, &mut Fingerprinter, &mut Recorder),
    ) {
        let mut session = watched.place();
        let Some(measured) = session.as_deref_mut() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            measure(measured, &mut parts.fingerprinter, &mut parts.recorder);
        }));
        if outcome.is_err() {
            self.replace(parts);
            self.shared.telemetry.unmeasured(Unmeasured::Panic);
            // What panicked may panic again.
            let untold = catch_unwind(AssertUnwindSafe(|| session.as_ref().map_or(0, |session| session.untold())));
            self.shared.telemetry.dropped(Dropped::Opaque, untold.unwrap_or(0));
            drop(catch_unwind(AssertUnwindSafe(|| *session = None)));
        }
    }

    /// Tells the recorder something that no session says.
    pub(crate) fn record(&self, event: Event) {
        let parts = &mut *self.parts.borrow_mut();
        if catch_unwind(AssertUnwindSafe(|| parts.recorder.observe(event))).is_err() {
            self.replace(parts);
        }
    }

    /// What was recorded since the last harvest, if anything.
    pub(crate) fn harvest(&self, at: WallTime, now: Stamp) -> Option<Harvest> {
        self.catch_up();
        let parts = &mut *self.parts.borrow_mut();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            parts.fingerprinter.forget_idle();
            let harvest = parts.recorder.harvest(at, now);
            parts.recorder.tune(&self.shared.stats(), self.shared.workers);
            harvest
        }));
        outcome.unwrap_or_else(|_| {
            self.replace(parts);
            None
        })
    }

    /// Shared parts that were borrowed when measuring code panicked are no longer trusted.
    #[cold]
    fn replace(&self, parts: &mut Parts) {
        let lost = parts.recorder.pending();
        tracing::error!(
            executions = lost,
            "measuring code panicked; traffic goes on, what this worker had recorded since its last harvest is lost"
        );
        self.shared.telemetry.dropped(Dropped::Panic, lost);
        let broken = std::mem::replace(parts, Parts::new(&self.shared));
        drop(catch_unwind(AssertUnwindSafe(|| drop(broken))));
    }
}

/// Looks at one direction of one connection.
pub(crate) struct Eye<'a> {
    pub(crate) lens: &'a Lens,
    pub(crate) link: &'a Rc<Link>,
    /// The leg that bytes of this direction come from.
    pub(crate) from: Leg,
    /// Somebody asks the session about each chunk.
    pub(crate) at_once: bool,
}

impl Eye<'_> {
    fn reader(&self) -> Leg {
        match self.from {
            Leg::Client => Leg::Upstream,
            Leg::Upstream => Leg::Client,
        }
    }
}

impl Look for Eye<'_> {
    #[inline]
    fn chunk(&mut self, chunk: &[u8], now: Stamp) {
        self.lens.forwarded(now);
        self.lens.look_later(self.link, self.from, now, chunk);
        if self.at_once {
            self.lens.catch_up();
        }
    }

    fn holding(&mut self, now: Stamp) {
        let reader = self.reader();
        self.lens.look(&self.link.watched, |session, _, _| session.holding(reader, now));
    }

    fn drained(&mut self, now: Stamp) {
        let reader = self.reader();
        self.lens.look(&self.link.watched, |session, _, _| session.drained(reader, now));
    }

    fn ended(&mut self, now: Stamp) {
        let from = self.from;
        self.lens.look(&self.link.watched, |session, fingerprinter, recorder| match from {
            Leg::Client => session.client_closed(),
            // A server that has ended its side owes nothing any more.
            Leg::Upstream => session.closed(now, fingerprinter, recorder),
        });
    }
}
