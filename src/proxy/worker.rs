//! One thread: a single-threaded runtime, its connections, its recorder. A timer of the control runtime lets it hand in
//! the harvest.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::runtime::LocalOptions;
use tokio::sync::{Notify, mpsc};

use super::connection::Connection;
use super::error::{Error, Side};
use super::handshake::establish;
use super::link::{Link, Order};
use super::local::Local;
use super::shared::{Counted, Shared};
use super::socket::Socket;
use super::{DrainMode, active};
use crate::base::telemetry::Dropped;
use crate::base::units::{Nanos, Stamp};
use crate::runtime::listen::Accepted;
use crate::runtime::shutdown::Phase;
use crate::session::observation::Event;
use crate::stats::harvest::Harvest;

/// Sockets that wait for a worker to take them.
pub(crate) const INBOX: usize = 256;
/// How long a connection may take to end when it has to.
const PARTING: Duration = Duration::from_secs(1);
/// At most one line in so long says which start-ups fail.
const FAILURE_LOG: Nanos = Nanos::from_millis(10_000);

/// A socket on its way from the acceptor to its worker.
pub(crate) struct Incoming {
    pub(crate) socket: Accepted,
    pub(crate) at: Stamp,
    pub(crate) route: usize,
    /// Makes the worker the busier one as long as the connection lives.
    pub(crate) load: Counted,
}

/// The connections of one thread.
struct Worker {
    local: Rc<Local>,
    links: RefCell<Slab<Rc<Link>>>,
    /// Connections, start-ups among them.
    present: Cell<usize>,
    /// Told when the last one goes.
    empty: Notify,
    /// The last harvest told of something in flight, or of this many open sessions.
    told: Cell<(bool, u64)>,
}

/// Runs worker `number` until the flushing phase; starts it again when it panics.
pub(crate) fn run(
    shared: &Arc<Shared>,
    number: usize,
    mut inbox: mpsc::Receiver<Incoming>,
    harvests: &mpsc::Sender<(usize, Harvest)>,
) {
    let mut pause = Duration::ZERO;
    loop {
        let built = tokio::runtime::Builder::new_current_thread().enable_io().build_local(LocalOptions::default());
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(worker = number, %error, "a worker has no runtime"),
        };
        let worker = Rc::new(Worker::new(Arc::clone(shared)));
        let serve = worker.serve(pause, number, &mut inbox, harvests);
        let served = catch_unwind(AssertUnwindSafe(|| runtime.block_on(serve)));
        // What connections are left end here, when nothing unwinds any more, and what they say is in the last harvest.
        // A look-up of a name that hangs is not waited for.
        runtime.shutdown_background();
        worker.hand_in_last(number, harvests);
        if served.is_ok() {
            return;
        }
        pause = shared.panics.count("worker");
    }
}

