//! Control side: receives each worker's harvest, merges them, publishes the [`LiveView`] once a second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::shared::Shared;
use crate::base::telemetry::Dropped;
use crate::base::units::{Nanos, Stamp};
use crate::runtime::clock::Clock;
use crate::stats::harvest::Harvest;
use crate::stats::live::LiveView;

/// Workers harvest at full seconds; so much later all have handed in.
const AFTER_SECOND: Duration = Duration::from_millis(100);
/// A worker that had statements in flight and is silent for so long is named in the log.
const LATE: Nanos = Nanos::from_millis(3_000);

/// Runs until every worker is gone, then publishes what came last.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut harvests: mpsc::Receiver<(usize, Harvest)>,
    live: watch::Sender<LiveView>,
) {
    let mut view = live.borrow().clone();
    let mut pending = Vec::new();
    let mut lateness = Lateness::new(shared.workers);
    let mut due = pin!(tokio::time::sleep(until_publish(shared.clock)));
    loop {
        tokio::select! {
            received = harvests.recv() => match received {
                Some((worker, harvest)) => {
                    lateness.heard(worker, shared.clock.stamp(), !harvest.active.is_empty());
                    pending.push((worker, harvest));
                }
                None => break,
            },
            () = &mut due => {
                merge(&shared, &mut view, &mut pending);
                publish(&live, &view);
                lateness.name_late(shared.clock.stamp());
                due.set(tokio::time::sleep(until_publish(shared.clock)));
            }
        }
    }
    merge(&shared, &mut view, &mut pending);
    publish(&live, &view);
}

/// The channel is locked for an exchange of pointers alone: no reader waits for a merge. What readers are shown is shared
/// with what the next merge changes, which therefore copies what it touches.
fn publish(live: &watch::Sender<LiveView>, view: &LiveView) {
    // The old view goes here, after the exchange.
    drop(live.send_replace(view.clone()));
}

fn until_publish(clock: Clock) -> Duration {
    clock.until_next_second() + AFTER_SECOND
}

/// All that came goes into one view; readers never see half a second.
fn merge(shared: &Shared, view: &mut LiveView, pending: &mut Vec<(usize, Harvest)>) {
    let now = shared.clock.wall();
    view.tune(&shared.stats());
    for (worker, harvest) in pending.drain(..) {
        let executions = harvest.executions();
        if catch_unwind(AssertUnwindSafe(|| view.absorb(worker, harvest))).is_err() {
            shared.telemetry.dropped(Dropped::Panic, executions);
        }
    }
    drop(catch_unwind(AssertUnwindSafe(|| view.tick(now))));
}

/// Finds workers that should have been heard of: one that is stuck can't say so itself.
struct Lateness {
    /// When a worker was last heard of, if it had statements in flight then.
    busy_since: Vec<Option<Stamp>>,
}

impl Lateness {
    fn new(workers: usize) -> Self {
        Self { busy_since: vec![None; workers] }
    }

    fn heard(&mut self, worker: usize, now: Stamp, busy: bool) {
        if let Some(since) = self.busy_since.get_mut(worker) {
            *since = busy.then_some(now);
        }
    }

    fn name_late(&mut self, now: Stamp) {
        for (worker, since) in self.busy_since.iter_mut().enumerate() {
            if since.is_some_and(|since| now.since(since) > LATE) {
                // Once for each time that it is late.
                *since = None;
                tracing::warn!(worker, "a worker with statements in flight has not handed in its harvest");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_worker_can_be_late_and_is_named_once() {
        let seconds = |count: u64| Stamp::from_nanos(count * 1_000_000_000);
        let mut lateness = Lateness::new(2);
        lateness.heard(0, seconds(1), true);
        lateness.heard(1, seconds(1), false);
        lateness.name_late(seconds(3));
        assert!(lateness.busy_since[0].is_some(), "two seconds are not late");
        lateness.name_late(seconds(9));
        assert_eq!(lateness.busy_since, [None, None]);
    }
}
