//! The hourly job, of one server: look at it, keep what was seen, judge it.

use super::insight::{Insight, since};
use super::job::{Record, Step};
use super::parts::Part;
use crate::analyze::alert::{Finding, Look};
use crate::collect::collector::Collector;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::read::Reader;
use crate::store::read::health::Health;
use crate::store::snapshots::{self, Slot};

/// What was captured, in the order of the steps.
const CAPTURED: [&str; 3] = ["index_snapshots", "table_snapshots", "database_snapshots"];
/// What of it is beyond a threshold, and alerts that opened because of it.
const JUDGED: [&str; 2] = ["findings", "alerts"];
/// Rounds have a key of their own in the store, in the transaction of their rows.
const ROUND: &str = "snapshots";

/// The steps that are still to be done.
pub(super) async fn steps(part: &Part<'_>, record: &Record, store: Result<(), &Error>) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_due = CAPTURED.iter().any(|name| record.lacks(name));
    if is_due {
        steps.extend(capture(part, store).await);
    }
    if is_due || JUDGED.iter().any(|name| record.lacks(name)) {
        let judged = judge(part, &steps).await;
        // What was found is judged again, where that alone failed, and told as one of the steps only where it is one.
        steps.extend(judged.into_iter().filter(|step| is_due || record.lacks(&step.name)));
    }
    steps
}

/// A round, and its rows.
async fn capture(part: &Part<'_>, store: Result<(), &Error>) -> Vec<Step> {
    let began = part.now();
    let outcome = Box::pin(captured(part, store)).await;
    let took = part.since(began);
    let step = |(place, name): (usize, &str)| {
        let count = outcome.as_ref().map(|counts: &[u64; 3]| counts.get(place).copied().unwrap_or_default());
        Step::new(name, part.server, took, count)
    };
    CAPTURED.into_iter().enumerate().map(step).collect()
}

/// How many indexes, tables and databases were seen.
async fn captured(part: &Part<'_>, store: Result<(), &Error>) -> Result<[u64; 3], String> {
    let parts = part.parts;
    let settings = parts.collect.iter().find(|settings| settings.server == part.server);
    let settings = settings.ok_or("this server can't be asked")?.clone();
    let set = Collector::new(settings).collect().await.map_err(|error| error.to_string())?;
    let seen = set.databases.iter().filter(|database| database.is_seen).count();
    let counts = [set.indexes.len(), set.tables.len(), seen].map(|count| count as u64);
    let rounds = part.rounds;
    rounds.saw(part.server, &set);
    let after_idle = rounds.is_idle(part.server);
    store.map_err(|error| format!("seen and not kept, the store does not answer: {error}"))?;
    match &parts.store {
        Some(store) => {
            let slot = Slot { job: ROUND, server: part.server, at: part.slot, after_idle };
            let link = Link::open(store, parts.clock).await;
            let link = link.map_err(|error| format!("seen and not kept: {error}"))?;
            let written = snapshots::write(&link, slot, &set).await;
            written.map_err(|error| format!("seen and not kept: {error}"))?;
        }
        None => rounds.keep(part.server, set, after_idle),
    }
    rounds.kept(part.server);
    Ok(counts)
}

/// What the rules say of the round.
async fn judge(part: &Part<'_>, before: &[Step]) -> [Step; 2] {
    let began = part.now();
    let found = if before.iter().all(|step| step.ok) { found(part).await } else { Err("nothing new is known".into()) };
    let count = found.as_ref().map(|(_, findings)| findings.len() as u64).map_err(String::clone);
    let [detected, opened] = JUDGED;
    let detected = Step::new(detected, part.server, part.since(began), count);
    let began = part.now();
    let count = match found {
        Ok((looks, findings)) => {
            let found = Box::pin(part.parts.ledger.found(&looks, findings)).await;
            found.map_err(|error| format!("not judged: {error}"))
        }
        Err(error) => Err(error),
    };
    [detected, Step::new(opened, part.server, part.since(began), count)]
}

async fn found(part: &Part<'_>) -> Result<(Vec<Look>, Vec<Finding>), String> {
    let parts = part.parts;
    let health = known(part).await?.ok_or("nothing is known of this server")?;
    // Of many objects it takes a while; the control threads have other things to do.
    let (rules, server) = (parts.rules.clone(), part.server.to_owned());
    let judge = move || {
        let insight = Insight::of(&health, &rules);
        (insight.looks(&server, &rules), insight.findings(&server, &rules), insight.vitals())
    };
    let (looks, findings, vitals) = tokio::task::spawn_blocking(judge).await.map_err(|error| error.to_string())?;
    part.rounds.tell(part.server, vitals);
    Ok((looks, findings))
}

/// The last round of the part's server, and those before.
async fn known(part: &Part<'_>) -> Result<Option<std::sync::Arc<Health>>, String> {
    let parts = part.parts;
    let Some(store) = &parts.store else { return Ok(part.rounds.health(part.server)) };
    let since = since(parts.clock.wall(), &parts.rules);
    let health = Reader::new(store.clone()).health(part.server, since).await;
    health.map(|health| health.map(Into::into)).map_err(|error| error.to_string())
}
