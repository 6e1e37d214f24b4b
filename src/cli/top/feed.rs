//! Asks a running pgvitals, again and again, and follows its seconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::answers::{Alerts, Second};
use super::state::Answers;
use super::wanted::Wanted;
use crate::cli::client::Client;

/// Between two tries to follow the seconds.
const AGAIN: Duration = Duration::from_secs(2);

/// What is to be asked, and whether only once.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Order {
    pub(super) wanted: Wanted,
    pub(super) paused: bool,
}

/// A question and what came of it.
pub(super) type Round = (Wanted, anyhow::Result<Answers>);

/// Asks what is ordered, at once when that changes and else every `interval`, until nobody listens.
pub(super) async fn ask(
    client: Arc<Client>,
    mut orders: watch::Receiver<Order>,
    rounds: mpsc::Sender<Round>,
    interval: Duration,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = None;
    loop {
        let Order { wanted, paused } = orders.borrow_and_update().clone();
        if !paused || answered.as_ref() != Some(&wanted) {
            let answers = tokio::select! {
                answers = once(&client, &wanted) => answers,
                changed = orders.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            };
            answered = Some(wanted.clone());
            if rounds.send((wanted, answers)).await.is_err() {
                return;
            }
            ticks.reset();
        }
        tokio::select! {
            _ = ticks.tick(), if !paused => {}
            changed = orders.changed() => if changed.is_err() { return },
        }
    }
}

/// One round. What only some processes know may stay unanswered.
async fn once(client: &Client, wanted: &Wanted) -> anyhow::Result<Answers> {
    let mut answers = Answers { summary: client.json(&wanted.summary()).await?, ..Answers::default() };
    match &wanted.statement {
        Some(who) => answers.detail = Some(client.json(&wanted.query(who)).await?),
        None => answers.queries = Some(client.json(&wanted.queries()).await?),
    }
    if answers.summary.alerts.as_ref().is_some_and(|counts| counts.open > 0) {
        let alerts: Alerts = client.json(&wanted.alerts()).await.unwrap_or_default();
        answers.alerts = alerts.alerts.into_iter().filter(|alert| alert.resolved_at.is_none()).collect();
    }
    answers.active = client.json(&wanted.active()).await.ok();
    if wanted.minutes {
        answers.timeline = client.json(&wanted.timeline()).await.ok();
    }
    Ok(answers)
}

/// Follows the seconds, until nobody listens.
pub(super) async fn follow(client: Arc<Client>, seconds: mpsc::Sender<Second>) {
    while !seconds.is_closed() {
        let tell = |data: &[u8]| {
            if let Ok(second) = serde_json::from_slice(data) {
                // Of a screen that is busy one more second is not missed.
                seconds.try_send(second).unwrap_or_default();
            }
        };
        // Why there are none is told by the answers.
        client.follow("/api/events", "live", tell).await.unwrap_or_default();
        tokio::time::sleep(AGAIN).await;
    }
}
