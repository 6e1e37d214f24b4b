//! One proxy: its listeners, its worker threads, its harvester, and how they end.

use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, watch};

use super::acceptor::{self, Door};
use super::cancel::Registry;
use super::health::Health;
use super::shared::{Count, Current, Shared};
use super::tls::gate::Unbound;
use super::tune::Tuner;
use super::{Route, Settings, harvester, tls, worker};
use crate::base::telemetry::{LogGate, Telemetry};
use crate::runtime::clock::Clock;
use crate::runtime::inherited::Inherited;
use crate::runtime::listen::{Address, BindError, Listener};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::runtime::task::{Panics, Tasks};
use crate::runtime::timers::Timers;
use crate::stats::live::LiveView;
use crate::stats::minutes::{Minutes, Pace};
use crate::tls::store::Store;

/// Workers unless set: more threads than this gain nothing a sidecar needs.
const WORKERS_DEFAULT_MAX: usize = 4;

/// Minutes on their way.
const MINUTES: usize = 4;

/// How often files of certificates are looked at. A few KiB are read: no file system lets that be missed, as
/// notifications can be.
const WATCH_PERIOD: std::time::Duration = std::time::Duration::from_secs(5);

/// What a proxy is given beside its settings.
#[derive(Clone, Debug)]
pub struct Parts {
    /// How aggregates are kept.
    pub stats: crate::stats::Settings,
    /// pgvitals' counters about itself.
    pub telemetry: Arc<Telemetry>,
    /// The process's clock.
    pub clock: Clock,
    /// The process's phases.
    pub shutdown: Shutdown,
    /// Where panics are counted.
    pub panics: Panics,
}

/// Why a proxy can't start.
#[derive(thiserror::Error, Debug)]
pub enum StartError {
    /// An address can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A certificate, a key or roots can't be used.
    #[error(transparent)]
    Tls(#[from] crate::tls::error::Error),
}

/// An address that clients can connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listening {
    /// The monitored server's name.
    pub server: String,
    /// The address with its real port.
    pub address: Address,
    /// Where it leads to.
    pub upstream: Vec<Address>,
}

/// A proxy whose listeners are bound: clients can connect, and are served once it runs.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    listeners: Vec<(usize, Arc<Listener>)>,
    live: watch::Sender<LiveView>,
    minutes: Option<(mpsc::Sender<Minutes>, Pace)>,
}

