//! What file, environment and flags say.

use super::exit::Failure;
use crate::config::error::Errors;
use crate::config::load::{self, Flags, Loaded};
use crate::store::settings::Settings;

/// Reads them, over the environment of this process.
pub(super) fn load(flags: Flags) -> Result<Loaded, Failure> {
    Ok(load::load(flags, std::env::vars_os())?)
}

/// The store, of a command that can do nothing without one; `what` says so.
///
/// # Errors
/// When none is set.
pub(super) fn store<'a>(loaded: &'a Loaded, what: &str) -> Result<&'a Settings, Failure> {
    let advice = "write --store postgres://USER@HOST/DATABASE, or set PGVITALS_STORE";
    loaded.app.store.as_ref().ok_or_else(|| Errors::missing("store.url", what, advice).into())
}
