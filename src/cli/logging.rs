//! Log lines to stderr.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, reload};

use crate::config::log::{Log, LogFormat};

/// What is logged; may change while it runs.
pub(super) struct Logging(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send>);

impl Logging {
    /// From now on logs what these directives say.
    pub(super) fn filter(&self, directives: &str) {
        if let Err(error) = (self.0)(EnvFilter::new(directives)) {
            tracing::warn!(%error, "what is logged stays as it was");
        }
    }
}

/// Begins to log. Once a process; later calls change nothing.
pub(super) fn start(log: &Log) -> Logging {
    let base = fmt().with_writer(std::io::stderr);
    let filter = EnvFilter::new(&log.filter);
    match log.format {
        LogFormat::Json => {
            let builder = base.json().flatten_event(true).with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            // Somebody else, such as a test, may have set a subscriber: its lines go there.
            builder.try_init().unwrap_or_default();
            Logging(Box::new(move |filter| handle.reload(filter)))
        }
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            let builder = base.with_ansi(ansi).with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.try_init().unwrap_or_default();
            Logging(Box::new(move |filter| handle.reload(filter)))
        }
    }
}
