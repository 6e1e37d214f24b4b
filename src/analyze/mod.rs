//! Rules over snapshots and statistics: facts in, findings out. Pure: every instant is a parameter.
//!
//! Files: [`alert`], [`baseline`], [`bloat`], [`book`], [`capacity`], [`evidence`], [`forecast`], [`holder`], [`indexes`], [`judge`], [`kind`], [`level`], [`quote`], [`redundant`], [`server`], [`statements`].

pub mod alert;
pub mod baseline;
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
pub mod statements;

pub use level::Settings;

#[cfg(test)]
mod tests;
