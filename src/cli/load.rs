//! What file, environment and flags say.

use super::exit::Failure;
use crate::config::error::Errors;
use crate::config::load::{self, Flags, Loaded};
use crate::store::settings::Settings;

/// Reads them, over the environment of this process.
pub(super) fn load(flags: Flags) -> Result<Loaded, Failure> {
    Ok(load::load(flags, std::env::vars_os())?)
}

/// The store, for a command that is nothing without one.
pub(super) fn store(loaded: &Loaded) -> Result<&Settings, Failure> {
    let advice = "write --store postgres://USER@HOST/DATABASE, or set PGVITALS_STORE";
    let missing = || Errors::missing("store.url", "this command needs the monitoring tables", advice);
    Ok(loaded.app.store.as_ref().ok_or_else(missing)?)
}
