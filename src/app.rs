//! The composition root: settings to rooms, wired together, run, drained.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::base::telemetry::Telemetry;
use crate::jobs::ledger::Ledger;
use crate::jobs::run::Jobs;
use crate::jobs::{judge, tell};
use crate::notify::notifier::Notifier;
use crate::proxy::health::Health;
use crate::proxy::{Listening, Parts, Proxy, Tuner};
use crate::runtime::clock::{self, Clock};
use crate::runtime::inherited::Inherited;
use crate::runtime::listen::{Address, Listener};
use crate::runtime::shutdown::{Phase, Shutdown, Signals};
use crate::runtime::task::{Panics, Watch};
use crate::store::batch::Origin;
use crate::store::flusher::Flusher;
use crate::store::read::Reader;
use crate::{analyze, collect, http, jobs, notify, proxy, stats, store};

/// Threads for everything but moving bytes: HTTP, harvests, accepting. Two, so that a long answer holds up nobody.
const CONTROL_THREADS: usize = 2;

/// The name of the inherited socket that is HTTP's (systemd's `FileDescriptorName`).
const HTTP_SOCKET: &str = "http";

/// The store's writer has so long to end after the data plane; it sees to that itself.
const WRITING_MAX: Duration = Duration::from_secs(15);

/// The settings of every room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data plane.
    pub proxy: proxy::Settings,
    /// Aggregates in memory.
    pub stats: stats::Settings,
    /// The rules.
    pub analyze: analyze::Settings,
    /// When alerts are judged.
    pub judge: judge::Rhythm,
    /// Who is told of alerts, and how.
    pub notify: notify::settings::Settings,
    /// The HTTP side.
    pub http: http::Settings,
    /// The monitoring tables, if there are any.
    pub store: Option<store::settings::Settings>,
    /// The monitored servers that can be asked.
    pub collect: Vec<collect::settings::Settings>,
    /// When that is done, and what is done for all.
    pub jobs: jobs::settings::Settings,
}

/// Runs until SIGTERM or SIGINT, and what they begin, is over. At SIGHUP `reload` says what holds from then on; it logs
/// why where it has no answer.
///
/// # Errors
/// When an address of the data plane can't be listened on, or the system gives no threads.
pub fn run(settings: Settings, mut reload: impl FnMut() -> Option<Settings> + Send + 'static) -> anyhow::Result<()> {
    if let Some(source) = clock::slow_source() {
        tracing::warn!(
            source,
            "reading this clock source is a system call, twice for each statement; prefer tsc, or the hypervisor's own"
        );
    }
    let inherited = Inherited::take().context("the sockets that LISTEN_FDS tells of can't be used")?;
    let control = control()?;
    let signals = {
        let _inside = control.enter();
        Signals::catch().context("signals can't be followed")?
    };
    let old = settings.clone();
    let started = start_on(control, settings, inherited)?;
    let (shutdown, tuner) = (started.shutdown.clone(), started.tuner.clone());
    started.control.spawn(async move {
        let reload = || {
            if let Some(new) = reload() {
                reloaded(&tuner, &old, new);
            }
        };
        signals.follow(&shutdown, reload).await;
    });
    started.wait()
}

/// Hands new settings to the rooms that accept them, and names those that wait for a restart.
fn reloaded(tuner: &Tuner, old: &Settings, new: Settings) {
    let mut fixed = tuner.tune(new.proxy, new.stats);
    fixed.extend(old.analyze.changed(&new.analyze));
    fixed.extend(old.notify.changed(&new.notify));
    fixed.extend(old.jobs.changed(&new.jobs));
    fixed.extend(old.http.changed(&new.http));
    fixed.extend(store::settings::Settings::changed(old.store.as_ref(), new.store.as_ref()));
    fixed.extend(collect::settings::Settings::changed(&old.collect, &new.collect));
    for key in fixed {
        tracing::warn!(key, "this setting changes with a restart only; the old value stays");
    }
    tracing::info!("settings reloaded");
}

