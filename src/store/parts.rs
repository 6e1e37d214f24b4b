//! What the writer is made of: the flusher, its journal, and who delivers.

use std::sync::Arc;

use super::batch::Origin;
use super::status::Status;
use crate::base::telemetry::Telemetry;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Shutdown;
use crate::stats::level::Thresholds;

/// What the writer is given beside its settings.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Whose minutes.
    pub origin: Arc<Origin>,
    /// Levels of slow executions.
    pub levels: Thresholds,
    /// pgvitals' counters about itself.
    pub telemetry: Arc<Telemetry>,
    /// The process's clock.
    pub clock: Clock,
    /// The process's phases.
    pub shutdown: Shutdown,
    /// Where it tells how far it has come.
    pub status: Arc<Status>,
}
