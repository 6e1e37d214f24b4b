//! The last look at each server that is asked for: what is kept of it, what the store says, or a look now.

use std::sync::Arc;
use std::time::Duration;

use super::ask::Ask;
use super::choices::Metric;
use super::kept::Made;
use super::params::Params;
use super::seen::Seen;
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::{Kind, Problem};
use crate::jobs::insight::since;
use crate::jobs::job::Job;
use crate::jobs::run::{Occasion, Order};
use crate::store::read::health::Health;

/// Others of a fleet may have looked meanwhile.
const FRESH: Nanos = Nanos::from_millis(60_000);
/// The headline is asked for often, and has more to tell.
const HEADLINE_FRESH: Nanos = Nanos::from_millis(600_000);
/// It doesn't wait longer for the store.
const HEADLINE_MAX: Duration = Duration::from_secs(2);

/// What was seen of the servers that are asked for, `all` where none is named; empty for a metric that is not about them. Where nobody has looked yet,
/// the first question is what brings the first look.
///
/// # Errors
/// That nobody looked yet, or can; a store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App, params: &Params, all: &[String]) -> Result<Vec<Arc<Seen>>, Problem> {
    // The view goes before the store is waited for.
    let (metric, now, server) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        (ask.metric, view.at(), ask.filter.server.clone())
    };
    let servers = server.map_or_else(|| all.to_vec(), |server| vec![server]);
    let mut seen = Vec::new();
    if metric == Metric::Summary {
        for server in &servers {
            seen.extend(headline(app, server, now).await);
        }
        return Ok(seen);
    }
    if !metric.is_of_rounds() {
        return Ok(seen);
    }
    for server in &servers {
        seen.extend(one(app, server, now, FRESH).await?);
    }
    if seen.is_empty() && look(app, &servers).await {
        for server in &servers {
            seen.extend(one(app, server, now, FRESH).await?);
        }
    }
    if seen.is_empty() { Err(nothing(app, &servers)) } else { Ok(seen) }
}

/// Looks at those of the servers that can be asked; true when that was done. The hour's own round is still to come.
async fn look(app: &App, servers: &[String]) -> bool {
    let jobs = app.sources.jobs.clone();
    let known = |server: &&String| jobs.parts().collect.iter().any(|monitored| monitored.server == **server);
    let servers: Vec<String> = servers.iter().filter(known).cloned().collect();
    let _patience = app.patience.hold();
    // It goes on when its caller hangs up.
    let looked = tokio::spawn(async move {
        let order = Order { job: Job::Hourly, occasion: Occasion::Question };
        !servers.is_empty() && Box::pin(jobs.run_on(order, &servers)).await.is_ok()
    });
    looked.await.unwrap_or(false)
}

/// What is known without much ado.
async fn headline(app: &App, server: &str, now: WallTime) -> Option<Arc<Seen>> {
    let asked = async {
        let has_failed = |made: &Made| made.seen.is_none() && now.since(made.at) < FRESH;
        if app.kept.seen.lock().await.get(server).is_some_and(has_failed) {
            return Ok(None);
        }
        one(app, server, now, HEADLINE_FRESH).await
    };
    match tokio::time::timeout(HEADLINE_MAX, asked).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(_)) | Err(_) => {
            app.kept.seen.lock().await.insert(server.to_owned(), Made { at: now, round: None, seen: None });
            None
        }
    }
}

fn nothing(app: &App, servers: &[String]) -> Problem {
    let collect = &app.sources.jobs.parts().collect;
    if collect.iter().any(|monitored| servers.contains(&monitored.server)) {
        return Problem::new(
            Kind::NotCollected,
            "nobody could look at this server yet, or somebody is looking for the first time; POST \
             /api/cron/hourly-monitoring looks now and says what is wrong",
        );
    }
    if !app.measures() {
        return Problem::new(
            Kind::NotCollected,
            "no sidecar has looked at this server yet: one with monitor.url (PGVITALS_MONITOR_URL) looks hourly, or pgvitals \
             serve itself where it has a [[monitor]] for it; docs/fleet.md says how",
        );
    }
    Problem::new(
        Kind::NotConfigured,
        "pgvitals may not ask this server: set monitor.url (PGVITALS_MONITOR_URL) to a role that reads it, docs/health.md \
         says which",
    )
}

/// From the cache while it is fresh and no round of ours came after it. The lock is not held while the store is asked.
async fn one(app: &App, server: &str, now: WallTime, fresh: Nanos) -> Result<Option<Arc<Seen>>, Problem> {
    let round = app.sources.jobs.rounds().at(server);
    let is_fresh = |made: &&Made| made.round == round && (app.sources.store.is_none() || now.since(made.at) < fresh);
    let made = app.kept.seen.lock().await.get(server).filter(is_fresh).and_then(|made| made.seen.clone());
    if made.is_some() {
        return Ok(made);
    }
    let Some(health) = health(app, server, now).await? else { return Ok(None) };
    let (rules, name) = (app.sources.jobs.parts().rules.clone(), server.to_owned());
    let make = tokio::task::spawn_blocking(move || Seen::new(&health, &name, &rules));
    let seen = Arc::new(make.await.map_err(|error| Problem::new(Kind::Internal, error.to_string()))?);
    app.kept.seen.lock().await.insert(server.to_owned(), Made { at: now, round, seen: Some(Arc::clone(&seen)) });
    Ok(Some(seen))
}

async fn health(app: &App, server: &str, now: WallTime) -> Result<Option<Arc<Health>>, Problem> {
    let jobs = &app.sources.jobs;
    let Some(store) = &app.sources.store else { return Ok(jobs.rounds().health(server)) };
    let health = store.reader.health(server, since(now, &jobs.parts().rules)).await?;
    Ok(health.map(Arc::new))
}
