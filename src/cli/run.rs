//! `pgvitals run`: the proxy and its HTTP side, until a signal.

use super::exit::Failure;
use super::logging;
use crate::config::load::Loaded;

/// Runs until the end of the process.
pub(super) fn run(loaded: Loaded) -> Result<(), Failure> {
    logging::start(&loaded.log);
    if let Some(file) = &loaded.file {
        tracing::info!(file = %file.display(), "configuration read");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}
