//! Writes closed minutes every `flush_interval`, for as long as it takes: what can't be written yet waits here, behind it
//! in the channel, and behind that in the outbox, where it gets coarser. Nobody waits for it.
//!
//! Nothing is written, and no connection kept, when nothing happened: databases that sleep stay asleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};

use super::batch::{Batch, Origin};
use super::error::Error;
use super::known::Known;
use super::link::Link;
use super::settings::Settings;
use super::status::Status;
use super::verdict::Verdict;
use super::write::{Writing, Written};
use crate::base::telemetry::{Dropped, LogGate, Telemetry};
use crate::base::units::{Nanos, WallTime};
use crate::runtime::clock::{Clock, chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::stats::level::Thresholds;
use crate::stats::minutes::Minutes;

/// Rows that are not left waiting for the interval's end.
const ROWS_MAX: usize = 20_000;
/// One attempt to write a batch.
const ATTEMPT_MAX: Duration = Duration::from_secs(90);
/// Without a minute for so long the store is told that we are idle.
const QUIET: Duration = Duration::from_secs(130);
/// From the flushing phase on, for everything that is left.
const FINAL: Duration = Duration::from_secs(5);
/// Pauses between attempts in that time.
const FINAL_PAUSE: Duration = Duration::from_millis(200);
/// A difference of clocks that is worth a line.
const OFFSET_SAID: i64 = 5_000_000;

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
    link: Option<Link>,
    known: Known,
    sequence: i64,
    failures: LogGate,
}

impl Flusher {
    /// One that has written nothing.
    pub fn new(settings: Settings, parts: Parts) -> Self {
        Self { settings, parts, link: None, known: Known::default(), sequence: 0, failures: LogGate::default() }
    }

    /// Runs until nobody sends minutes any more, and then for as long as the end allows.
    pub async fn run(mut self, mut minutes: mpsc::Receiver<Minutes>) {
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
                    pending.push(received);
                    self.parts.status.waiting(oldest(&pending));
                    if rows(&pending) > ROWS_MAX {
                        due = deadline(Duration::ZERO);
                    }
                }
                () = sleep_until(due), if !pending.is_empty() => {
                    self.write(std::mem::take(&mut pending), false).await;
                    active = true;
                    (quiet, close) = (deadline(QUIET), deadline(self.settings.idle_close));
                }
                () = sleep_until(quiet), if active && pending.is_empty() => {
                    self.write(Vec::new(), true).await;
                    active = false;
                    close = deadline(self.settings.idle_close);
                }
                () = sleep_until(close), if self.link.is_some() => self.link = None,
            }
        }
        if active || !pending.is_empty() {
            self.write(pending, true).await;
        }
    }

    /// Returns when they are written, or given up at the process's end.
    async fn write(&mut self, minutes: Vec<Minutes>, idle: bool) {
        self.sequence += 1;
        let now = self.parts.clock.wall();
        let batch = Batch::new(&self.parts.origin, self.sequence, now, &minutes, &self.parts.levels, idle);
        let to = minutes.iter().flat_map(|minutes| &minutes.spans).map(|span| span.to()).max();
        drop(minutes);
        if self.deliver(&batch).await {
            let id = self.link.as_ref().and_then(|link| link.known(&batch.origin));
            if let Some(id) = id {
                self.parts.status.committed(id.instance_id, batch.sequence, to);
            }
        } else {
            self.parts.telemetry.dropped(Dropped::Unwritten, batch.calls());
            tracing::error!(executions = batch.calls(), rows = batch.rows(), "not written before the end");
        }
        self.parts.status.waiting(None);
    }

    async fn deliver(&mut self, batch: &Batch) -> bool {
        let mut attempt = 0;
        let ending = self.parts.shutdown.clone();
        loop {
            let asked = self.parts.clock.stamp();
            let ended = async {
                ending.reached(Phase::Flushing).await;
                sleep(FINAL).await;
            };
            let done = tokio::select! {
                done = tokio::time::timeout(ATTEMPT_MAX, self.attempt(batch)) => {
                    done.unwrap_or(Err(Error::Timeout(ATTEMPT_MAX.as_secs())))
                }
                () = ended => return false,
            };
            let error = match done {
                Ok(Written { rows, bytes }) => {
                    self.parts.status.wrote(rows, bytes, self.parts.clock.stamp().since(asked));
                    return true;
                }
                Err(error) => error,
            };
            attempt += 1;
            self.failed(&error, batch);
            let pause = error.verdict().pause(attempt);
            if !self.pause(pause + chance(pause / 2)).await {
                return false;
            }
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Written, Error> {
        let link = match self.link.take().filter(Link::is_open) {
            Some(link) => link,
            None => self.open().await?,
        };
        let link = self.link.insert(link);
        let ids = link.register(&batch.origin).await?;
        self.known.tell(link, batch).await?;
        let now = self.parts.clock.wall().unix_micros();
        Writing::new(link, batch, ids, now, &self.parts.telemetry).run().await
    }

    async fn open(&mut self) -> Result<Link, Error> {
        let link = Link::open(&self.settings, self.parts.clock).await?;
        self.parts.status.measured_offset(link.offset_us);
        if link.offset_us.abs() > OFFSET_SAID {
            let seconds = link.offset_us / 1_000_000;
            tracing::warn!(
                seconds,
                "the store's clock is ahead of ours by so much, or behind; buckets follow the store's"
            );
        }
        Ok(link)
    }

    fn failed(&mut self, error: &Error, batch: &Batch) {
        // What goes wrong inside a transaction may leave a connection in any state; a new one is cheap.
        self.link = None;
        if error.verdict() == Verdict::Later {
            self.known.forget();
        }
        self.parts.status.failed();
        if let Some(suppressed) = self.failures.open(self.parts.clock.stamp(), Nanos::from_millis(60_000)) {
            let (rows, advice) = (batch.rows(), error.advice());
            tracing::warn!(%error, code = error.label(), rows, suppressed, "the store was not written to; {advice}");
        }
    }

    /// False when there is no time left.
    async fn pause(&self, pause: Duration) -> bool {
        let shutdown = &self.parts.shutdown;
        if shutdown.phase() >= Phase::Flushing {
            sleep(FINAL_PAUSE.min(pause)).await;
            return true;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.reached(Phase::Flushing) => {}
        }
        true
    }
}

fn oldest(pending: &[Minutes]) -> Option<WallTime> {
    pending.iter().flat_map(|minutes| &minutes.spans).map(|span| span.to()).min()
}

fn rows(pending: &[Minutes]) -> usize {
    pending.iter().flat_map(|minutes| &minutes.spans).map(|span| span.series().count()).sum()
}
