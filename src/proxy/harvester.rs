//! Control side: receives each worker's harvest, merges them, publishes the [`LiveView`] once a second, and hands
//! closed minutes to whoever listens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::shared::Shared;
use crate::base::telemetry::Dropped;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::runtime::clock::Clock;
use crate::stats::ceiling;
use crate::stats::harvest::Harvest;
use crate::stats::live::LiveView;
use crate::stats::minutes::{Minutes, Pace};
use crate::stats::outbox::Outbox;

/// Workers harvest at full seconds; so much later all have handed in.
const AFTER_SECOND: Duration = Duration::from_millis(100);
/// At the end so long for whoever writes to take what is left.
const LAST: Duration = Duration::from_secs(5);
/// A worker that had statements in flight and is silent for so long is named in the log.
const LATE: Nanos = Nanos::from_millis(3_000);

/// Runs until every worker is gone, then publishes what came last.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut harvests: mpsc::Receiver<(usize, Harvest)>,
    live: watch::Sender<LiveView>,
    minutes: Option<(mpsc::Sender<Minutes>, Pace)>,
) {
    let mut desk = minutes.map(|(to, pace)| Desk::new(to, pace, &shared));
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
                merge(&shared, &mut view, &mut pending, desk.as_mut());
                publish(&live, &view);
                if let Some(desk) = &mut desk {
                    desk.hand_out(shared.clock.wall());
                }
                lateness.name_late(shared.clock.stamp());
                due.set(tokio::time::sleep(until_publish(shared.clock)));
            }
        }
    }
    merge(&shared, &mut view, &mut pending, desk.as_mut());
    publish(&live, &view);
    if let Some(desk) = desk {
        desk.hand_out_all(&shared).await;
    }
}

/// Minutes on their way to whoever writes them down. While there is no room they wait and get coarser; nobody waits for
/// them.
struct Desk {
    to: mpsc::Sender<Minutes>,
    pace: Pace,
    outbox: Outbox,
}

impl Desk {
    fn new(to: mpsc::Sender<Minutes>, pace: Pace, shared: &Shared) -> Self {
        Self { to, pace, outbox: Outbox::new(ceiling::OUTBOX, Arc::clone(&shared.telemetry)) }
    }

    fn hand_out(&mut self, now: WallTime) {
        while let Ok(room) = self.to.try_reserve() {
            let taken = match self.pace {
                Pace::Minute => self.outbox.take(now),
                Pace::Second => self.outbox.take_all(),
            };
            let Some(minutes) = taken else { break };
            room.send(minutes);
        }
        self.outbox.settle(now);
    }

    /// The open minute too: it will have a second row if the process comes back within it.
    async fn hand_out_all(mut self, shared: &Shared) {
        let Some(minutes) = self.outbox.take_all() else { return };
        let calls = minutes.calls();
        if self.to.send_timeout(minutes, LAST).await.is_err() {
            shared.telemetry.dropped(Dropped::Unwritten, calls);
        }
    }
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
fn merge(shared: &Shared, view: &mut LiveView, pending: &mut Vec<(usize, Harvest)>, mut desk: Option<&mut Desk>) {
    let now = shared.clock.wall();
    view.tune(&shared.stats());
    for (worker, harvest) in pending.drain(..) {
        let executions = harvest.executions();
        let outbox = desk.as_deref_mut().map(|desk| &mut desk.outbox);
        if catch_unwind(AssertUnwindSafe(|| view.absorb_into(worker, harvest, outbox))).is_err() {
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
