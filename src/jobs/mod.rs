//! What is done regularly, for all, and who does it.
//!
//! Reading order: [`settings`], [`schedule`] when a job is due (pure), [`job`] its slots and steps, [`parts`] what it needs,
//! [`run`] one run of it; `hourly` and `daily` their steps, [`report`] of a day, [`insight`] what the rules say of what was
//! seen, [`rounds`] that in memory; [`scheduler`] starts them, where [`activity`] says that it is worth it; [`lease`] tells who
//! of a fleet may, and [`presence`] whether `pgvitals serve` is there to do it; [`upkeep`] roll-ups of the store behind each hour.
//!
//! Alerts: [`ledger`] where they are kept, `memory` one of the two places, `minute` facts of the last minutes to findings,
//! `watch` what of them only this process knows, [`judge`] when and who, [`tell`] who is told, `unnoted` what of that the
//! tables don't know yet.

pub mod activity;
mod daily;
mod hourly;
pub mod insight;
pub mod job;
pub mod judge;
pub mod lease;
pub mod ledger;
mod memory;
mod minute;
pub mod parts;
pub mod presence;
pub mod report;
pub mod rounds;
pub mod run;
pub mod schedule;
pub mod scheduler;
pub mod settings;
pub mod tell;
mod unnoted;
pub mod upkeep;
mod watch;

#[cfg(test)]
#[path = "tests/alerts.rs"]
mod tests;
