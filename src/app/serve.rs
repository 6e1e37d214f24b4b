//! `pgvitals serve`: HTTP, judging, telling, roll-up, retention and reports on a store, without a proxy (STORE §4).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Settings;
use super::process::{HTTP_SOCKET, control, judging, name_fixed, watched};
use crate::base::telemetry::Telemetry;
use crate::base::units::{Nanos, Stamp};
use crate::jobs::activity::Activity;
use crate::jobs::judge;
use crate::jobs::ledger::Ledger;
use crate::jobs::presence::{self, Holder, Role};
use crate::jobs::run::Jobs;
use crate::runtime::clock::Clock;
use crate::runtime::inherited::Inherited;
use crate::runtime::listen::{Address, Listener};
use crate::runtime::shutdown::{Phase, Shutdown, Signals};
use crate::runtime::task::Panics;
use crate::stats::live::LiveView;
use crate::store::batch::Origin;
use crate::store::read::Reader;
use crate::{collect, http, jobs, store};

/// Orchestrators ask often; the store is not asked more often than this.
const FRESH: Nanos = Nanos::from_millis(2_000);
/// How long the store may take to say that it is there: less than orchestrators wait.
const ANSWER_MAX: Duration = Duration::from_millis(2_000);

/// Runs until SIGTERM or SIGINT. At SIGHUP `reload` says what holds from then on; it logs why where it has no answer.
///
/// # Errors
/// Without a store; when the address of HTTP can't be listened on, or the system gives no threads.
pub fn serve(settings: Settings, mut reload: impl FnMut() -> Option<Settings> + Send + 'static) -> anyhow::Result<()> {
    let Some(store) = settings.store.clone() else { bail!("there is no store to serve: set store.url") };
    let inherited = Inherited::take().context("the sockets that LISTEN_FDS tells of can't be used")?;
    let control = control()?;
    let signals = {
        let _inside = control.enter();
        Signals::catch().context("signals can't be followed")?
    };
    let listener = control.block_on(bind(inherited, &settings.http.listen))?;
    let old = settings.clone();
    let Serving { shutdown, memory, judging, http } = start(&control, settings, store, listener)?;
    let following = shutdown.clone();
    control.spawn(async move {
        let reload = || {
            let Some(new) = reload() else { return };
            let mut fixed = old.fixed(&new);
            fixed.extend(collect::settings::Settings::changed(&old.monitors, &new.monitors));
            memory.send_modify(|view| view.tune(&new.stats));
            name_fixed(fixed);
        };
        signals.follow(&following, reload).await;
    });
    let ended: anyhow::Result<()> = control.block_on(async {
        shutdown.reached(Phase::Draining).await;
        // It gives its lease back, for which it has two seconds since draining began.
        if judging.await.is_err() {
            tracing::error!("the judge of alerts did not end as it should");
        }
        shutdown.advance(Phase::Stopped);
        Ok(http.await.context("the HTTP side's task was lost")??)
    });
    // A look-up of a name that hangs is not waited for.
    control.shutdown_background();
    ended
}

/// What runs.
struct Serving {
    shutdown: Shutdown,
    memory: watch::Sender<LiveView>,
    judging: JoinHandle<()>,
    http: JoinHandle<std::io::Result<()>>,
}

