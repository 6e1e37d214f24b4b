//! Timers for threads whose own runtime has none.
//!
//! A runtime with a time driver arms a kernel timer whenever it parks, so every statement would pay for the one timer
//! of its worker. Workers therefore have IO only, and what they wait for in time is kept by the control runtime.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Sleep, Timeout};

/// The timers of one runtime, for use on any thread.
#[derive(Clone, Debug)]
pub struct Timers(Handle);

impl Timers {
    /// Those of the runtime that this is called in.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn current() -> Self {
        Self(Handle::current())
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let _entered = self.0.enter();
        tokio::time::sleep(duration)
    }

    /// Waits for `future`, at most `limit`.
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        let _entered = self.0.enter();
        tokio::time::timeout(limit, future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_without_time_waits_on_the_timers_of_another() {
        let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let timers = control.block_on(async { Timers::current() });
        let worker = tokio::runtime::Builder::new_current_thread().build().unwrap();
        worker.block_on(async {
            timers.sleep(Duration::from_millis(1)).await;
            assert!(timers.timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
            assert_eq!(timers.timeout(Duration::from_secs(60), async { 7 }).await, Ok(7));
        });
    }
}
