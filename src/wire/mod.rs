//! The PostgreSQL protocol, 3.0 to 3.2, as pure code: bytes in, frames out. No sockets, no SQL, no time.
//!
//! Reading order: [`tag`] what a frame is called in each direction, [`scanner`] frames out of any slices, [`frontend`]
//! and [`backend`] views of the bodies that matter, [`values`] what Bind brings, [`startup`] the packets before the first tag, [`sasl`] the
//! mechanisms of authentication, [`reply`] what pgvitals says itself, [`error`] what can be wrong.

pub mod backend;
mod capture;
pub mod error;
pub mod frontend;
pub mod reply;
pub mod sasl;
pub mod scanner;
pub mod startup;
pub mod tag;
pub mod values;

#[cfg(test)]
mod tests;
