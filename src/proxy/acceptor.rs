//! Accepts on one listener and hands each socket to the worker with the fewest connections.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::DrainMode;
use super::shared::{Count, Shared};
use super::worker::Incoming;
use crate::base::telemetry::LogGate;
use crate::base::units::Nanos;
use crate::runtime::listen::{Accepted, Listener, Tenure};
use crate::runtime::shutdown::Phase;

/// The pause when the process has no descriptor or no memory left: the socket that waits would fail again at once.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);
/// How long handshakes that have begun at a listener are waited for: longer than a packet's way around the world, and
/// shorter than until who was turned away asks again.
const HANDSHAKE_MAX: Duration = Duration::from_millis(400);
/// At most one line in so long says that accepting fails.
const ERROR_LOG: Nanos = Nanos::from_millis(10_000);

/// A worker's door.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) inbox: mpsc::Sender<Incoming>,
    pub(crate) load: Count,
}

/// Accepts until its time is over, and leaves nobody behind at the listener (LAYOUT §6); but who waits at one that is lent
/// waits for the next process.
pub(crate) async fn run(shared: Arc<Shared>, listener: Arc<Listener>, route: usize, doors: Arc<[Door]>) {
    let acceptor = Acceptor { shared: &shared, listener: &listener, route, doors: &doors, errors: LogGate::default() };
    acceptor.until(over(&shared, listener.tenure())).await;
    if listener.tenure() == Tenure::Shared && listener.turn_away() {
        acceptor.until(tokio::time::sleep(HANDSHAKE_MAX)).await;
    }
    if listener.tenure() != Tenure::Lent {
        acceptor.the_waiting().await;
    }
    if listener.tenure() != Tenure::Own {
        tracing::info!(listen = %listener.local(), "others serve this address from here on");
    }
}

/// Returns when this process should not accept any more: at its end, as requests to cancel still come while it drains;
/// or as soon as others serve the address.
async fn over(shared: &Shared, tenure: Tenure) {
    let drains = match (tenure, shared.settings().drain_mode) {
        (Tenure::Shared, _) | (Tenure::Lent, DrainMode::Transactions) => true,
        (Tenure::Own, _) | (Tenure::Lent, DrainMode::Clients) => false,
    };
    shared.shutdown.reached(if drains { Phase::Draining } else { Phase::Flushing }).await;
}

/// What stands at one listener.
struct Acceptor<'a> {
    shared: &'a Shared,
    listener: &'a Listener,
    route: usize,
    doors: &'a [Door],
    errors: LogGate,
}

impl Acceptor<'_> {
    /// Accepts until `over`; what was accepted is handed over first.
    async fn until(&self, over: impl Future<Output = ()>) {
        let mut over = pin!(over);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut over => return,
            };
            match accepted {
                Ok(socket) => self.hand_over(socket).await,
                Err(error) if is_the_clients(error.kind()) => {}
                Err(error) => {
                    self.fails(&error);
                    tokio::time::sleep(SHORTAGE_PAUSE).await;
                }
            }
        }
    }

    /// Accepts who waits already.
    async fn the_waiting(&self) {
        loop {
            match self.listener.accept_waiting() {
                Ok(socket) => self.hand_over(socket).await,
                Err(error) if is_the_clients(error.kind()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return self.fails(&error),
            }
        }
    }

    fn fails(&self, error: &std::io::Error) {
        if let Some(suppressed) = self.errors.open(self.shared.clock.stamp(), ERROR_LOG) {
            let listen = self.listener.local();
            tracing::error!(%listen, %error, suppressed, "cannot accept; raise the limit of open files if it says so");
        }
    }

    async fn hand_over(&self, socket: Accepted) {
        let Some(door) = self.doors.iter().min_by_key(|door| door.load.now()) else { return };
        let (at, route) = (self.shared.clock.stamp(), self.route);
        let incoming = Incoming { socket, at, route, load: door.load.enter() };
        // A full inbox holds up this listener alone; a closed one means that the process ends.
        drop(door.inbox.send(incoming).await);
    }
}

/// Errors of `accept(2)` that tell of the one connection only, which is gone.
fn is_the_clients(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}