/// A pgvitals that serves.
#[derive(Debug)]
pub struct Started {
    /// Where clients can connect, with real ports.
    pub listening: Vec<Listening>,
    /// Where HTTP answers, with its real port; `None` when the address was taken.
    pub http: Option<Address>,
    /// Moves the phase on.
    pub shutdown: Shutdown,
    tuner: Tuner,
    control: Runtime,
    proxy: JoinHandle<std::io::Result<()>>,
    writing: Option<JoinHandle<()>>,
    judging: JoinHandle<()>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl Started {
    /// Returns when the process's phase is stopped, and everything has ended.
    ///
    /// # Errors
    /// When the data plane could not run.
    pub fn wait(self) -> anyhow::Result<()> {
        let Self { shutdown, control, proxy, writing, judging, serving, .. } = self;
        control.block_on(async {
            let ran = proxy.await.context("the data plane's task was lost")?;
            if let Some(writing) = writing
                && !matches!(tokio::time::timeout(WRITING_MAX, writing).await, Ok(Ok(())))
            {
                tracing::error!("the store's writer did not end as it should");
            }
            // It gives its lease back, for which it has two seconds since draining began.
            if judging.await.is_err() {
                tracing::error!("the judge of alerts did not end as it should");
            }
            shutdown.advance(Phase::Stopped);
            if let Some(serving) = serving {
                serving.await.context("the HTTP side's task was lost")??;
            }
            ran.context("the data plane could not start")
        })
    }

    /// Ends every session at once, then waits.
    ///
    /// # Errors
    /// As [`Started::wait`].
    pub fn stop(self) -> anyhow::Result<()> {
        self.shutdown.advance(Phase::Flushing);
        self.wait()
    }
}

/// Starts everything and returns once every listener is bound; for tests, and for whoever brings signals of their own.
///
/// # Errors
/// As [`run`].
pub fn start(settings: Settings) -> anyhow::Result<Started> {
    start_on(control()?, settings, Inherited::default())
}

/// The runtime of everything but moving bytes.
fn control() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
        .context("no runtime for the control side")
}

fn start_on(control: Runtime, settings: Settings, inherited: Inherited) -> anyhow::Result<Started> {
    let shutdown = Shutdown::default();
    let (telemetry, panics) = (Arc::new(Telemetry::default()), Panics::default());
    let clock = Clock::start();
    let ledger = Ledger::new(settings.store.as_ref(), &settings.analyze, &settings.notify, clock);
    let parts = Parts {
        stats: settings.stats,
        telemetry: Arc::clone(&telemetry),
        clock,
        shutdown: shutdown.clone(),
        panics: panics.clone(),
    };
    let store = match settings.store {
        Some(store) => Some(writer(store, &settings.http, &parts)?),
        None => None,
    };
    let judged = judge::Parts {
        rules: settings.analyze.clone(),
        rhythm: settings.judge,
        zone: settings.notify.time_zone.clone(),
        servers: settings.http.servers.clone(),
        store: store.as_ref().map(|(settings, parts)| judged_store(settings, parts)),
        telemetry: Arc::clone(&telemetry),
        ledger: ledger.clone(),
        clock,
        shutdown: shutdown.clone(),
    };
    let (mut proxy, http) = control.block_on(bind(settings.proxy, parts, &settings.http.listen, inherited))?;
    let (listening, tuner) = (proxy.listening(), proxy.tuner());
    let stored = store.as_ref().map(|(settings, parts)| http::Stored {
        reader: Reader::new(settings.clone()),
        status: Arc::clone(&parts.status),
    });
    let jobs = Jobs::new(jobs::run::Parts {
        settings: settings.jobs,
        rules: settings.analyze,
        collect: settings.collect,
        ledger: ledger.clone(),
        store: store.as_ref().map(|(settings, _)| settings.clone()),
        holder: store.as_ref().map_or(0, |(_, parts)| parts.origin.boot),
        clock,
    });
    let status = stored.as_ref().map(|stored| Arc::clone(&stored.status));
    let scheduler = jobs::scheduler::run(jobs.clone(), proxy.live(), status, shutdown.clone());
    control.spawn(watched(panics.watch("jobs"), scheduler));
    let writing = store.map(|(settings, parts)| {
        let (boot, status) = (parts.origin.boot, Arc::clone(&parts.status));
        let upkeep = jobs::upkeep::run(settings.clone(), boot, status, parts.clock, shutdown.clone());
        control.spawn(watched(panics.watch("upkeep of the store"), upkeep));
        let minutes = proxy.minutes(Flusher::pace(&settings));
        control.spawn(watched(panics.watch("store writer"), Flusher::new(settings, parts).run(minutes)))
    });
    for Listening { server, address } in &listening {
        tracing::info!(%address, server, "listening");
    }
    let judging = judging(&control, judged, settings.notify, &proxy, &panics);
    let address = http.as_ref().map(|listener| listener.local().clone());
    let serving = http.map(|listener| {
        tracing::info!(address = %listener.local(), "http");
        let ready = Arc::new(Readiness(proxy.health()));
        let sources =
            http::Sources { live: proxy.live(), telemetry, panics, ready, store: stored, alerts: ledger, jobs };
        let settings = http::Settings { listen: listener.local().clone(), ..settings.http };
        let stopped = shutdown.clone();
        let stopped = async move { stopped.reached(Phase::Stopped).await };
        control.spawn(http::serve(listener, settings, sources, stopped))
    });
    let proxy = control.spawn(proxy.run());
    Ok(Started { listening, http: address, shutdown, tuner, control, proxy, writing, judging, serving })
}

