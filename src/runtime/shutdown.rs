//! The phases of an end: serving → draining → flushing → stopped (LAYOUT §6).

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

    /// Follows SIGTERM (drain; a second one ends at once) and SIGINT (ends at once) until the process has stopped.
    ///
    /// # Errors
    /// When the system lets no handler be installed.
    pub async fn follow_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        loop {
            tokio::select! {
                _ = terminate.recv() => {
                    let drained = self.phase() >= Phase::Draining;
                    self.advance(if drained { Phase::Flushing } else { Phase::Draining });
                }
                _ = interrupt.recv() => self.advance(Phase::Flushing),
                () = self.reached(Phase::Stopped) => return Ok(()),
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
