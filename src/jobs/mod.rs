//! When something is done for all, and who does it.
//!
//! Reading order: [`lease`] who, [`upkeep`] roll-ups and retention of the store.

pub mod lease;
pub mod upkeep;
