//! Ground: what every room may use. No tokio, no clock, no files, no environment.
//!
//! [`units`] time and size with the unit in the type, [`sqlstate`] error codes, [`secret`] values that never print,
//! [`telemetry`] pgvitals' counters about itself, [`text`] others' text where people read it.

pub mod secret;
pub mod sqlstate;
pub mod telemetry;
pub mod text;
pub mod units;
