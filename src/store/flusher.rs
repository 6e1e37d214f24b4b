//! Writes closed minutes every `flush_interval`, for as long as it takes: what can't be written yet waits here, behind it
//! in the channel, and behind that in the outbox, where it gets coarser. Nobody waits for it.
//!
//! Nothing is written, and no connection kept, when nothing happened: databases that sleep stay asleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::batch::{Batch, Origin};
use super::delivery::Delivery;
use super::journal::Journal;
use super::settings::Settings;
use super::spool::Spool;
use super::status::Status;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::WallTime;
use crate::runtime::clock::{Clock, deadline};
use crate::runtime::shutdown::Shutdown;
use crate::stats::level::Thresholds;
use crate::stats::minutes::Minutes;

/// Rows that are not left waiting for the interval's end.
const ROWS_MAX: usize = 20_000;
/// Without a minute for so long the store is told that we are idle.
const QUIET: Duration = Duration::from_secs(130);

/// What a flusher is given beside its settings.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Whose minutes.
    pub origin: Arc<Origin>,
    /// Levels of slow executions.
    pub levels: Thresholds,
    /// pgvitals' counters about itself.
    pub telemetry: Arc<Telemetry>,
    /// The process's clock.
    pub clock: Clock,
    /// The process's phases.
    pub shutdown: Shutdown,
    /// Where it tells how far it has come.
    pub status: Arc<Status>,
}

/// The writer of one process.
#[derive(Debug)]
pub struct Flusher {
    settings: Settings,
    parts: Parts,
    sequence: i64,
}

impl Flusher {
    /// One that has written nothing.
    pub fn new(settings: Settings, parts: Parts) -> Self {
        Self { settings, parts, sequence: 0 }
    }

    /// Runs until nobody sends minutes any more, and then for as long as the end allows.
    pub async fn run(mut self, mut minutes: mpsc::Receiver<Minutes>) {
        let mut road = Road::new(&self.settings, &self.parts);
        let mut pending: Vec<Minutes> = Vec::new();
        let mut active = false;
        let (mut due, mut quiet, mut close) = (deadline(QUIET), deadline(QUIET), deadline(QUIET));
        loop {
            tokio::select! {
                received = minutes.recv() => {
                    let Some(received) = received else { break };
                    if pending.is_empty() {
                        due = deadline(self.settings.flush_interval);
                    }
                    if !received.spans.is_empty() {
                        due = due.min(deadline(self.settings.spread()));
                    }
                    pending.push(received);
                    self.parts.status.waiting(oldest(&pending));
                    if rows(&pending) > ROWS_MAX {
                        due = deadline(Duration::ZERO);
                    }
                }
                () = sleep_until(due), if !pending.is_empty() => {
                    let batch = self.batch(std::mem::take(&mut pending), false);
                    road.send(batch).await;
                    active = true;
                    (quiet, close) = (deadline(QUIET), deadline(self.settings.kept()));
                }
                () = sleep_until(quiet), if active && pending.is_empty() => {
                    let batch = self.batch(Vec::new(), true);
                    road.send(batch).await;
                    active = false;
                    close = deadline(self.settings.kept());
                }
                () = sleep_until(close), if road.is_connected() => road.close(),
            }
        }
        if active || !pending.is_empty() {
            let batch = self.batch(pending, true);
            road.send(batch).await;
        }
        road.end().await;
    }

    fn batch(&mut self, minutes: Vec<Minutes>, idle: bool) -> Batch {
        self.sequence += 1;
        let now = self.parts.clock.wall();
        Batch::new(&self.parts.origin, self.sequence, now, &minutes, &self.parts.levels, idle)
    }
}

/// How batches get to the store.
#[derive(Debug)]
enum Road {
    /// From memory: the next one waits until this one is there.
    Direct(Box<Delivery>, Parts),
    /// By way of the journal: they wait on disk.
    Journal(Journal),
}

impl Road {
    fn new(settings: &Settings, parts: &Parts) -> Self {
        let delivery = Delivery::new(settings.clone(), parts.clone());
        let Some(directory) = &settings.spool_dir else { return Self::Direct(Box::new(delivery), parts.clone()) };
        match Spool::open(directory, settings.spool_max, parts.status.spool_bytes()) {
            Ok(spool) => Self::Journal(Journal::start(spool, delivery, settings.kept(), parts.clone())),
            Err(error) => {
                tracing::error!(%error, "no journal: minutes wait in memory alone");
                Self::Direct(Box::new(delivery), parts.clone())
            }
        }
    }

    async fn send(&mut self, batch: Batch) {
        match self {
            Self::Direct(delivery, parts) => {
                if !delivery.deliver(&batch).await {
                    parts.telemetry.dropped(Dropped::Unwritten, batch.calls());
                    tracing::error!(executions = batch.calls(), rows = batch.rows(), "not written before the end");
                }
                parts.status.waiting(None);
            }
            Self::Journal(journal) => journal.put(batch).await,
        }
    }

    fn is_connected(&self) -> bool {
        matches!(self, Self::Direct(delivery, _) if delivery.is_connected())
    }

    fn close(&mut self) {
        if let Self::Direct(delivery, _) = self {
            delivery.close();
        }
    }

    async fn end(self) {
        if let Self::Journal(journal) = self {
            journal.end().await;
        }
    }
}

fn oldest(pending: &[Minutes]) -> Option<WallTime> {
    pending.iter().flat_map(|minutes| &minutes.spans).map(|span| span.to()).min()
}

fn rows(pending: &[Minutes]) -> usize {
    let rows =
        |minutes: &Minutes| minutes.slow.len() + minutes.spans.iter().map(|span| span.series().count()).sum::<usize>();
    pending.iter().map(rows).sum()
}