impl Proxy {
    /// Reads certificates and binds every listener of every route, but for those that are there already. Must be called
    /// inside a runtime.
    ///
    /// # Errors
    /// The first file that can't be used, or the first address that can't be listened on.
    pub async fn bind(settings: Settings, parts: Parts, inherited: &mut Inherited) -> Result<Self, StartError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let tls = Store::load(settings.routes.iter().map(|route| &route.tls), &names, tls::PROTOCOL)?;
        let mut listeners = Vec::new();
        for (route, Route { listen, .. }) in settings.routes.iter().enumerate() {
            for address in listen {
                let bound = inherited.bind(address, settings.reuse_port).await?;
                listeners.extend(bound.into_iter().map(|listener| (route, Arc::new(listener))));
            }
        }
        let Parts { stats, telemetry, clock, shutdown, panics } = parts;
        let live = watch::Sender::new(LiveView::new(&stats, clock.wall(), Arc::clone(&telemetry)));
        let shared = Arc::new(Shared {
            servers: settings.routes.iter().map(|route| route.server.as_str().into()).collect(),
            workers: settings.workers.unwrap_or_else(default_workers).max(1),
            health: Arc::new(Health::new(clock, shutdown.clone(), &settings.routes)),
            registry: Arc::new(Registry::default()),
            sessions: Count::default(),
            starting: Count::default(),
            failures: LogGate::default(),
            tls: Arc::new(tls),
            unbound: Arc::new(Unbound::new(clock)),
            current: watch::Sender::new(Current { settings: Arc::new(settings), stats: Arc::new(stats) }),
            clock,
            timers: Timers::current(),
            telemetry,
            shutdown,
            panics,
        });
        Ok(Self { shared, listeners, live, minutes: None })
    }

    /// Where clients can connect.
    pub fn listening(&self) -> Vec<Listening> {
        let settings = self.shared.settings();
        let listening = |(route, listener): &(usize, Arc<Listener>)| Listening {
            server: self.shared.servers.get(*route).map(ToString::to_string).unwrap_or_default(),
            address: listener.local().clone(),
            upstream: settings.routes.get(*route).map(|route| route.upstream.clone()).unwrap_or_default(),
        };
        self.listeners.iter().map(listening).collect()
    }

    /// Whether traffic can be served.
    pub fn health(&self) -> Arc<Health> {
        Arc::clone(&self.shared.health)
    }

    /// Gives it other settings while it runs.
    pub fn tuner(&self) -> Tuner {
        Tuner::new(Arc::clone(&self.shared))
    }

    /// What is measured; a new view each second.
    pub fn live(&self) -> watch::Receiver<LiveView> {
        self.live.subscribe()
    }

    /// What is measured, to be written down, each execution once, and the open minute at the end. For one listener, who may
    /// be slow; what waits for it is bounded by [`crate::stats::ceiling::OUTBOX`].
    pub fn minutes(&mut self, pace: Pace) -> mpsc::Receiver<Minutes> {
        let (sender, receiver) = mpsc::channel(MINUTES);
        self.minutes = Some((sender, pace));
        receiver
    }

    /// Serves until the flushing phase, which it brings about itself when it has drained; returns when the last harvest
    /// is in the live view.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub async fn run(self) -> std::io::Result<()> {
        let Self { shared, listeners, live, minutes } = self;
        // One from each worker; who finds no room goes on recording.
        let (harvests, queue) = mpsc::channel(shared.workers);
        let harvesting = harvester::run(Arc::clone(&shared), queue, live, minutes);
        let watch_harvester = shared.panics.watch("harvester");
        let harvester = tokio::spawn(async move {
            let _watch = watch_harvester;
            harvesting.await;
        });
        let mut doors = Vec::new();
        for number in 0..shared.workers {
            let (sender, inbox) = mpsc::channel(worker::INBOX);
            doors.push(Door { inbox: sender, load: Count::default() });
            let (shared, harvests) = (Arc::clone(&shared), harvests.clone());
            let run = move || worker::run(&shared, number, inbox, &harvests);
            thread::Builder::new().name(format!("worker {number}")).spawn(run)?;
        }
        // The harvester ends when the last worker has dropped its sender.
        drop(harvests);
        let doors: Arc<[Door]> = doors.into();
        let mut acceptors = Tasks::new(shared.panics.clone());
        for (route, listener) in listeners {
            let (shared, doors) = (Arc::clone(&shared), Arc::clone(&doors));
            acceptors.spawn("acceptor", move || {
                acceptor::run(Arc::clone(&shared), Arc::clone(&listener), route, Arc::clone(&doors))
            });
        }
        drop(doors);
        if shared.tls.uses_files() {
            let (tls, shutdown) = (Arc::clone(&shared.tls), shared.shutdown.clone());
            acceptors.spawn("certificates", move || watch(Arc::clone(&tls), shutdown.clone()));
        }
        drained(&shared).await;
        shared.shutdown.advance(Phase::Flushing);
        acceptors.join(std::time::Duration::from_secs(1)).await;
        harvester.await.map_err(std::io::Error::other)
    }
}

/// Reads certificates again when their files change, until the flushing phase.
async fn watch(tls: Arc<Store>, shutdown: Shutdown) {
    let watching = async {
        loop {
            tokio::time::sleep(WATCH_PERIOD).await;
            match tls.reload_changed() {
                Ok(false) => {}
                Ok(true) => tracing::info!("certificates have changed; new connections use the new ones"),
                Err(error) => tracing::error!(%error, "changed certificates can't be used; the old ones stay"),
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = shutdown.reached(Phase::Flushing) => {}
    }
}

/// Returns when draining is over: no session is left, the time is up, or the next phase was asked for.
async fn drained(shared: &Shared) {
    shared.shutdown.reached(Phase::Draining).await;
    tracing::info!(sessions = shared.sessions.now(), "draining");
    let empty = async {
        while shared.sessions.now() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        biased;
        () = empty => tracing::info!("drained"),
        () = tokio::time::sleep(shared.settings().drain_timeout) => {
            tracing::warn!(sessions = shared.sessions.now(), "drain_timeout is over; the sessions that are left end now");
        }
        () = shared.shutdown.reached(Phase::Flushing) => {
            tracing::warn!(sessions = shared.sessions.now(), "told to end at once; the sessions that are left end now");
        }
    }
}

fn default_workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(WORKERS_DEFAULT_MAX)
}
