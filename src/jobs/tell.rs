//! Tells people: what waits is grouped and sent, and what became of it noted. Who judges also tells; sending is in nobody's
//! way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::ledger::Ledger;
use crate::analyze::kind::Severity;
use crate::base::units::WallTime;
use crate::notify::message::{Event, Message};
use crate::notify::notifier::Notifier;
use crate::notify::queue::{self, Batch, EVERY, Outcome, Pending};
use crate::runtime::clock::{Clock, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::store::alerts::notices::{About, Became, Told, Waiting};
use crate::store::error::Error;

/// Without news and with nothing that waits there is nothing to look at.
const LOOK: Duration = Duration::from_secs(86_400);
/// Not more often than this, whatever is due.
const PAUSE: Duration = Duration::from_secs(1);
/// After a store that didn't answer.
const AGAIN: Duration = Duration::from_secs(30);

/// Runs until the process drains.
pub async fn run(ledger: Ledger, notifier: Arc<Notifier>, clock: Clock, shutdown: Shutdown) {
    let mut next = deadline(LOOK);
    loop {
        tokio::select! {
            () = ledger.news() => {}
            () = sleep_until(next) => {}
            () = shutdown.reached(Phase::Draining) => return,
        }
        let done = tokio::select! {
            done = round(&ledger, &notifier, clock) => done,
            () = shutdown.reached(Phase::Draining) => return,
        };
        let pause = match done {
            Ok(at) => at.map_or(LOOK, |at| at.since(clock.wall()).into()).clamp(PAUSE, LOOK),
            Err(error) => {
                tracing::warn!(%error, "what waits to be told could not be read or noted; it is tried again");
                AGAIN
            }
        };
        next = deadline(pause);
    }
}

/// Sends what is due, and says when to look again; `None`: when there is news.
async fn round(ledger: &Ledger, notifier: &Arc<Notifier>, clock: Clock) -> Result<Option<WallTime>, Error> {
    let waiting = ledger.waiting().await?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let now = clock.wall();
    let told: Vec<queue::Told> = ledger.told(now.before(EVERY + EVERY)).await.into_iter().map(heard).collect();
    let pending: Vec<Pending> = waiting.iter().map(pending).collect();
    let settings = notifier.settings();
    let plan = queue::plan(&pending, &told, settings.quiet.as_ref(), &settings.time_zone, now);
    let mut waiting: BTreeMap<i64, Waiting> = waiting.into_iter().map(|one| (one.id, one)).collect();
    let mut sending = JoinSet::new();
    let is_sent = !plan.batches.is_empty();
    for (batch, message) in plan.batches.into_iter().flat_map(|batch| messages(&batch, &mut waiting)) {
        let (notifier, ledger) = (Arc::clone(notifier), ledger.clone());
        sending.spawn(async move {
            let outcomes = notifier.deliver(&batch, &message).await;
            let became: Vec<(i64, Became)> = outcomes.into_iter().map(|(id, outcome)| (id, became(outcome))).collect();
            ledger.settle(&became).await
        });
    }
    let mut noted = Ok(());
    while let Some(sent) = sending.join_next().await {
        // A panic is counted where panics are; its rows wait as before.
        noted = noted.and(sent.unwrap_or(Ok(())));
    }
    noted?;
    // What was put off tells its time when it is read again.
    Ok(if is_sent { Some(clock.wall()) } else { plan.next })
}

fn pending(waiting: &Waiting) -> Pending {
    let (server, database, severity) = match &waiting.about {
        About::Alert(_, alert) => (&alert.server, alert.subject.database.clone(), alert.severity),
        About::Report(report) => (&report.server, None, Severity::Warning),
    };
    let Waiting { id, channel, due, attempts, .. } = *waiting;
    Pending { id, channel, server: server.clone(), database, severity, due, attempts }
}

fn heard(told: Told) -> queue::Told {
    let Told { channel, server, database, at } = told;
    queue::Told { channel, server, database, at }
}

/// A batch's messages: one of all alerts, one of each report.
fn messages(batch: &Batch, waiting: &mut BTreeMap<i64, Waiting>) -> Vec<(Batch, Message)> {
    let mut messages = Vec::new();
    let (mut events, mut notices) = (Vec::new(), Vec::new());
    for notice in &batch.notices {
        let Some(one) = waiting.remove(&notice.0) else { continue };
        match one.about {
            About::Alert(what, alert) => {
                events.push(Event { notice: what, alert: *alert });
                notices.push(*notice);
            }
            About::Report(report) => {
                messages.push((Batch { notices: vec![*notice], ..batch.clone() }, Message::Report(report)));
            }
        }
    }
    if !events.is_empty() {
        messages.push((Batch { notices, ..batch.clone() }, Message::alerts(events)));
    }
    messages
}

fn became(outcome: Outcome) -> Became {
    match outcome {
        Outcome::Sent => Became::Sent,
        Outcome::Again { due } => Became::Again(due),
        Outcome::Dead => Became::Dead,
    }
}
