//! Batches by way of the journal: noted there second by second, put there when they are closed, carried to the store by a
//! task of its own, oldest first. Whoever puts one waits for the disk alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::delivery::Delivery;
use super::parts::Parts;
use super::spool::{Error, Spool};
use crate::base::telemetry::{Dropped, LogGate};
use crate::base::units::{Nanos, WallTime};

/// A disk that fails is asked again.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// A journal that is being emptied.
#[derive(Debug)]
pub(super) struct Journal {
    spool: Shared,
    put: Arc<Notify>,
    ending: CancellationToken,
    carrier: JoinHandle<()>,
    parts: Parts,
    failures: LogGate,
}

/// Locked for one access to the disk, on a thread that may wait for it.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Spool>>);

impl Shared {
    async fn with<T: Send + 'static>(
        &self,
        access: impl FnOnce(&mut Spool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let spool = Arc::clone(&self.0);
        let access = move || access(&mut spool.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(access).await;
        done.unwrap_or_else(|error| Err(Error::Task(error)))
    }
}

impl Journal {
    /// Begins with what is in it.
    pub(super) fn start(mut spool: Spool, delivery: Delivery, idle_close: Duration, parts: Parts) -> Self {
        if let Ok(left @ 1..) = spool.batches() {
            tracing::info!(batches = left, bytes = spool.bytes(), "the journal holds batches of an earlier life");
        }
        if let executions @ 1.. = spool.take_lost() {
            parts.telemetry.dropped(Dropped::Spool, executions);
            tracing::error!(executions, "the journals of earlier lives don't fit into one: some are gone");
        }
        let (spool, put) = (Shared(Arc::new(Mutex::new(spool))), Arc::new(Notify::new()));
        let ending = CancellationToken::new();
        let carrier = Carrier { spool: spool.clone(), delivery, put: Arc::clone(&put), ending: ending.clone() };
        let carrier = tokio::spawn(carrier.run(idle_close, parts.clone()));
        Self { spool, put, ending, carrier, parts, failures: LogGate::default() }
    }

    /// Returns when parts of batches that are not closed are with the system, so that they outlive this process.
    pub(super) async fn note(&self, parts: Vec<Batch>) {
        let noted = self.spool.with(move |spool| parts.iter().try_for_each(|part| spool.note(part))).await;
        if let Err(error) = noted
            && let Some(suppressed) = self.failures.open(self.parts.clock.stamp(), Nanos::from_millis(60_000))
        {
            tracing::warn!(%error, suppressed, "the open minute is in memory alone: the process's death would cost it");
        }
    }

    /// Returns when the batch is on disk. What had to go for it is counted.
    pub(super) async fn put(&self, batch: Batch) {
        let calls = batch.calls();
        match self.spool.with(move |spool| spool.close(&batch)).await {
            Ok(gone) if gone.is_empty() => {}
            Ok(gone) => {
                let calls = gone.iter().map(Batch::calls).sum();
                self.parts.telemetry.dropped(Dropped::Spool, calls);
                tracing::error!(
                    batches = gone.len(),
                    executions = calls,
                    "the journal is full: its oldest batches are gone"
                );
            }
            Err(error) => {
                self.parts.telemetry.dropped(Dropped::Spool, calls);
                tracing::error!(%error, executions = calls, "a batch was not journaled, and is lost");
            }
        }
        self.put.notify_one();
    }

    /// Returns when all is in the store, or no time is left; the rest stays on disk.
    pub(super) async fn end(self) {
        self.ending.cancel();
        if let Err(error) = self.carrier.await {
            tracing::error!(%error, "the journal was not emptied");
        }
    }
}

/// Who empties it.
struct Carrier {
    spool: Shared,
    delivery: Delivery,
    put: Arc<Notify>,
    ending: CancellationToken,
}

impl Carrier {
    async fn run(mut self, idle_close: Duration, parts: Parts) {
        loop {
            let first = self.spool.with(|spool| Ok((spool.first()?, spool.take_lost()))).await;
            let first = first.map(|(first, lost)| {
                parts.telemetry.dropped(Dropped::Spool, lost);
                first
            });
            match first {
                Ok(Some((key, batch))) => {
                    let since = batch.buckets().map(|(first, _)| WallTime::from_unix_micros(first + 60_000_000));
                    parts.status.waiting(since);
                    if !self.delivery.deliver(&batch).await {
                        return;
                    }
                    if let Err(error) = self.spool.with(move |spool| spool.remove(key)).await {
                        // It is written again, and its key says that it is there.
                        tracing::error!(%error, "a batch that was written stays in the journal");
                        sleep(DISK_PAUSE).await;
                    }
                }
                Ok(None) if self.ending.is_cancelled() => return,
                Ok(None) => {
                    parts.status.waiting(None);
                    tokio::select! {
                        () = self.put.notified() => {}
                        () = self.ending.cancelled() => {}
                        () = sleep(idle_close), if self.delivery.is_connected() => self.delivery.close(),
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the journal can't be read");
                    if self.ending.is_cancelled() {
                        return;
                    }
                    sleep(DISK_PAUSE).await;
                }
            }
        }
    }
}
