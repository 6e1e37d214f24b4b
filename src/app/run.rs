//! `pgvitals run`: the proxy, its HTTP side, and its part in what is done for all.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::Settings;
use super::process::{HTTP_SOCKET, control, judging, name_fixed, watched};
use crate::base::telemetry::Telemetry;
use crate::jobs::activity::Activity;
use crate::jobs::judge;
use crate::jobs::ledger::Ledger;
use crate::jobs::presence::{Holder, Role};
use crate::jobs::run::Jobs;
use crate::proxy::health::Health;
use crate::proxy::{Listening, Parts, Proxy, StartError, Tuner};
use crate::runtime::clock::{self, Clock};
use crate::runtime::inherited::Inherited;
use crate::runtime::listen::{Address, Listener};
use crate::runtime::shutdown::{Phase, Shutdown, Signals};
use crate::runtime::task::Panics;
use crate::store::batch::Origin;
use crate::store::flusher::Flusher;
use crate::store::read::Reader;
use crate::{collect, http, jobs, proxy, store};

/// The store's writer has so long to end after the data plane; it sees to that itself.
const WRITING_MAX: Duration = Duration::from_secs(15);

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
    let (running, tuner) = start(&control, settings, inherited)?;
    let shutdown = running.shutdown.clone();
    control.spawn(async move {
        let reload = || {
            if let Some(new) = reload() {
                reloaded(&tuner, &old, new);
            }
        };
        signals.follow(&shutdown, reload).await;
    });
    let ended = control.block_on(running.ended());
    // A look-up of a name that hangs is not waited for.
    control.shutdown_background();
    ended
}

/// Hands new settings to the rooms that accept them, and names those that wait for a restart.
fn reloaded(tuner: &Tuner, old: &Settings, new: Settings) {
    let mut fixed = old.fixed(&new);
    fixed.extend(collect::settings::Settings::changed(&old.collect, &new.collect));
    fixed.extend(tuner.tune(new.proxy, new.stats));
    name_fixed(fixed);
}

/// What runs, and is waited for.
struct Running {
    shutdown: Shutdown,
    proxy: JoinHandle<std::io::Result<()>>,
    writing: Option<JoinHandle<()>>,
    judging: JoinHandle<()>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    /// Returns when the process's phase is stopped, and everything has ended.
    async fn ended(self) -> anyhow::Result<()> {
        let Self { shutdown, proxy, writing, judging, serving } = self;
        let ran = proxy.await.context("the data plane's task was lost")?;
        // Without a data plane there is nothing to serve, even if nobody has asked for the end.
        shutdown.advance(Phase::Flushing);
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
    }
}

/// Starts everything and returns once every listener is bound.
fn start(control: &Runtime, settings: Settings, inherited: Inherited) -> anyhow::Result<(Running, Tuner)> {
    let shutdown = Shutdown::default();
    let (telemetry, panics) = (Arc::new(Telemetry::default()), Panics::default());
    let clock = Clock::start();
    let ledger = Ledger::new(settings.store.as_ref(), Role::Sidecar, &settings.analyze, &settings.notify, clock);
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
    let boot = store.as_ref().map_or(0, |(_, parts)| parts.origin.boot);
    let holder = Holder { role: Role::Sidecar, boot };
    let judged = judge::Parts {
        role: holder.role,
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
    let stored = store.as_ref().map(|(settings, parts)| asked_store(settings, parts));
    let jobs = Jobs::new(jobs::parts::Parts {
        settings: settings.jobs,
        rules: settings.analyze,
        collect: settings.collect,
        ledger: ledger.clone(),
        store: store.as_ref().map(|(settings, _)| settings.clone()),
        holder,
        clock,
    });
    let status = stored.as_ref().map(|stored| Arc::clone(&stored.status));
    let scheduler = jobs::scheduler::run(jobs.clone(), Activity::Memory(proxy.live()), status, shutdown.clone());
    control.spawn(watched(panics.watch("jobs"), scheduler));
    let writing = store.map(|(settings, parts)| {
        let status = Arc::clone(&parts.status);
        let upkeep = jobs::upkeep::run(settings.clone(), holder, status, parts.clock, shutdown.clone());
        control.spawn(watched(panics.watch("upkeep of the store"), upkeep));
        let minutes = proxy.minutes(Flusher::pace(&settings));
        let flusher = Flusher::new(settings, parts, proxy.live());
        control.spawn(watched(panics.watch("store writer"), flusher.run(minutes)))
    });
    proxy.listening().iter().for_each(told);
    let tuner = proxy.tuner();
    let upstreams = Arc::new(Readiness(proxy.health()));
    let judging = judging(control, judged, settings.notify, proxy.live(), upstreams, &panics);
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
    Ok((Running { shutdown, proxy, writing, judging, serving }, tuner))
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
    let proxy = Proxy::bind(settings, parts, &mut inherited).await.map_err(|error| match error {
        // By its type whoever is told knows that settings are to blame.
        StartError::Tls(error) => error.into(),
        StartError::Bind(error) => anyhow::Error::from(error),
    })?;
    let http = match named {
        None => bind_http(&mut inherited, listen).await,
        named => named,
    };
    if let Some(address) = inherited.left().next() {
        bail!("nobody listens on the inherited socket {address}: name it in `listen`, or call it {HTTP_SOCKET}");
    }
    Ok((proxy, http))
}

fn told(Listening { server, address, upstream }: &Listening) {
    let upstream = upstream.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    tracing::info!(%address, upstream, server, "listening");
}

/// The store, as answers need it.
fn asked_store(settings: &store::settings::Settings, parts: &store::parts::Parts) -> http::Stored {
    http::Stored { reader: Reader::new(settings.clone()), status: Arc::clone(&parts.status) }
}

/// The store, as who judges needs it.
fn judged_store(settings: &store::settings::Settings, parts: &store::parts::Parts) -> judge::Stored {
    let (origin, status) = (Arc::clone(&parts.origin), Arc::clone(&parts.status));
    judge::Stored { settings: settings.clone(), origin, status }
}

/// Who writes what the proxy measures.
fn writer(
    store: store::settings::Settings,
    http: &http::Settings,
    parts: &Parts,
) -> anyhow::Result<(store::settings::Settings, store::parts::Parts)> {
    let Parts { stats, telemetry, clock, shutdown, .. } = parts.clone();
    let origin = Origin::new(&http.instance, &http.service, clock.wall()).context("the system has no randomness")?;
    tracing::info!(target = %store.target, schema = %store.schema, "store");
    let (origin, levels, status) = (Arc::new(origin), stats.levels, Arc::default());
    Ok((store, store::parts::Parts { origin, levels, telemetry, clock, shutdown, status }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn without_a_data_plane_the_process_ends_and_says_why() {
        let shutdown = Shutdown::default();
        let until = |phase| {
            let shutdown = shutdown.clone();
            async move { shutdown.reached(phase).await }
        };
        let (judge, http) = (until(Phase::Draining), until(Phase::Stopped));
        let running = Running {
            proxy: tokio::spawn(async { Err(std::io::Error::other("no more threads")) }),
            writing: None,
            judging: tokio::spawn(judge),
            serving: Some(tokio::spawn(async {
                http.await;
                Ok(())
            })),
            shutdown: shutdown.clone(),
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), running.ended()).await;
        let error = format!("{:#}", ended.expect("it must not run on without").unwrap_err());
        assert!(error.contains("no more threads"), "{error}");
    }
}
