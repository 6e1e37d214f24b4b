//! Rules over snapshots and statistics: facts in, findings out. Pure: every instant is a parameter.
//!
//! Reading order: [`level`] levels of DESIGN §7; alerts: [`kind`] what one can be about, [`settings`] what the owner may
//! set and with it their thresholds, [`alert`] its row, [`judge`] facts to findings, [`look`] what was judged at all,
//! [`book`] its life. Facts of snapshots: [`server`] vital signs, [`holder`]
//! who keeps dead rows alive, [`evidence`] and [`indexes`] which indexes are used, [`redundant`] which stand for others,
//! [`bloat`], [`forecast`] and [`capacity`] what runs out, [`trace`] one object over a time. Facts of statements: [`baseline`] what was usual, [`statements`]
//! what changed, [`usual`] both for one statement, [`days`] a day against its week. For people: [`quote`] names in SQL, [`recommend`] what to do, [`coverage`] what is seen at all, [`report`]
//! the day as data, [`page`] the same as text and HTML, [`explain`] how to see a plan.

pub mod alert;
pub mod baseline;
pub mod bloat;
pub mod book;
pub mod capacity;
pub mod coverage;
pub mod days;
pub mod evidence;
pub mod explain;
pub mod forecast;
pub mod holder;
pub mod indexes;
pub mod judge;
pub mod kind;
pub mod level;
pub mod look;
pub mod page;
pub mod quote;
pub mod recommend;
pub mod redundant;
pub mod report;
pub mod server;
pub mod settings;
pub mod statements;
pub mod trace;
pub mod usual;

pub use settings::Settings;

#[cfg(test)]
mod tests;
