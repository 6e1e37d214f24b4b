//! When something is done for all, and who does it.
//!
//! Reading order: [`lease`] who, [`upkeep`] roll-ups and retention of the store. Alerts: [`ledger`] where they are kept,
//! `minute` facts of the last minutes to findings, `watch` what of them only this process knows, [`judge`] when and who, [`tell`] who is told.

pub mod judge;
pub mod lease;
pub mod ledger;
mod minute;
pub mod tell;
pub mod upkeep;
mod watch;

#[cfg(test)]
#[path = "tests/alerts.rs"]
mod tests;
