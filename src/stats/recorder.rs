//! One worker's aggregates between two harvests. Not `Sync`: the worker owns it, nothing locks.

use std::sync::Arc;

use super::Settings;
use super::harvest::Harvest;
use crate::base::telemetry::Telemetry;
use crate::base::units::{Stamp, WallTime};
use crate::session::observation::{Event, Observer};

/// Takes what sessions tell, one per worker.
#[derive(Debug)]
pub struct Recorder {
    telemetry: Arc<Telemetry>,
}

impl Recorder {
    /// An empty recorder of one of `workers` workers.
    pub fn new(_settings: &Settings, _workers: usize, telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry }
    }

    /// What was recorded since the last harvest; `None` when nothing was. `at` and `now` are one moment on both clocks.
    pub fn harvest(&mut self, at: WallTime, _now: Stamp) -> Option<Harvest> {
        Some(Harvest::empty(at))
    }
}

impl Observer for Recorder {
    fn observe(&mut self, event: Event) {
        match event {
            Event::Discarded(reason, count) => self.telemetry.discarded(reason, count),
            Event::Unmeasured(reason) => self.telemetry.unmeasured(reason),
            _ => {}
        }
    }
}
