//! `pgvitals run`: the proxy and its HTTP side, until a signal.

use super::exit::Failure;
use super::logging;
use crate::app;
use crate::config::load::Loaded;

/// Returns when a signal's drain is over.
pub(super) fn run(loaded: Loaded) -> Result<(), Failure> {
    logging::start(&loaded.log);
    if let Some(file) = &loaded.file {
        tracing::info!(file = %file.display(), "configuration read");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(app::run(loaded.app)?)
}
