//! Rules over snapshots and statistics: facts in, findings out. Pure: every instant is a parameter.
//!
//! Files: [`alert`], [`book`], [`holder`], [`judge`], [`kind`], [`level`], [`quote`], [`server`].

pub mod alert;
pub mod book;
pub mod holder;
pub mod judge;
pub mod kind;
pub mod level;
pub mod quote;
pub mod server;

pub use level::Settings;

#[cfg(test)]
mod tests;
