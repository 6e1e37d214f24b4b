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

/// A client of the route with this server keeps a thread of its worker's runtime for ever, as a resolver that hangs does.
pub(crate) const IN_RESOLVER: &str = "pgvitals_fault_resolver";

/// Does what the server's marker says when a client comes for it.
pub(crate) fn arrived(server: Option<&Arc<str>>) {
    let is = |marker: &str| server.is_some_and(|server| **server == *marker);
    assert!(!is(IN_WORKER), "injected into the worker");
    if is(IN_RESOLVER) {
        drop(tokio::task::spawn_blocking(|| {
            loop {
                std::thread::park();
            }
        }));
    }
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
