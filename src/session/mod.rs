//! One connection's state machine: bytes and stamps in, observations out. No sockets, no storage, no clock.
//!
//! PROTOCOL.md §3–§6 is its contract. Reading order: [`observation`] what comes out, [`identity`] whose it is,
//! `machine` the session from outside; `track` all that it knows, `client` what is asked, `owed` what is owed for it,
//! `server` what is answered, `ready` where that begins anew, `call` what becomes of an execution, `failure` errors and loss; then the parts: `text`
//! statements that span reads, `names` and `key` what has a name, `portal`, [`parameters`] bind values where they are
//! wanted, `answers` when the server answered, `stall` how long the client was waited for, `group` what one read
//! completed, `transaction`, `flight` what runs now; `backlog` how much may be owed, `overrun` and `unseen` what happens
//! when it is more.

mod answers;
pub mod backlog;
mod call;
mod client;
mod failure;
mod flight;
mod group;
pub mod identity;
mod key;
mod machine;
mod names;
pub mod observation;
mod overrun;
mod owed;
pub mod parameters;
mod portal;
mod ready;
mod server;
mod stall;
mod text;
mod track;
mod transaction;
mod unseen;

#[cfg(test)]
mod tests;

pub use machine::{Leg, Phase, Session};

/// Most that a session may be owed, in entries of 32 bytes: messages that the server has to answer, and the texts of Parse
/// and Query among them. A client that sends ahead as much as kernel buffers hold (some 6 MiB of small Binds and Executes)
/// stays below, unless others of its worker do the same; beyond it nothing is measured until the server has caught up.
const OWED_MAX: usize = 1 << 18;

/// Most named prepared statements that are known, some 140 bytes each: drivers' caches hold 100 to 1,000. Those used
/// longest ago go; met again they count as *unknown*.
const STATEMENTS_MAX: usize = 2_048;

/// Most named portals that are known. Cursors that are open at the same time are few.
const PORTALS_MAX: usize = 2_048;