impl Worker {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            local: Rc::new(Local::new(shared)),
            links: RefCell::default(),
            present: Cell::default(),
            empty: Notify::new(),
            told: Cell::default(),
        }
    }

    async fn serve(
        self: &Rc<Self>,
        pause: Duration,
        number: usize,
        inbox: &mut mpsc::Receiver<Incoming>,
        harvests: &mpsc::Sender<(usize, Harvest)>,
    ) {
        let Shared { timers, clock, shutdown, .. } = &*self.local.shared;
        timers.sleep(pause).await;
        let mut draining = pin!(shutdown.reached(Phase::Draining));
        let mut flushing = pin!(shutdown.reached(Phase::Flushing));
        let mut drains = self.local.shared.settings().drain_mode == DrainMode::Transactions;
        let mut second = pin!(timers.sleep(clock.until_next_second()));
        loop {
            tokio::select! {
                Some(incoming) = inbox.recv() => self.begin(incoming),
                () = &mut second => {
                    self.hand_in(number, harvests);
                    second.set(timers.sleep(clock.until_next_second()));
                }
                () = &mut draining, if drains => {
                    drains = false;
                    self.order(Order::WhenIdle);
                }
                () = &mut flushing => break,
            }
        }
        self.order(Order::Now);
        let parted = async {
            // Until the acceptors have closed their doors: who was accepted is told that it is over.
            while let Some(incoming) = inbox.recv().await {
                self.begin(incoming);
            }
            while self.present.get() > 0 {
                self.empty.notified().await;
            }
        };
        if timers.timeout(PARTING, parted).await.is_err() {
            tracing::warn!(worker = number, "connections did not end in time");
        }
    }

    fn begin(self: &Rc<Self>, incoming: Incoming) {
        #[cfg(any(test, feature = "fault-injection"))]
        super::fault::arrived(self.local.shared.servers.get(incoming.route));
        self.present.set(self.present.get() + 1);
        drop(tokio::task::spawn_local(connect(Present(Rc::clone(self)), incoming)));
    }

    fn order(&self, order: Order) {
        self.links.borrow().iter().for_each(|(_, link)| link.order(order));
    }

    /// Hands in the harvest; while the harvester is behind nothing is taken, so the next one brings this one's too.
    fn hand_in(&self, number: usize, harvests: &mpsc::Sender<(usize, Harvest)>) {
        if let Ok(permit) = harvests.try_reserve()
            && let Some(harvest) = self.harvest()
        {
            permit.send((number, harvest));
        }
    }

    /// Hands in what is left, whether there is room at once or not. Outside the worker's runtime.
    fn hand_in_last(&self, number: usize, harvests: &mpsc::Sender<(usize, Harvest)>) {
        if let Some(harvest) = self.harvest()
            && let Err(refused) = harvests.blocking_send((number, harvest))
        {
            self.local.shared.telemetry.dropped(Dropped::HarvestQueue, refused.0.1.executions());
        }
    }

    /// `None` when nothing was recorded, nothing is in flight, and that was told already.
    fn harvest(&self) -> Option<Harvest> {
        let (at, now) = (self.local.shared.clock.wall(), self.local.shared.clock.stamp());
        let recorded = self.local.lens.harvest(at, now);
        let empty = recorded.is_none();
        let mut harvest = recorded.unwrap_or_else(|| Harvest::empty(at));
        let parameters = self.local.shared.stats().capture_parameters;
        active::list(self.links.borrow().iter().map(|(_, link)| &link.watched), now, parameters, &mut harvest);
        let busy = !harvest.active.is_empty() || !harvest.transactions.is_empty();
        let telling = (busy, harvest.open_sessions);
        let told = self.told.replace(telling) == telling;
        (!empty || busy || !told).then_some(harvest)
    }

    /// Lists a new connection, and tells it of an end that has begun.
    fn list(self: &Rc<Self>, link: Rc<Link>) -> Listed {
        match (self.local.shared.shutdown.phase(), self.local.shared.settings().drain_mode) {
            (Phase::Serving, _) | (Phase::Draining, DrainMode::Clients) => {}
            (Phase::Draining, DrainMode::Transactions) => link.order(Order::WhenIdle),
            (Phase::Flushing | Phase::Stopped, _) => link.order(Order::Now),
        }
        Listed { number: self.links.borrow_mut().insert(link), worker: Rc::clone(self) }
    }

    /// A socket's way to a session; `None` when there is none to serve.
    async fn start_up(self: &Rc<Self>, socket: Accepted, at: Stamp, route: usize) -> Option<Connection> {
        let mut client = match Socket::accepted(socket) {
            Ok(client) => client,
            Err(error) => {
                tracing::debug!(%error, "an accepted socket was lost");
                return None;
            }
        };
        match establish(&self.local, &mut client, route, at).await {
            Ok(established) => {
                established.map(|established| Connection::new(Rc::clone(&self.local), client, route, established))
            }
            Err(error) => {
                self.refuse(&client, error).await;
                None
            }
        }
    }

    /// Counts and logs why a start-up failed, and tells the client.
    async fn refuse(&self, client: &Socket, error: Error) {
        if matches!(error, Error::NothingSent) {
            return;
        }
        self.local.lens.record(Event::StartupFailed(error.sqlstate()));
        if let Some(suppressed) = self.local.shared.failures.open(self.local.shared.clock.stamp(), FAILURE_LOG) {
            match error.side() {
                Side::Client => tracing::info!(%error, suppressed, "a start-up failed"),
                side => tracing::warn!(%error, ?side, suppressed, "a start-up failed"),
            }
        }
        if let Some(reply) = error.reply() {
            // A client that is gone can't be told.
            drop(client.write_all(&reply).await);
            drop(client.finish());
        }
    }
}

/// A connection of a worker, from its arrival to its end.
struct Present(Rc<Worker>);

impl Drop for Present {
    fn drop(&mut self) {
        let present = &self.0.present;
        present.set(present.get().saturating_sub(1));
        if present.get() == 0 {
            self.0.empty.notify_one();
        }
    }
}

/// An entry in the worker's list; goes with the connection.
struct Listed {
    number: usize,
    worker: Rc<Worker>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let link = self.worker.links.borrow_mut().try_remove(self.number);
        drop(link);
    }
}

/// A connection's life. Start-up is boxed, and nothing of it is kept here: an established connection does not pay for it.
async fn connect(present: Present, incoming: Incoming) {
    let worker = Rc::clone(&present.0);
    let Incoming { socket, at, route, load } = incoming;
    let _watch = worker.local.shared.panics.watch("connection");
    if let Some(connection) = Box::pin(worker.start_up(socket, at, route)).await {
        let _listed = worker.list(Rc::clone(connection.link()));
        connection.await;
    }
    drop(load);
}
