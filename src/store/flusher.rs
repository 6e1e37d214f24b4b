//! Writes closed minutes every `flush_interval`, for as long as it takes: what can't be written yet waits here, behind it
//! in the channel, and behind that in the outbox, where it gets coarser. Nobody waits for it. With a journal it is handed
//! each second, which goes to disk first, and adds up minutes itself.
//!
//! Nothing is written, and no connection kept, when nothing happened: databases that sleep stay asleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::batch::Batch;
use super::delivery::Delivery;
use super::journal::Journal;
use super::open::Open;
use super::parts::Parts;
use super::settings::Settings;
use super::spool::Spool;
use crate::base::telemetry::Dropped;
use crate::base::units::WallTime;
use crate::runtime::clock::deadline;
use crate::stats::live::LiveView;
use crate::stats::minutes::{Minutes, Pace};

/// Rows that are not left waiting for the interval's end.
const ROWS_MAX: usize = 20_000;
/// Without a minute for so long the store is told that we are idle: the first minute without statements is over, and had
/// it had any they would be here. Before 2 minutes are over, after which who is silent and not idle is late.
const QUIET: Duration = Duration::from_secs(75);

/// The writer of one process.
#[derive(Debug)]
pub struct Flusher {
    settings: Settings,
    parts: Parts,
    live: watch::Receiver<LiveView>,
    open: Open,
}

impl Flusher {
    /// One that has written nothing. `live` tells what the process has counted, which the store is told as its cost.
    pub fn new(settings: Settings, parts: Parts, live: watch::Receiver<LiveView>) -> Self {
        let open = Open::new(Arc::clone(&parts.origin), parts.levels);
        Self { settings, parts, live, open }
    }

    /// How often it wants to be handed what was measured.
    pub fn pace(settings: &Settings) -> Pace {
        if settings.spool_dir.is_some() { Pace::Second } else { Pace::Minute }
    }

    /// Runs until nobody sends minutes any more, and then for as long as the end allows.
    pub async fn run(mut self, mut minutes: mpsc::Receiver<Minutes>) {
        let mut road = Road::new(&self.settings, &self.parts, self.live.clone());
        let mut active = false;
        let (mut due, mut quiet, mut close) = (deadline(QUIET), deadline(QUIET), deadline(QUIET));
        loop {
            tokio::select! {
                received = minutes.recv() => {
                    let Some(received) = received else { break };
                    let first = self.open.is_empty();
                    if first {
                        due = deadline(self.settings.flush_interval);
                    }
                    // Closed minutes, or by the second the begin of a rhythm.
                    if !received.spans.is_empty() && (first || Self::pace(&self.settings) == Pace::Minute) {
                        due = due.min(deadline(self.settings.spread()));
                    }
                    let parts = self.open.add(&received, self.parts.clock.wall());
                    road.note(parts, self.open.oldest()).await;
                    if self.open.rows() > ROWS_MAX {
                        due = deadline(Duration::ZERO);
                    }
                }
                () = sleep_until(due), if !self.open.is_empty() => {
                    due = deadline(self.settings.flush_interval);
                    for batch in self.open.close(self.parts.clock.wall()) {
                        road.send(batch).await;
                        active = true;
                        (quiet, close) = (deadline(QUIET), deadline(self.settings.kept()));
                    }
                }
                () = sleep_until(quiet), if active && self.open.is_empty() => {
                    self.say_idle(&mut road).await;
                    active = false;
                    close = deadline(self.settings.kept());
                }
                () = sleep_until(close), if road.is_connected() => road.close(),
            }
        }
        let mut last = self.open.close_all();
        match last.pop() {
            Some(batch) => {
                for batch in last {
                    road.send(batch).await;
                }
                road.send(Batch { idle: true, ..batch }).await;
            }
            None if active => self.say_idle(&mut road).await,
            None => {}
        }
        road.end().await;
    }

    async fn say_idle(&mut self, road: &mut Road) {
        let batch = self.open.begin(self.parts.clock.wall());
        road.send(Batch { idle: true, ..batch }).await;
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
    fn new(settings: &Settings, parts: &Parts, live: watch::Receiver<LiveView>) -> Self {
        let delivery = Delivery::new(settings.clone(), parts.clone(), live);
        let Some(directory) = &settings.spool_dir else { return Self::Direct(Box::new(delivery), parts.clone()) };
        match Spool::open(directory, settings.spool_max, parts.status.spool()) {
            Ok(spool) => Self::Journal(Journal::start(spool, delivery, settings.kept(), parts.clone())),
            Err(error) => {
                tracing::error!(%error, "no journal: minutes wait in memory alone");
                Self::Direct(Box::new(delivery), parts.clone())
            }
        }
    }

    /// What came for batches that are not closed; the oldest ends at `oldest`.
    async fn note(&mut self, parts: Vec<Batch>, oldest: Option<WallTime>) {
        match self {
            Self::Direct(_, given) => given.status.waiting(oldest),
            Self::Journal(journal) => journal.note(parts).await,
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
