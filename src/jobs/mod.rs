//! What is done regularly, for all, and who does it.
//!
//! Reading order: [`settings`], [`schedule`] when a job is due (pure), [`job`] its slots and steps, [`run`] one run of it;
//! `hourly` and `daily` their steps, [`insight`] what the rules say of what was seen, [`rounds`] that in memory;
//! [`scheduler`] starts them, [`lease`] tells who of a fleet may; [`upkeep`] roll-ups of the store behind each hour.

mod daily;
mod hourly;
pub mod insight;
pub mod job;
pub mod lease;
pub mod rounds;
pub mod run;
pub mod schedule;
pub mod scheduler;
pub mod settings;
pub mod upkeep;
