//! Rules over snapshots and statistics: facts in, findings out. Pure: every instant is a parameter.
//!
//! Files: [`alert`], [`bloat`], [`book`], [`capacity`], [`evidence`], [`forecast`], [`holder`], [`indexes`], [`judge`], [`kind`], [`level`], [`quote`], [`redundant`], [`server`].

pub mod alert;
pub mod bloat;
pub mod book;
pub mod capacity;
pub mod evidence;
pub mod forecast;
pub mod holder;
pub mod indexes;
pub mod judge;
pub mod kind;
pub mod level;
pub mod quote;
pub mod redundant;
pub mod server;

pub use level::Settings;

#[cfg(test)]
mod tests;
