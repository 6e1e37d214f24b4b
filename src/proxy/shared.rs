//! What all workers share: counters, limits, registries. Nothing here is touched by a statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Settings;
use super::cancel::Registry;
use super::health::Health;
use crate::base::telemetry::{LogGate, Telemetry};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Shutdown;
use crate::runtime::task::Panics;
use crate::runtime::timers::Timers;

/// One per proxy.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) stats: crate::stats::Settings,
    /// Names of the routes' servers, in order.
    pub(crate) servers: Vec<Arc<str>>,
    /// How many threads move bytes.
    pub(crate) workers: usize,
    pub(crate) clock: Clock,
    /// The control runtime's; workers have none of their own.
    pub(crate) timers: Timers,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) shutdown: Shutdown,
    pub(crate) panics: Panics,
    pub(crate) registry: Arc<Registry>,
    pub(crate) health: Arc<Health>,
    /// Sessions at the moment.
    pub(crate) sessions: Count,
    /// One line a while about start-ups that failed.
    pub(crate) failures: LogGate,
}

/// Counts what holds a [`Counted`]; shared by reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

/// One that is counted, as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Count);

impl Count {
    /// How many there are.
    pub(crate) fn now(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// One more.
    pub(crate) fn enter(&self) -> Counted {
        self.0.fetch_add(1, Relaxed);
        Counted(self.clone())
    }

    /// One more, unless there are `limit` already.
    pub(crate) fn enter_below(&self, limit: usize) -> Option<Counted> {
        let entered = self.enter();
        (self.now() <= limit).then_some(entered)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_a_limit_and_sinks_by_itself() {
        let count = Count::default();
        let first = count.enter_below(1);
        assert!(first.is_some() && count.enter_below(1).is_none());
        assert_eq!(count.now(), 1);
        drop(first);
        assert_eq!(count.now(), 0);
    }
}
