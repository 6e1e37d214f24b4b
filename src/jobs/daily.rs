//! The daily job, of the store: hours and days that are over are rolled up, what is old is dropped, what grows is told.

use super::insight::{Insight, since};
use super::job::{Record, Step};
use super::parts::Part;
use super::report;
use crate::store::alerts::facts;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::read::Reader;
use crate::store::settings::Settings;
use crate::store::upkeep::{due, forget_alerts, maintain, roll_up};

/// Hours and days that are over; a statement's `last_seen` comes with a day.
const ROLL_UP: &str = "roll_up";
/// Partitions made and dropped.
const RETENTION: &str = "retention";
/// Things that meet their limit within a year.
const FORECASTS: &str = "forecasts";
/// Reports of the day before.
const REPORTS: &str = "reports";
/// A forecast that is further away is none.
const YEAR_DAYS: f64 = 365.0;

/// The steps that are still to be done.
pub(super) async fn steps(part: &Part<'_>, record: &Record, store: Result<(), &Error>) -> Vec<Step> {
    let mut steps = Vec::new();
    let unreachable = store.err().map(ToString::to_string);
    let Some(settings) = &part.parts.store else { return steps };
    for name in [ROLL_UP, RETENTION, FORECASTS, REPORTS].into_iter().filter(|name| record.lacks(name)) {
        let began = part.now();
        let outcome = match &unreachable {
            Some(error) => Err(error.clone()),
            None => step(part, name, settings).await,
        };
        steps.push(Step::new(name, part.server, part.since(began), outcome));
    }
    steps
}

async fn step(part: &Part<'_>, name: &str, settings: &Settings) -> Result<u64, String> {
    let done = match name {
        ROLL_UP => rolled_up(part, settings).await,
        RETENTION => retained(part, settings).await,
        REPORTS => Box::pin(report::make(part.parts, settings, part.parts.clock.wall())).await,
        _ => forecast(part, settings).await,
    };
    done.map_err(|error| error.to_string())
}

/// Hours and days that were rolled up now.
async fn rolled_up(part: &Part<'_>, settings: &Settings) -> Result<u64, Error> {
    let link = Link::open(settings, part.parts.clock).await?;
    let mut done = 0;
    for due in due(&link).await? {
        done += u64::from(roll_up(&link, &due).await?);
    }
    Ok(done)
}

/// Rounds of making and dropping partitions; each drops one at most.
async fn retained(part: &Part<'_>, settings: &Settings) -> Result<u64, Error> {
    let link = Link::open(settings, part.parts.clock).await?;
    let mut dropped = 0;
    forget_alerts(&link, &settings.retention).await?;
    while maintain(&link, &settings.retention).await? {
        dropped += 1;
    }
    Ok(dropped)
}

/// What meets its limit within a year, of all servers.
async fn forecast(part: &Part<'_>, settings: &Settings) -> Result<u64, Error> {
    let parts = part.parts;
    let (reader, since) = (Reader::new(settings.clone()), since(parts.clock.wall(), &parts.rules));
    let servers = facts::servers(&Link::open(settings, parts.clock).await?).await?;
    let mut count = 0;
    for server in &servers {
        let Some(health) = reader.health(server, since).await? else { continue };
        let capacity = Insight::of(&health, &parts.rules).capacity;
        let limited = capacity.sequences.iter().chain(&capacity.wraparound);
        let limited = limited.chain(&capacity.disk).chain(&capacity.connections);
        let soon = limited.filter_map(|growth| Some((growth, growth.full.days.filter(|days| *days <= YEAR_DAYS)?)));
        for (growth, days) in soon {
            let database = growth.database.as_deref().unwrap_or_default();
            tracing::info!(server, database, name = growth.name, days, "full within a year");
            count += 1;
        }
    }
    Ok(count)
}
