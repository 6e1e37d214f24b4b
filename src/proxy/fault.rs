//! Faults for the test *Harmless*; not compiled into a release. A statement that names a marker makes measuring panic.

use crate::session::observation::{Event, Observer};
use crate::stats::recorder::Recorder;

/// A client chunk with these bytes panics where the session would look at it.
const IN_SESSION: &[u8] = b"pgvitals_fault_session";
/// A statement with this identifier panics where the recorder would take it.
const IN_STATS: &str = "pgvitals_fault_stats";

/// A recorder that fails on demand.
pub(crate) struct Faulty<'a>(&'a mut Recorder);

impl<'a> Faulty<'a> {
    /// Panics when `chunk` has the session's marker.
    pub(crate) fn new(chunk: &[u8], recorder: &'a mut Recorder) -> Self {
        let marked = chunk.windows(IN_SESSION.len()).any(|window| window == IN_SESSION);
        assert!(!marked, "injected into the session");
        Self(recorder)
    }
}

impl Observer for Faulty<'_> {
    fn observe(&mut self, event: Event) {
        if let Event::Statement(observation) = &event {
            assert!(!observation.query.text.contains(IN_STATS), "injected into the recorder");
        }
        self.0.observe(event);
    }
}
