//! Accepts on one listener and hands each socket to the worker with the fewest connections.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::shared::{Count, Shared};
use super::worker::Incoming;
use crate::base::telemetry::LogGate;
use crate::base::units::Nanos;
use crate::runtime::listen::{Accepted, Listener};
use crate::runtime::shutdown::Phase;

/// The pause when the process has no descriptor or no memory left: the socket that waits would fail again at once.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);
/// At most one line in so long says that accepting fails.
const ERROR_LOG: Nanos = Nanos::from_millis(10_000);

/// A worker's door.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) inbox: mpsc::Sender<Incoming>,
    pub(crate) load: Count,
}

/// Accepts until the flushing phase: while draining, requests to cancel still come.
pub(crate) async fn run(shared: Arc<Shared>, listener: Arc<Listener>, route: usize, doors: Arc<[Door]>) {
    let errors = LogGate::default();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok(socket) => hand_over(&shared, socket, route, &doors).await,
                Err(error) if is_the_clients(error.kind()) => {}
                Err(error) => {
                    if let Some(suppressed) = errors.open(shared.clock.stamp(), ERROR_LOG) {
                        let listen = listener.local();
                        tracing::error!(%listen, %error, suppressed, "cannot accept; raise the limit of open files if it says so");
                    }
                    tokio::time::sleep(SHORTAGE_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shared.shutdown.reached(Phase::Flushing) => {}
    }
}

/// Errors of `accept(2)` that tell of the one connection only, which is gone.
fn is_the_clients(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

async fn hand_over(shared: &Shared, socket: Accepted, route: usize, doors: &[Door]) {
    let Some(door) = doors.iter().min_by_key(|door| door.load.now()) else { return };
    let incoming = Incoming { socket, at: shared.clock.stamp(), route, load: door.load.enter() };
    // A full inbox holds up this listener alone; a closed one means that the process ends.
    drop(door.inbox.send(incoming).await);
}
