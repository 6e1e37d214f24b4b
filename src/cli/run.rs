//! `pgvitals run`: the proxy and its HTTP side, until a signal. SIGHUP reads the settings again.

use super::arguments::load;
use super::exit::Failure;
use super::logging::{self, Logging};
use crate::app;
use crate::config::load::{Flags, Loaded, Log};

/// Returns when a signal's drain is over.
pub(super) fn run(flags: Flags) -> Result<(), Failure> {
    let loaded = load(flags.clone())?;
    let logging = logging::start(&loaded.log);
    tell(&loaded);
    let log = loaded.log;
    let reload = move || reload(&flags, &logging, &log);
    Ok(app::run(loaded.app, reload)?)
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
