//! Exit codes (`sysexits.h`): 0 well, 1 it went wrong, 64 bad command line, 78 bad settings.

use std::io::Write;
use std::process::ExitCode;

use crate::{config, tls};

const USAGE: u8 = 64;
const CONFIG: u8 = 78;

/// Why a command did not do what was asked.
#[derive(thiserror::Error, Debug)]
pub(super) enum Failure {
    /// The command line means nothing; or it asked for help, which is no failure.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The settings can't be used.
    #[error(transparent)]
    Settings(#[from] config::error::Errors),
    /// Nor can what they name: a certificate, a key, roots.
    #[error(transparent)]
    Named(tls::error::Error),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
    /// All was said already.
    #[error("")]
    Said,
}

impl Failure {
    /// Why the process did not start, or ended.
    pub(super) fn at_start(error: anyhow::Error) -> Self {
        error.downcast().map_or_else(Failure::Other, Failure::Named)
    }
}

/// Says what went wrong, if anything did.
pub(super) fn code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Arguments(error)) => {
            // Help that nobody reads (a closed pipe) is no failure either.
            error.print().unwrap_or_default();
            if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
        }
        Err(Failure::Settings(errors)) => {
            say(&errors.to_string());
            ExitCode::from(CONFIG)
        }
        Err(Failure::Named(error)) => {
            say(&error.to_string());
            ExitCode::from(CONFIG)
        }
        Err(Failure::Other(error)) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
        Err(Failure::Said) => ExitCode::FAILURE,
    }
}

fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    for line in text.lines() {
        writeln!(stderr, "pgvitals: {line}").unwrap_or_default();
    }
}
