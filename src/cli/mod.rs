//! One file or folder per command. Errors end here: what is wrong goes to stderr, how it went into the exit code.
//!
//! Reading order: [`arguments`] the command line, made from the table of keys, [`examples`] in its help, [`exit`] codes,
//! [`load`] the settings, then the commands: [`run`], [`check`], [`migrate`], [`report`], [`demo`], [`fingerprint`], [`top`], [`healthcheck`]; [`logging`], [`client`],
//! [`colour`] and [`text`] serve them.

mod arguments;
mod check;
mod client;
mod colour;
mod demo;
mod examples;
mod exit;
pub mod fingerprint;
mod healthcheck;
mod holder;
mod load;
mod logging;
mod migrate;
mod report;
mod run;
mod text;
mod top;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

/// Runs what the process's arguments ask for.
pub fn main() -> ExitCode {
    exit::code(arguments::parse(std::env::args_os()).and_then(arguments::Command::run))
}
