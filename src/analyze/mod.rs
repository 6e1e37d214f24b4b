//! Rules over snapshots and statistics: facts in, findings out. Pure: every instant is a parameter.
//!
//! Files: [`kind`], [`level`].

pub mod kind;
pub mod level;

pub use level::Settings;
