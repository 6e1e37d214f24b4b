//! `pgvitals run`: the proxy and its HTTP side, until a signal; `pgvitals serve`: a store's HTTP side and what is done for a
//! fleet. SIGHUP reads the settings again.

use super::exit::Failure;
use super::load::{load, store};
use super::logging::{self, Logging};
use crate::app;
use crate::config::load::{Flags, Loaded};
use crate::config::log::Log;

/// Returns when a signal's drain is over.
pub(super) fn run(flags: Flags) -> Result<(), Failure> {
    let loaded = load(flags.clone())?;
    let monitors = loaded.app.monitors.len();
    let (settings, reload) = begin(loaded, flags);
    if monitors > 0 {
        tracing::warn!(monitors, "[[monitor]] is for pgvitals serve; a route says its server's monitor.url");
    }
    app::run(settings, reload).map_err(Failure::at_start)
}

/// The same, without a proxy.
pub(super) fn serve(flags: Flags) -> Result<(), Failure> {
    let loaded = load(flags.clone())?;
    store(&loaded)?;
    let (settings, reload) = begin(loaded, flags);
    Ok(app::serve(settings, reload)?)
}

/// Begins to log, and says what was read.
fn begin(loaded: Loaded, flags: Flags) -> (app::Settings, impl FnMut() -> Option<app::Settings> + Send + 'static) {
    let logging = logging::start(&loaded.log);
    tell(&loaded);
    let log = loaded.log;
    (loaded.app, move || reload(&flags, &logging, &log))
}

fn tell(loaded: &Loaded) {
    if let Some(file) = &loaded.file {
        tracing::info!(file = %file.display(), "configuration read");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}

/// What file, environment and flags say now; `None`, and a line for each error, when that can't be used.
fn reload(flags: &Flags, logging: &Logging, old: &Log) -> Option<app::Settings> {
    let loaded = match load(flags.clone()) {
        Ok(loaded) => loaded,
        Err(failure) => {
            let error = failure.to_string();
            error.lines().for_each(|line| tracing::error!("{line}"));
            tracing::error!("settings not reloaded; the old ones hold");
            return None;
        }
    };
    tell(&loaded);
    logging.filter(&loaded.log.filter);
    if loaded.log.format != old.format {
        tracing::warn!(key = "log_format", "this setting changes with a restart only; the old value stays");
    }
    Some(loaded.app)
}
