//! Log lines to stderr.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::load::{Log, LogFormat};

/// Begins to log. Once a process; later calls change nothing.
pub(super) fn start(log: &Log) {
    let base = fmt().with_env_filter(EnvFilter::new(&log.filter)).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => base.json().flatten_event(true).try_init(),
        LogFormat::Text => base.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    // Somebody else, such as a test, has set a subscriber: its lines go there.
    started.unwrap_or_default();
}
