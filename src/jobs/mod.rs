//! When something is done for all, and who does it.
//!
//! Reading order: [`settings`], [`schedule`] when a job is due (pure), [`lease`] who, [`upkeep`] roll-ups and retention of the store.

pub mod lease;
pub mod schedule;
pub mod settings;
pub mod upkeep;
