//! What the command line says.

use std::time::Duration;

use crate::cli::colour::When;

/// How to show it.
#[derive(Debug)]
pub(in crate::cli) struct Options {
    /// One table, then the end.
    pub(in crate::cli) once: bool,
    /// A `sort` of API.md.
    pub(in crate::cli) sort: String,
    /// The flag of one of [`super::WINDOWS`].
    pub(in crate::cli) window: String,
    /// Rows of a printed table.
    pub(in crate::cli) limit: Option<u64>,
    /// Between two rounds of questions.
    pub(in crate::cli) interval: Duration,
    /// Whether in colour.
    pub(in crate::cli) color: When,
}
