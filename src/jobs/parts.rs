//! What jobs need, and what a part of one is given.

use super::ledger::Ledger;
use super::presence::Holder;
use super::rounds::Rounds;
use super::settings::Settings;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::runtime::clock::Clock;
use crate::{analyze, collect, store};

/// What jobs need.
#[derive(Clone, Debug)]
pub struct Parts {
    /// When they run.
    pub settings: Settings,
    /// The rules that judge.
    pub rules: analyze::Settings,
    /// The servers that can be asked.
    pub collect: Vec<collect::settings::Settings>,
    /// The alerts.
    pub ledger: Ledger,
    /// The monitoring tables, if there are any.
    pub store: Option<store::settings::Settings>,
    /// Who this process is.
    pub holder: Holder,
    /// Its clock.
    pub clock: Clock,
}

/// One part of a job under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// What jobs need.
    pub(super) parts: &'a Parts,
    /// What was seen of servers in this process.
    pub(super) rounds: &'a Rounds,
    /// The server; empty of the store.
    pub(super) server: &'a str,
    /// The slot's begin; of a run beside it the run's own.
    pub(super) slot: WallTime,
}

impl Part<'_> {
    pub(super) fn now(&self) -> Stamp {
        self.parts.clock.stamp()
    }

    pub(super) fn since(&self, began: Stamp) -> Nanos {
        self.now().since(began)
    }
}