fn start(
    control: &Runtime,
    settings: Settings,
    store: store::settings::Settings,
    listener: Listener,
) -> anyhow::Result<Serving> {
    let (shutdown, panics, clock) = (Shutdown::default(), Panics::default(), Clock::start());
    let (telemetry, status) = (Arc::new(Telemetry::default()), Arc::<store::status::Status>::default());
    let origin = Origin::new(&settings.http.instance, &settings.http.service, clock.wall());
    let origin = Arc::new(origin.context("the system has no randomness")?);
    let holder = Holder { role: Role::Serve, boot: origin.boot };
    tracing::info!(target = %store.target, schema = %store.schema, "serving a store");
    let ledger = Ledger::new(Some(&store), holder.role, &settings.analyze, &settings.notify, clock);
    let memory = watch::Sender::new(LiveView::new(&settings.stats, clock.wall(), Arc::clone(&telemetry)));
    let spawn = |name, task: Pin<Box<dyn Future<Output = ()> + Send>>| {
        control.spawn(watched(panics.watch(name), task));
    };
    let draining = || shutdown.clone();
    spawn("time", Box::pin(pass(memory.clone(), clock, draining())));
    spawn("presence", Box::pin(presence::run(store.clone(), holder.boot, clock, draining())));
    let upkeep = jobs::upkeep::run(store.clone(), holder, Arc::clone(&status), clock, draining());
    spawn("upkeep of the store", Box::pin(upkeep));
    let reader = Reader::new(store.clone());
    let jobs = Jobs::new(jobs::parts::Parts {
        settings: settings.jobs,
        rules: settings.analyze.clone(),
        collect: settings.monitors,
        ledger: ledger.clone(),
        store: Some(store.clone()),
        holder,
        clock,
    });
    let activity = Activity::Tables(Box::new(reader.clone()));
    spawn("jobs", Box::pin(jobs::scheduler::run(jobs.clone(), activity, Some(Arc::clone(&status)), draining())));
    let judged = judge::Parts {
        role: holder.role,
        rules: settings.analyze,
        rhythm: settings.judge,
        zone: settings.notify.time_zone.clone(),
        servers: Vec::new(),
        store: Some(judge::Stored { settings: store, origin, status: Arc::clone(&status) }),
        telemetry: Arc::clone(&telemetry),
        ledger: ledger.clone(),
        clock,
        shutdown: shutdown.clone(),
    };
    let judging = judging(control, judged, settings.notify, memory.subscribe(), Arc::new(NoUpstreams), &panics);
    tracing::info!(address = %listener.local(), "http");
    let ready =
        Arc::new(Readiness { reader: reader.clone(), clock, shutdown: shutdown.clone(), known: Mutex::default() });
    let sources = http::Sources {
        live: memory.subscribe(),
        telemetry,
        panics: panics.clone(),
        ready,
        store: Some(http::Stored { reader, status }),
        alerts: ledger,
        jobs,
    };
    let settings =
        http::Settings { listen: listener.local().clone(), servers: Vec::new(), role: Role::Serve, ..settings.http };
    let stopped = shutdown.clone();
    let stopped = async move { stopped.reached(Phase::Stopped).await };
    let http = control.spawn(http::serve(listener, settings, sources, stopped));
    Ok(Serving { shutdown, memory, judging, http })
}

/// HTTP is all that this process has: without its address it does not start.
async fn bind(mut inherited: Inherited, address: &Address) -> anyhow::Result<Listener> {
    let named = inherited.named(HTTP_SOCKET).context("the inherited socket for HTTP can't be used")?;
    let listener = match named {
        Some(named) => named,
        None => {
            let bound = inherited.bind(address, false).await.context("no HTTP: set `http` to a free address")?;
            bound.into_iter().next().context("no HTTP: `http` is no address")?
        }
    };
    if let Some(address) = inherited.left().next() {
        bail!("nobody listens on the inherited socket {address}: pgvitals serve has one, called {HTTP_SOCKET}");
    }
    Ok(listener)
}

/// Time passes in the memory of a process that measures nothing: answers and rules take from it what time it is.
async fn pass(memory: watch::Sender<LiveView>, clock: Clock, shutdown: Shutdown) {
    let passing = async {
        loop {
            sleep(clock.until_next_second()).await;
            memory.send_modify(|view| view.tick(clock.wall()));
        }
    };
    tokio::select! {
        () = passing => {}
        () = shutdown.reached(Phase::Stopped) => {}
    }
}

/// Nobody comes through here.
struct NoUpstreams;

impl judge::Upstreams for NoUpstreams {
    fn down(&self) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// Whether the store answers.
struct Readiness {
    reader: Reader,
    clock: Clock,
    shutdown: Shutdown,
    known: Mutex<Option<(Stamp, Result<(), String>)>>,
}

impl Readiness {
    async fn look(&self) -> Result<(), String> {
        if self.shutdown.phase() > Phase::Serving {
            return Err("draining".to_owned());
        }
        // Whoever asks meanwhile waits for the same answer.
        let mut known = self.known.lock().await;
        if let Some((_, result)) = known.as_ref().filter(|(at, _)| self.clock.stamp().since(*at) < FRESH) {
            return result.clone();
        }
        let result =
            self.reader.answers(ANSWER_MAX).await.map_err(|error| format!("the store does not answer: {error}"));
        *known = Some((self.clock.stamp(), result.clone()));
        result
    }
}

impl http::Ready for Readiness {
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.look())
    }
}
