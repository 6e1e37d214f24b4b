//! Named long-lived tasks: restarted with a growing pause when they panic, counted, waited for at the end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinHandle;

/// The pause before the first restart; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Counts panics of tasks, worker threads among them. Shared by reference.
#[derive(Clone, Debug, Default)]
pub struct Panics(Arc<AtomicU64>);

impl Panics {
    /// One more, of the task `name`; says after which pause it starts again.
    pub fn count(&self, name: &str) -> Duration {
        let before = self.0.fetch_add(1, Relaxed);
        tracing::error!(task = name, "a task panicked; it starts again");
        pause(before)
    }

    /// Counts a panic of the task `name` that holds what is returned; for tasks that don't start again.
    pub fn watch(&self, name: &'static str) -> Watch {
        Watch { panics: self.clone(), name }
    }

    /// How many so far.
    pub fn total(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// See [`Panics::watch`].
#[derive(Debug)]
pub struct Watch {
    panics: Panics,
    name: &'static str,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.panics.0.fetch_add(1, Relaxed);
            tracing::error!(task = self.name, "a task panicked; it ends, the others go on");
        }
    }
}

/// The pause after `panics` earlier ones.
fn pause(panics: u64) -> Duration {
    let doublings = u32::try_from(panics).unwrap_or(u32::MAX).min(16);
    PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX)
}

/// The long-lived tasks of a process, by name.
#[derive(Debug, Default)]
pub struct Tasks {
    running: Vec<(&'static str, JoinHandle<()>)>,
    panics: Panics,
}

impl Tasks {
    /// Tasks whose panics are counted in `panics`.
    pub fn new(panics: Panics) -> Self {
        Self { running: Vec::new(), panics }
    }

    /// Starts `make()`, and again whenever it panics; it is over when it returns.
    pub fn spawn<F>(&mut self, name: &'static str, mut make: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let panics = self.panics.clone();
        let run = async move {
            while tokio::spawn(make()).await.is_err_and(|error| error.is_panic()) {
                tokio::time::sleep(panics.count(name)).await;
            }
        };
        self.running.push((name, tokio::spawn(run)));
    }

    /// Waits until all are over, at most `limit`; names those that are late and leaves them.
    pub async fn join(self, limit: Duration) {
        let deadline = crate::runtime::clock::deadline(limit);
        for (name, task) in self.running {
            if tokio::time::timeout_at(deadline, task).await.is_err() {
                tracing::warn!(task = name, "a task did not end in time");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_counted_and_starts_again() {
        let panics = Panics::default();
        let mut tasks = Tasks::new(panics.clone());
        let starts = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&starts);
        tasks.spawn("shaky", move || {
            let nth = counter.fetch_add(1, Relaxed);
            async move { assert!(nth >= 2, "the first two fail") }
        });
        tasks.join(Duration::from_secs(60)).await;
        assert_eq!((starts.load(Relaxed), panics.total()), (3, 2));
    }

    #[tokio::test]
    async fn a_task_that_is_watched_and_panics_is_counted() {
        let panics = Panics::default();
        for fails in [false, true] {
            let watch = panics.watch("once");
            let task = tokio::spawn(async move {
                let _watch = watch;
                assert!(!fails, "the second fails");
            });
            assert_eq!(task.await.is_err(), fails);
        }
        assert_eq!(panics.total(), 1);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        assert_eq!(pause(0), PAUSE_MIN);
        assert_eq!(pause(1), PAUSE_MIN * 2);
        assert_eq!(pause(u64::MAX), PAUSE_MAX);
    }
}
