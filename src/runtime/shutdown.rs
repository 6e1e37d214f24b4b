//! The phases of an end: serving → draining → flushing → stopped (LAYOUT §6), and the signals that ask for it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Where the process stands. Phases only go forward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// As usual.
    Serving,
    /// The end was asked for; sessions may still finish.
    Draining,
    /// Sessions end at once; what was measured is handed over.
    Flushing,
    /// Nothing is left to do.
    Stopped,
}

/// Moves the phase on. Cloned to everybody who may ask for the end.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Sender<Phase>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }
}

impl Shutdown {
    /// Goes to `phase`, unless that lies behind.
    pub fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|current| {
            let forward = *current < phase;
            if forward {
                tracing::info!(from = ?*current, to = ?phase, "phase");
                *current = phase;
            }
            forward
        });
    }

    /// Where the process stands now.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Returns once `phase` or a later one has come.
    pub async fn reached(&self, phase: Phase) {
        let mut watch = self.0.subscribe();
        // The sender lives in `self`, so the channel can't be closed.
        drop(watch.wait_for(|current| *current >= phase).await);
    }
}

/// Signals of the owner. From [`Signals::catch`] on none of them ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes them over. Must be called inside a runtime that drives IO.
    ///
    /// # Errors
    /// When the system lets no handler be installed.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Follows SIGTERM (drain; a second one ends at once), SIGINT (ends at once) and SIGHUP (calls `reload`) until the
    /// process has stopped.
    pub async fn follow(mut self, shutdown: &Shutdown, mut reload: impl FnMut()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {
                    let drained = shutdown.phase() >= Phase::Draining;
                    shutdown.advance(if drained { Phase::Flushing } else { Phase::Draining });
                }
                _ = self.interrupt.recv() => shutdown.advance(Phase::Flushing),
                _ = self.hangup.recv() => reload(),
                () = shutdown.reached(Phase::Stopped) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_go_forward() {
        let shutdown = Shutdown::default();
        shutdown.advance(Phase::Flushing);
        shutdown.advance(Phase::Draining);
        assert_eq!(shutdown.phase(), Phase::Flushing);
        shutdown.reached(Phase::Draining).await;
    }

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let shutdown = Shutdown::default();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.reached(Phase::Draining).await }
        });
        shutdown.advance(Phase::Draining);
        waiting.await.unwrap();
    }
}
