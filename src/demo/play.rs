//! Plays the month: figures and rounds in the order in which they would have come, then what the rules said of them.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::course::Course;
use super::judged::{Judged, Judging, rounds};
use super::month::Month;
use super::shop::{HOUR, Shop};
use super::spec::Service;
use crate::analyze;
use crate::analyze::alert::Alert;
use crate::analyze::page;
use crate::base::units::{Nanos, WallTime};
use crate::runtime::clock::Clock;
use crate::snapshot::set::Set;
use crate::stats::minutes::Minutes;
use crate::store::alerts::desk::Desk;
use crate::store::alerts::reports;
use crate::store::batch::Origin;
use crate::store::cost::Cost;
use crate::store::error::Error;
use crate::store::play::Player;
use crate::store::settings::Settings;
use crate::store::snapshots::{self, Slot};
use crate::store::upkeep::{due, maintain, roll_up, weigh};

/// What the shop's server is called.
pub const SERVER: &str = "demo";
/// The job that a round is of.
const ROUNDS: &str = "snapshots";
/// Of these figures, so many hours are a batch.
const HOURS_OF_BATCH: usize = 24;
const HOURS_OF_FINE_BATCH: usize = 3;
/// What a sidecar takes: by statement and at rest, of the size that docs/performance.md measures.
const CPU_OF_CALL: Nanos = Nanos::from_micros(58);
const RESIDENT: u64 = 14 << 20;
const CALLS_OF_BYTE: u64 = 40;
const SERIES: u64 = 48;
/// Batches that are made ahead.
const BATCHES_WAITING: usize = 2;
/// Who knows of the alert that has been open longest.
const KNOWS: &str = "Anna (demo)";

/// What to play.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where to.
    pub store: Settings,
    /// By which rules it is judged.
    pub rules: analyze::Settings,
    /// Whose days reports are of.
    pub zone: TimeZone,
    /// How many full days.
    pub days: u32,
    /// The same seed makes the same month.
    pub seed: u64,
    /// Also where others' figures are.
    pub is_mixed: bool,
}

/// What was played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Played {
    /// From when to when.
    pub course: Course,
    /// Statements, and their executions.
    pub statements: usize,
    /// See above.
    pub calls: u64,
    /// Looks at the server.
    pub rounds: usize,
    /// Alerts, and how many of them are open.
    pub alerts: usize,
    /// See above.
    pub open: usize,
    /// Reports of days.
    pub reports: usize,
    /// An earlier demo made room for it.
    pub is_again: bool,
    /// How long it took.
    pub took: Nanos,
}

/// Why it was not played.
#[derive(thiserror::Error, Debug)]
pub enum Failure {
    /// Somebody's figures are there.
    #[error(
        "the store holds figures of other servers ({}), and made-up ones are not mixed with them unasked: name another \
         database or another store.schema, or say --mix", .0.join(", ")
    )]
    Others(Vec<String>),
    /// A server is called as the demo's.
    #[error(
        "the store holds figures of a server that is called `{SERVER}` and was not made up: name another store.schema"
    )]
    Taken,
    /// A thread that made it has ended.
    #[error("the month could not be made; what was written of it goes with the next attempt")]
    Lost,
    /// What the store said.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Plays it, up to now, in place of what was played before.
///
/// # Errors
/// As [`Failure`] says.
pub async fn play(wanted: &Wanted) -> Result<Played, Failure> {
    let clock = Clock::start();
    let begin = clock.wall();
    let mut player = Player::open(&wanted.store, clock).await?;
    let others = player.others().await?;
    if others.iter().any(|name| name == SERVER) {
        return Err(Failure::Taken);
    }
    if !(others.is_empty() || wanted.is_mixed) {
        return Err(Failure::Others(others));
    }
    let is_again = player.forget().await? > 0;
    let course = Course::new(wanted.seed, begin, wanted.days);
    let fine_from = player.prepare(SERVER, course.from).await?;
    let month = Arc::new(statistics(&mut player, Shop::new(SERVER, course), fine_from).await?);
    let sets: Arc<Vec<Set>> =
        Arc::new(rounds(&month).into_iter().map(|at| course.round(at, month.counted(at))).collect());
    // What the rules say takes as long as what is written meanwhile.
    let (known, seen, rules, zone) = (Arc::clone(&month), Arc::clone(&sets), wanted.rules.clone(), wanted.zone.clone());
    let judging = spawn_blocking(move || Judging::all(&known, SERVER, &rules, &zone, &seen));
    for due in due(player.link()).await? {
        roll_up(player.link(), &due).await?;
    }
    for set in sets.iter() {
        let slot = Slot { job: ROUNDS, server: SERVER, at: set.at, after_idle: false };
        snapshots::write(player.link(), slot, set).await?;
    }
    let Judged { mut alerts, reports } = judging.await.map_err(|_| Failure::Lost)?;
    player.keep(&mut alerts).await?;
    for report in &reports {
        reports::keep(player.link(), report, &page::text(report), Some(&Default::default()), begin).await?;
    }
    acknowledge(&wanted.store, &alerts).await?;
    while maintain(player.link(), &wanted.store.retention).await? {}
    weigh(player.link()).await?;
    Ok(Played {
        course,
        statements: month.shop.statements(),
        calls: month.calls(),
        rounds: sets.len(),
        alerts: alerts.len(),
        open: alerts.iter().filter(|alert| alert.is_open()).count(),
        reports: reports.len(),
        is_again,
        took: clock.wall().since(begin),
    })
}

