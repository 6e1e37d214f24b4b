//! A fleet's minutes into one store: so many sidecars close a minute at the same moment, and each writes it by itself, as
//! the real writer does. Tells how long after the minute's end its rows were in the tables.
//!
//!     cargo bench --bench fleet -- --store postgres://postgres@localhost/stats [--sidecars 500] [--series 200]
//!         [--executions 12] [--minutes 3] [--pods 10] [--interval 10]
//!
//! The tables must be there: `pgvitals migrate`. `benches/fleet/run.py` starts a server, runs this and reads the tables.

#![allow(clippy::print_stdout)] // A benchmark says what it measured.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use pgvitals::base::units::{Nanos, Stamp, WallTime};
use pgvitals::pgclient::target::Target;
use pgvitals::runtime::clock::Clock;
use pgvitals::session::observation::{Event, Observer};
use pgvitals::stats;
use pgvitals::stats::live::LiveView;
use pgvitals::stats::minutes::Minutes;
use pgvitals::stats::outbox::Outbox;
use pgvitals::stats::recorder::Recorder;
use pgvitals::store::batch::Origin;
use pgvitals::store::flusher::Flusher;
use pgvitals::store::parts::Parts;
use pgvitals::store::schema::Schema;
use pgvitals::store::settings::{Retention, Settings};
use pgvitals::store::status::Status;
// The sample's paths begin at the crate.
use pgvitals::{base, session, sql};
use sample::{identity, observation, query};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

#[path = "../src/stats/tests/sample.rs"]
mod sample;

const DAY: Duration = Duration::from_secs(86_400);
/// A minute that isn't there after so long is a finding of its own.
const PATIENCE: Duration = Duration::from_secs(120);

struct Fleet {
    store: String,
    sidecars: u64,
    series: u64,
    executions: u64,
    minutes: i64,
    /// Sidecars of one service.
    pods: u64,
    /// Seconds, as `store.flush_interval`.
    interval: u64,
}

struct Sidecar {
    minutes: mpsc::Sender<Minutes>,
    status: Arc<Status>,
    service: String,
}

fn main() -> anyhow::Result<()> {
    let Some(fleet) = arguments()? else { return Ok(()) };
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(&fleet))
}

/// Without a store there is nothing to do: `cargo bench` runs every benchmark.
fn arguments() -> anyhow::Result<Option<Fleet>> {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut named: HashMap<&str, &str> = HashMap::new();
    for pair in given.chunks(2) {
        let [name, value] = pair else { bail!("{pair:?}: a name without a value") };
        named.insert(name.as_str(), value.as_str());
    }
    let Some(store) = named.remove("--store") else {
        println!("fleet: left out, for it needs a server: benches/fleet/run.py");
        return Ok(None);
    };
    let mut number = |name, default| named.remove(name).map_or(Ok(default), str::parse).context(name);
    let fleet = Fleet {
        store: store.to_owned(),
        sidecars: number("--sidecars", 500)?,
        series: number("--series", 200)?,
        executions: number("--executions", 12)?,
        minutes: number("--minutes", 3)?.cast_signed(),
        pods: number("--pods", 10)?,
        interval: number("--interval", 10)?,
    };
    match named.keys().next() {
        Some(unknown) => bail!("{unknown}: not a parameter of this benchmark"),
        None => Ok(Some(fleet)),
    }
}

async fn run(fleet: &Fleet) -> anyhow::Result<()> {
    let clock = Clock::start();
    let settings = settings(fleet)?;
    let sidecars: Vec<Sidecar> =
        (0..fleet.sidecars).map(|number| start(&settings, clock, number, fleet)).collect::<anyhow::Result<_>>()?;
    println!("{} sidecars, {} series each, {} executions a series", fleet.sidecars, fleet.series, fleet.executions);
    let now = clock.wall().unix_micros();
    let first = now - now.rem_euclid(60_000_000) - fleet.minutes * 60_000_000;
    for minute in 0..fleet.minutes {
        let at = WallTime::from_unix_micros(first + minute * 60_000_000);
        let measured: Vec<_> = sidecars.iter().map(|one| measure(fleet, &one.service, at)).collect();
        let mut written = JoinSet::new();
        for (sidecar, minutes) in sidecars.iter().zip(measured) {
            let (status, closed) = (Arc::clone(&sidecar.status), clock.stamp());
            sidecar.minutes.send(minutes.context("nothing was measured")?).await?;
            written.spawn(async move {
                let done = tokio::time::timeout(PATIENCE, status.written()).await;
                done.map(|()| clock.stamp().since(closed).into()).map_err(|_| status.counts().failures)
            });
        }
        report(minute, &sidecars, written.join_all().await);
    }
    Ok(())
}

