//! What file, environment and flags say.

use super::exit::Failure;
use crate::config::load::{self, Flags, Loaded};

/// Reads them, over the environment of this process.
pub(super) fn load(flags: Flags) -> Result<Loaded, Failure> {
    Ok(load::load(flags, std::env::vars_os())?)
}