/// The data plane with its listeners, and HTTP's.
async fn bind(
    settings: proxy::Settings,
    parts: Parts,
    listen: &Address,
    mut inherited: Inherited,
) -> anyhow::Result<(Proxy, Option<Listener>)> {
    // By its name, so that it may be anywhere.
    let named = inherited.named(HTTP_SOCKET).context("the inherited socket for HTTP can't be used")?;
    let proxy = Proxy::bind(settings, parts, &mut inherited).await?;
    let http = match named {
        None => bind_http(&mut inherited, listen).await,
        named => named,
    };
    if let Some(address) = inherited.left().next() {
        bail!("nobody listens on the inherited socket {address}: name it in `listen`, or call it {HTTP_SOCKET}");
    }
    Ok((proxy, http))
}

/// A task whose panic is counted and said.
async fn watched(watch: Watch, task: impl Future<Output = ()>) {
    let _watch = watch;
    task.await;
}

/// The store, as who judges needs it.
fn judged_store(settings: &store::settings::Settings, parts: &store::flusher::Parts) -> judge::Stored {
    let (origin, status) = (Arc::clone(&parts.origin), Arc::clone(&parts.status));
    judge::Stored { settings: settings.clone(), origin, status }
}

/// Starts who judges alerts, and who tells people of them.
fn judging(
    control: &Runtime,
    parts: judge::Parts,
    people: notify::settings::Settings,
    proxy: &Proxy,
    panics: &Panics,
) -> JoinHandle<()> {
    if let Some(notifier) = notifier(people, &parts.telemetry, parts.clock) {
        let tell = tell::run(parts.ledger.clone(), notifier, parts.clock, parts.shutdown.clone());
        control.spawn(watched(panics.watch("notifier"), tell));
    }
    let judge = judge::run(parts, proxy.live(), Arc::new(Readiness(proxy.health())));
    control.spawn(watched(panics.watch("judge of alerts"), judge))
}

/// Who tells people; `None` without a channel. That nobody can be told must not stop the proxy.
fn notifier(settings: notify::settings::Settings, telemetry: &Arc<Telemetry>, clock: Clock) -> Option<Arc<Notifier>> {
    if settings.channels().is_empty() {
        return None;
    }
    match Notifier::new(settings, Arc::clone(telemetry), clock) {
        Ok(notifier) => Some(Arc::new(notifier)),
        Err(error) => {
            tracing::error!(%error, "nobody is told of alerts");
            None
        }
    }
}

/// Who writes what the proxy measures.
fn writer(
    store: store::settings::Settings,
    http: &http::Settings,
    parts: &Parts,
) -> anyhow::Result<(store::settings::Settings, store::flusher::Parts)> {
    let Parts { stats, telemetry, clock, shutdown, .. } = parts.clone();
    let origin = Origin::new(&http.instance, &http.service, clock.wall()).context("the system has no randomness")?;
    tracing::info!(target = %store.target, schema = %store.schema, "store");
    let (origin, levels, status) = (Arc::new(origin), stats.levels, Arc::default());
    Ok((store, store::flusher::Parts { origin, levels, telemetry, clock, shutdown, status }))
}

/// The HTTP side's listener. A taken address must not stop the proxy.
async fn bind_http(inherited: &mut Inherited, address: &Address) -> Option<Listener> {
    match inherited.bind(address, false).await {
        Ok(listeners) => listeners.into_iter().next(),
        Err(error) => {
            tracing::error!(%error, "no HTTP: the proxy runs without API and metrics; set `http` to a free address");
            None
        }
    }
}

/// The data plane's health, as HTTP asks for it.
struct Readiness(Arc<Health>);

impl judge::Upstreams for Readiness {
    fn down(&self) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>> {
        Box::pin(self.0.down())
    }
}

impl http::Ready for Readiness {
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.0.check())
    }
}
