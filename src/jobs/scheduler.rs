//! The own scheduler: starts jobs when they are due, and lets databases sleep on which nothing happens.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;

use super::activity::Activity;
use super::job::{Job, Ran, Refused};
use super::presence::Role;
use super::run::{Jobs, Occasion, Order};
use super::schedule::{Schedule, day_of};
use crate::analyze::level::DAY;
use crate::base::units::{Nanos, WallTime};
use crate::collect::settings::WhenIdle;
use crate::runtime::clock::{chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::store::status::Status;

/// A fleet does not come all at once.
const SPREAD: Duration = Duration::from_secs(60);
/// A slot with a failed step is tried again.
const RETRY: Nanos = Nanos::from_millis(10 * 60_000);
/// The wall clock may be set; it is looked at so often.
const LOOK: Duration = Duration::from_secs(60);

/// Runs until the process drains. `status` tells whether anything is written.
pub async fn run(jobs: Jobs, activity: Activity, status: Option<Arc<Status>>, shutdown: Shutdown) {
    let both = async {
        tokio::join!(hourly(&jobs, activity), daily(&jobs, status));
    };
    tokio::select! {
        () = both => {}
        () = shutdown.reached(Phase::Draining) => {}
    }
}

async fn hourly(jobs: &Jobs, mut activity: Activity) {
    let parts = jobs.parts();
    let (Some(schedule), Some(first)) = (&parts.settings.hourly, parts.collect.first()) else { return };
    if first.when_idle != WhenIdle::Always && !activity.begun().await {
        return;
    }
    // Whoever calls for a look has done so by then; a fleet that was rolled out does not come all at once.
    let first = parts.settings.first;
    sleep_until(deadline(first + chance(first.min(SPREAD)))).await;
    let mut tried = Tried { since: parts.clock.wall().before(RETRY), at: HashMap::new() };
    let mut servers = Vec::new();
    let mut again = false;
    loop {
        // What failed is tried again, whether anything happened since or not.
        if !again {
            servers = tried.worth(jobs, &activity, parts.clock.wall()).await;
        }
        let order = Order { job: Job::Hourly, occasion: Occasion::Due };
        again = !servers.is_empty() && is_failed(&Box::pin(jobs.run_on(order, &servers)).await);
        let Some(next) = next(jobs, schedule, again) else { return };
        until(jobs, next).await;
    }
}

async fn daily(jobs: &Jobs, status: Option<Arc<Status>>) {
    let parts = jobs.parts();
    let (Some(schedule), Some(status)) = (&parts.settings.daily, status) else { return };
    // Whoever writes nothing does it for those who do.
    let is_asked = parts.holder.role == Role::Serve;
    let mut written = status.counts().batches;
    while written == 0 && !is_asked {
        sleep_until(deadline(LOOK)).await;
        written = status.counts().batches;
    }
    // The process may not have been there when it was due today.
    let (zone, now) = (&parts.settings.time_zone, parts.clock.wall());
    let due = schedule.next(now.before(DAY), zone).filter(|due| *due <= now && day_of(*due, zone) == day_of(now, zone));
    let mut is_due = due.is_some();
    let mut was_left = false;
    loop {
        let mut again = false;
        if is_due {
            let order = Order { job: Job::Daily, occasion: Occasion::Due };
            let ran = Box::pin(jobs.run_unless_left(order)).await;
            let is_left = matches!(ran, Ok(None));
            // Whoever it is left to, or is at it, may be gone before it is done: by the next time that is known.
            again = match ran {
                Ok(None) => !was_left,
                Ok(Some(ran)) => !ran.success(),
                Err(refused) => matches!(refused, Refused::Running { .. }),
            };
            was_left = is_left;
        }
        let Some(next) = next(jobs, schedule, again) else { return };
        until(jobs, next).await;
        let now_written = status.counts().batches;
        is_due = again || is_asked || now_written > written;
        written = now_written;
    }
}

/// When each server was last looked at, or would have been.
struct Tried {
    since: WallTime,
    at: HashMap<String, WallTime>,
}

impl Tried {
    /// The servers that are worth a look.
    async fn worth(&mut self, jobs: &Jobs, activity: &Activity, now: WallTime) -> Vec<String> {
        let mut servers = Vec::new();
        for monitored in &jobs.parts().collect {
            let server = &monitored.server;
            let last = self.at.get(server).copied().unwrap_or(self.since);
            let is_worth = match monitored.when_idle {
                WhenIdle::Always => true,
                WhenIdle::Auto => now.since(last) >= DAY || !activity.is_idle(server, last, now).await,
                WhenIdle::Never => !activity.is_idle(server, last, now).await,
            };
            if is_worth {
                self.at.insert(server.clone(), now);
                servers.push(server.clone());
            } else {
                jobs.rounds().leave_out(server);
            }
        }
        servers
    }
}

/// Whether it is worth another try before it is due again.
fn is_failed(ran: &Result<Ran, Refused>) -> bool {
    ran.as_ref().is_ok_and(|ran| !ran.success())
}

fn next(jobs: &Jobs, schedule: &Schedule, again: bool) -> Option<WallTime> {
    let (now, zone) = (jobs.parts().clock.wall(), &jobs.parts().settings.time_zone);
    let due = schedule.next(now, zone)?;
    Some(if again { due.min(now.after(RETRY)) } else { due })
}

/// Waits until then by the wall clock, and a little more, by chance.
async fn until(jobs: &Jobs, at: WallTime) {
    loop {
        let left = Duration::from(at.since(jobs.parts().clock.wall()));
        if left.is_zero() {
            break;
        }
        sleep_until(deadline(left.min(LOOK))).await;
    }
    sleep_until(deadline(chance(SPREAD))).await;
}
