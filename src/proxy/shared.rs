//! What all workers share: counters, limits, registries. Nothing here is touched by a statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::watch;

use super::Settings;
use super::cancel::Registry;
use super::health::Health;
use super::tls::gate::Unbound;
use crate::base::telemetry::{LogGate, Telemetry};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Shutdown;
use crate::runtime::task::Panics;
use crate::runtime::timers::Timers;
use crate::tls::store::Store;

/// One per proxy.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What holds now; replaced as a whole.
    pub(crate) current: watch::Sender<Current>,
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
    /// Sockets that have not become sessions yet, those with requests to cancel among them.
    pub(crate) starting: Count,
    /// One line a while about start-ups that failed.
    pub(crate) failures: LogGate,
    /// Certificates, keys and roots of both legs.
    pub(crate) tls: Arc<Store>,
    /// One line a while about clients that could not bind authentication to TLS.
    pub(crate) unbound: Arc<Unbound>,
}

/// Settings that hold at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) settings: Arc<Settings>,
    pub(crate) stats: Arc<crate::stats::Settings>,
}

impl Shared {
    /// The data plane's settings now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.current.borrow().settings)
    }

    /// How aggregates are kept now.
    pub(crate) fn stats(&self) -> Arc<crate::stats::Settings> {
        Arc::clone(&self.current.borrow().stats)
    }
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

    /// One more, unless there are `limit` already. Who is refused was never counted, so that nobody is refused because
    /// of him.
    pub(crate) fn enter_below(&self, limit: usize) -> Option<Counted> {
        let entered = self.0.fetch_update(Relaxed, Relaxed, |now| (now < limit).then_some(now + 1));
        entered.is_ok().then(|| Counted(self.clone()))
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

    #[test]
    fn of_many_who_come_at_once_exactly_as_many_enter_as_fit() {
        const LIMIT: usize = 3;
        let (count, barrier) = (Count::default(), std::sync::Barrier::new(8));
        let arrive = || {
            barrier.wait();
            let entered = count.enter_below(LIMIT);
            // Nobody leaves before all have asked.
            barrier.wait();
            let counted = usize::from(entered.is_some());
            drop(entered);
            barrier.wait();
            counted
        };
        std::thread::scope(|scope| {
            let arriving: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..500).map(|_| arrive()).collect())).collect();
            let entered: Vec<Vec<usize>> = arriving.into_iter().map(|thread| thread.join().unwrap()).collect();
            for round in 0..500 {
                assert_eq!(entered.iter().map(|thread| thread[round]).sum::<usize>(), LIMIT, "round {round}");
            }
        });
        assert_eq!(count.now(), 0);
    }
}
