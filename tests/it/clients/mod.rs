//! "Through pgvitals and directly, same results" (issue 4, §3): software that others wrote runs the same script both ways,
//! in plaintext and over TLS, and pgvitals counts what it sent.
//!
//! Scripts lie in `tests/clients`, one folder per language; they print what their user sees, where to connect to stands in
//! their environment, and nothing in their output depends on the moment. Reading order: [`run`] how a script is run,
//! [`drivers`] and [`programs`] what there is, [`table`] the whole list, which writes `docs/clients.md`.
//!
//! `make test` runs what `scripts/bootstrap` installs; `make test-clients` (feature `all-clients`) all the rest, too.

mod drivers;
#[cfg(feature = "all-clients")]
mod more;
mod programs;
mod run;
#[cfg(feature = "all-clients")]
mod table;
