//! Faults for the test *Harmless*; not compiled into a release. A statement that names a marker makes measuring panic.

use std::sync::Arc;

use crate::session::observation::{Event, Observer};
use crate::stats::recorder::Recorder;

/// A client chunk with these bytes panics where the session would look at it.
const IN_SESSION: &[u8] = b"pgvitals_fault_session";
/// A statement with this identifier panics where the recorder would take it.
const IN_STATS: &str = "pgvitals_fault_stats";

/// A client of the route with this server makes its worker panic.
pub(crate) const IN_WORKER: &str = "pgvitals_fault_worker";

/// Panics when a client comes for the worker's marker.
pub(crate) fn arrived(server: Option<&Arc<str>>) {
    assert!(server.is_none_or(|server| **server != *IN_WORKER), "injected into the worker");
}

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
