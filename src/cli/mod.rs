//! One file per command. Errors end here: what is wrong goes to stderr, how it went into the exit code.
//!
//! Reading order: [`arguments`] the command line, made from the table of keys, [`exit`] codes, then the commands:
//! [`run`], [`check`], [`migrate`], [`report`], [`fingerprint`], [`top`], [`healthcheck`]; [`logging`] and [`client`] serve them.

mod arguments;
mod check;
mod client;
mod exit;
pub mod fingerprint;
mod healthcheck;
mod holder;
mod logging;
mod migrate;
mod report;
mod run;
mod statements;
mod top;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

/// Runs what the process's arguments ask for.
pub fn main() -> ExitCode {
    exit::code(arguments::parse(std::env::args_os()).and_then(arguments::Command::run))
}
