//! What is logged, which is no room's setting.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::error::Problem;

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What to log, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Directives as `tracing_subscriber::EnvFilter` reads them.
    pub filter: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// Directives that mean something. A lone word that is no level would be the name of a program's part of which all is
/// logged, and nothing of any other.
pub(super) fn filter(text: &str) -> Result<String, Problem> {
    const ADVICE: &str = "write a level (off, error, warn, info, debug, trace), or target=level";
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    let is_ours = |word: &str| word.split("::").next() == Some(env!("CARGO_PKG_NAME"));
    let words = || text.split(',').map(str::trim).filter(|word| !word.is_empty());
    if let Some(word) = words().find(|word| !word.contains(['=', '[']) && !is_level(word) && !is_ours(word)) {
        return Err(Problem::new(format!("`{word}` is no level"), ADVICE));
    }
    let read = text.parse::<EnvFilter>().map_err(|error| Problem::new(error.to_string(), ADVICE));
    read.map(|_| text.to_owned())
}
