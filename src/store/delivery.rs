//! One batch after the other to the store, each for as long as it takes, or until the process's end leaves no more time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::batch::Batch;
use super::cost::Cost;
use super::error::Error;
use super::known::Known;
use super::link::Link;
use super::parts::Parts;
use super::settings::Settings;
use super::verdict::Verdict;
use super::write::{Writing, Written};
use crate::base::telemetry::LogGate;
use crate::base::units::{Nanos, WallTime};
use crate::runtime::clock::{chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::stats::live::LiveView;

/// One attempt to write a batch.
const ATTEMPT_MAX: Duration = Duration::from_secs(90);
/// From the flushing phase on, for everything that is left.
const FINAL: Duration = Duration::from_secs(5);
/// Pauses between attempts in that time.
const FINAL_PAUSE: Duration = Duration::from_millis(200);
/// A difference of clocks that is worth a line.
const OFFSET_SAID: i64 = 5_000_000;
/// Length of a bucket.
const MINUTE: Nanos = Nanos::from_millis(60_000);

/// Who carries batches to the store.
#[derive(Debug)]
pub(super) struct Delivery {
    settings: Settings,
    parts: Parts,
    live: watch::Receiver<LiveView>,
    link: Option<Link>,
    known: Known,
    /// Which tables they are told to.
    tables: Option<u32>,
    failures: LogGate,
    /// When nothing more is tried; begins to run in the flushing phase.
    end: Arc<OnceLock<Instant>>,
}

impl Delivery {
    /// Without a connection. `live` tells what the process has counted.
    pub(super) fn new(settings: Settings, parts: Parts, live: watch::Receiver<LiveView>) -> Self {
        let (known, failures, end) = (Known::default(), LogGate::default(), Arc::default());
        Self { settings, parts, live, link: None, known, tables: None, failures, end }
    }

    /// Whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Lets go of the connection.
    pub(super) fn close(&mut self) {
        self.link = None;
    }

    /// True when the batch is in the store; false when the process's end came first.
    pub(super) async fn deliver(&mut self, batch: &Batch) -> bool {
        let done = self.insist(batch).await;
        let id = self.link.as_ref().and_then(|link| link.known(&batch.origin));
        // What an earlier life left says nothing of ours.
        if let (true, Some(id)) = (done && *batch.origin == *self.parts.origin, id) {
            let to = batch.buckets().map(|(_, last)| WallTime::from_unix_micros(last).after(MINUTE));
            self.parts.status.committed(id.instance_id, batch.sequence, to);
        }
        done
    }

    async fn insist(&mut self, batch: &Batch) -> bool {
        let mut attempt = 0;
        let (shutdown, end) = (self.parts.shutdown.clone(), Arc::clone(&self.end));
        loop {
            let asked = self.parts.clock.stamp();
            let done = tokio::select! {
                done = tokio::time::timeout(ATTEMPT_MAX, self.attempt(batch)) => {
                    done.unwrap_or(Err(Error::Timeout(ATTEMPT_MAX.as_secs())))
                }
                () = over(&shutdown, &end) => return false,
            };
            let error = match done {
                Ok(Written { rows, bytes }) => {
                    if self.parts.status.found_room() {
                        tracing::info!("the store is as small as it must be: it is written to again");
                    }
                    let took = self.parts.clock.stamp().since(asked);
                    self.parts.status.wrote(rows, bytes, took, self.parts.clock.wall());
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
        if link.look_again(self.settings.max_size, &mut self.tables).await? {
            self.known.forget();
        }
        let ids = link.register(&batch.origin).await?;
        self.known.tell(link, batch).await?;
        let now = self.parts.clock.wall().unix_micros();
        // What an earlier life cost nobody knows any more.
        let cost = (*batch.origin == *self.parts.origin).then(|| {
            let view = self.live.borrow().clone();
            Cost::of(&view, &self.parts.telemetry)
        });
        Writing::new(link, batch, ids, now, &self.parts.telemetry, cost).run().await
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
        if let Error::Full { .. } = error {
            if self.parts.status.found_full() {
                tracing::error!(
                    %error,
                    "CRITICAL: nothing is written until the store is smaller or store.max_size larger; minutes wait"
                );
            }
            return;
        }
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

/// Returns when the time for all that is left is over, however often it is tried and for how many batches.
async fn over(shutdown: &Shutdown, end: &OnceLock<Instant>) {
    shutdown.reached(Phase::Flushing).await;
    sleep_until(*end.get_or_init(|| deadline(FINAL))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that refused each attempt at once held up the end for three times as long as a pod's grace leaves.
    #[tokio::test(start_paused = true)]
    async fn all_that_is_left_has_five_seconds_together() {
        let (shutdown, end) = (Shutdown::default(), OnceLock::new());
        shutdown.advance(Phase::Flushing);
        let begin = deadline(Duration::ZERO);
        for attempt in 0..10 {
            let is_over = tokio::time::timeout(Duration::from_secs(1), over(&shutdown, &end)).await.is_ok();
            assert_eq!(is_over, attempt >= 4, "{attempt}");
        }
        assert_eq!(begin.elapsed(), FINAL);
    }
}
