//! The tests' one clock.

use std::time::{Duration, Instant};

/// Now.
#[allow(clippy::disallowed_methods)] // What a client measures is compared with what pgvitals says.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long a test waits for an event before it fails: generous, so that a busy machine fails none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