/// All hours, in batches: the next is made while one is written.
async fn statistics(player: &mut Player, shop: Shop, fine_from: WallTime) -> Result<Month, Failure> {
    let mut origins = Vec::new();
    for service in Service::ALL {
        origins.push((Arc::new(origin(service, shop.course.from)?), 0));
    }
    let (sender, mut made) = mpsc::channel(BATCHES_WAITING);
    let making = spawn_blocking(move || {
        let mut month = Month::new(shop, fine_from);
        for hours in batches(month.shop.course, fine_from) {
            // Nobody takes it when it can't be written.
            if sender.blocking_send(batch(&mut month, &hours)).is_err() {
                break;
            }
        }
        month
    });
    let mut sequence = 0;
    while let Some(batch) = made.recv().await {
        sequence += 1;
        for ((origin, calls), minutes) in origins.iter_mut().zip(&batch) {
            player.write(origin, sequence, minutes, None).await?;
            *calls += minutes.calls();
        }
    }
    for (origin, calls) in &origins {
        // Nobody waits for their next.
        player.write(origin, sequence + 1, &Minutes::default(), Some(cost(*calls))).await?;
    }
    let month = making.await.map_err(|_| Failure::Lost)?;
    let seen: Vec<_> =
        month.shop.lines.iter().map(|line| (line.query.query.hash, month.shop.first_seen(line))).collect();
    player.date(&seen).await?;
    Ok(month)
}

/// The hours of each batch.
fn batches(course: Course, fine_from: WallTime) -> Vec<Vec<WallTime>> {
    let mut batches: Vec<Vec<WallTime>> = Vec::new();
    let mut at = course.from;
    while at < course.to {
        let is_fine = at >= fine_from;
        let most = if is_fine { HOURS_OF_FINE_BATCH } else { HOURS_OF_BATCH };
        let fits = |hours: &&mut Vec<WallTime>| {
            hours.len() < most && hours.first().is_some_and(|first| (*first >= fine_from) == is_fine)
        };
        match batches.last_mut().filter(fits) {
            Some(hours) => hours.push(at),
            None => batches.push(vec![at]),
        }
        at = at.after(HOUR);
    }
    batches
}

/// What the instances, in the order of their services, hand out in some hours.
fn batch(month: &mut Month, hours: &[WallTime]) -> Vec<Minutes> {
    let mut batch: Vec<Minutes> = Service::ALL.map(|_| Minutes::default()).into();
    for at in hours {
        for (all, (_, minutes)) in batch.iter_mut().zip(month.play(*at)) {
            all.spans.extend(minutes.spans);
            all.slow.extend(minutes.slow);
        }
    }
    batch
}

/// What a sidecar takes for so many calls.
fn cost(calls: u64) -> Cost {
    Cost {
        cpu: Some(Nanos::new(calls.saturating_mul(CPU_OF_CALL.get()))),
        resident_bytes: Some(RESIDENT + calls / CALLS_OF_BYTE),
        calls,
        dropped: 0,
        series: SERIES,
    }
}

fn origin(service: Service, since: WallTime) -> Result<Origin, Error> {
    let (name, instance) = service.names();
    let origin = Origin::new(instance, name, since).map_err(|_| Error::Answer("the system has no randomness"))?;
    Ok(Origin { is_demo: true, ..origin })
}

/// Somebody knows of one of them.
async fn acknowledge(store: &Settings, alerts: &[Alert]) -> Result<(), Error> {
    let oldest = alerts.iter().filter(|alert| alert.is_open()).min_by_key(|alert| alert.opened_at);
    if let Some(id) = oldest.and_then(|alert| alert.id) {
        Desk::new(store.clone()).acknowledge(id, KNOWS).await?;
    }
    Ok(())
}