fn report(minute: i64, sidecars: &[Sidecar], written: Vec<Result<Duration, u64>>) {
    let mut lags: Vec<Duration> = written.iter().filter_map(|one| one.as_ref().ok()).copied().collect();
    lags.sort_unstable();
    let at = |share: f64| lags.get(((lags.len() as f64 * share) as usize).min(lags.len() - 1)).copied();
    let [half, most, all] = [0.5, 0.95, 1.0].map(|share| at(share).unwrap_or_default().as_secs_f64());
    let failures: u64 = sidecars.iter().map(|one| one.status.counts().failures).sum();
    let missing = written.len() - lags.len();
    println!(
        "minute {minute}: lag p50 {half:.2} s, p95 {most:.2} s, max {all:.2} s; so far {failures} failed attempts; {missing} missing"
    );
}

fn settings(fleet: &Fleet) -> anyhow::Result<Settings> {
    let tls = pgvitals::tls::settings::Upstream::default();
    Ok(Settings {
        target: Target::new(&fleet.store, tls).map_err(anyhow::Error::msg)?,
        schema: Schema::new("pgvitals")?,
        flush_interval: Duration::from_secs(fleet.interval),
        spool_dir: None,
        spool_max: 0,
        max_size: u64::MAX,
        idle_close: Duration::from_secs(5),
        retention: Retention {
            minutes: None,
            hours: 60 * DAY,
            days: 730 * DAY,
            slow: 14 * DAY,
            errors: 60 * DAY,
            snapshots: 90 * DAY,
            alerts: 730 * DAY,
        },
    })
}

fn start(settings: &Settings, clock: Clock, number: u64, fleet: &Fleet) -> anyhow::Result<Sidecar> {
    let service = format!("service-{}", number / fleet.pods);
    let status = Arc::<Status>::default();
    let parts = Parts {
        origin: Arc::new(Origin::new(&format!("{service}-{number}"), &service, clock.wall())?),
        levels: stats::Settings::default().levels,
        telemetry: Arc::default(),
        clock,
        shutdown: Default::default(),
        status: Arc::clone(&status),
    };
    let (minutes, received) = mpsc::channel(1);
    tokio::spawn(Flusher::new(settings.clone(), parts, watch::channel(LiveView::default()).1).run(received));
    Ok(Sidecar { minutes, status, service })
}

/// One minute of one sidecar: every statement of its service, log-normal around a typical time of its own.
fn measure(fleet: &Fleet, service: &str, at: WallTime) -> Option<Minutes> {
    let settings = stats::Settings::default();
    let (mut recorder, mut view) =
        (Recorder::new(&settings, 1, Arc::default()), LiveView::new(&settings, at, Arc::default()));
    let mut outbox = Outbox::new(usize::MAX, Arc::default());
    let who = identity(service, "web");
    let mut seed = at.unix_micros().unsigned_abs();
    for number in 0..fleet.series {
        let statement = query(&format!("select c{number} from {} where id = $1", service.replace('-', "_")));
        let typical = 500.0 + 40.0 * number as f64;
        for _ in 0..fleet.executions {
            // Near enough to normal: twelve uniform numbers.
            let normal = (0..12).fold(-6.0, |sum, _| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                sum + (seed >> 40) as f64 / (1_u64 << 24) as f64
            });
            let duration = Nanos::from_micros((typical * (0.35 * normal).exp()) as u64);
            recorder.observe(Event::Statement(observation(&statement, &who, duration)));
        }
    }
    let harvest = recorder.harvest(at, Stamp::from_nanos(0))?;
    view.absorb_into(0, harvest, Some(&mut outbox));
    outbox.take_all()
}
