//! One connection's state machine: bytes and stamps in, observations out. No sockets, no storage, no clock.
//!
//! PROTOCOL.md §3–§6 is its contract. Reading order: [`observation`] what comes out, [`identity`] whose it is,
//! `machine` the session itself.

pub mod identity;
mod machine;
pub mod observation;

pub use machine::{Leg, Phase, Session};
