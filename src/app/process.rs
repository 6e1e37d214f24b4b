//! What every process has: threads for what moves no bytes, tasks that are watched, somebody who tells people.

use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::base::telemetry::Telemetry;
use crate::jobs::judge;
use crate::jobs::tell;
use crate::notify;
use crate::notify::notifier::Notifier;
use crate::runtime::clock::Clock;
use crate::runtime::task::{Panics, Watch};
use crate::stats::live::LiveView;

/// Threads for everything but moving bytes: HTTP, harvests, accepting. Two, so that a long answer holds up nobody.
const CONTROL_THREADS: usize = 2;

/// The name of the inherited socket that is HTTP's (systemd's `FileDescriptorName`).
pub(super) const HTTP_SOCKET: &str = "http";

/// The runtime of everything but moving bytes.
pub(super) fn control() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
        .context("no runtime for the control side")
}

/// A task whose panic is counted and said.
pub(super) async fn watched(watch: Watch, task: impl Future<Output = ()>) {
    let _watch = watch;
    task.await;
}

/// Names keys whose new values wait for a restart.
pub(super) fn name_fixed(fixed: Vec<&'static str>) {
    for key in fixed {
        tracing::warn!(key, "this setting changes with a restart only; the old value stays");
    }
    tracing::info!("settings reloaded");
}

/// Starts who judges alerts, and who tells people of them.
pub(super) fn judging(
    control: &Runtime,
    parts: judge::Parts,
    people: notify::settings::Settings,
    live: tokio::sync::watch::Receiver<LiveView>,
    upstreams: Arc<dyn judge::Upstreams>,
    panics: &Panics,
) -> JoinHandle<()> {
    if let Some(notifier) = notifier(people, &parts.telemetry, parts.clock) {
        let tell = tell::run(parts.ledger.clone(), notifier, parts.clock, parts.shutdown.clone());
        control.spawn(watched(panics.watch("notifier"), tell));
    }
    let judge = judge::run(parts, live, upstreams);
    control.spawn(watched(panics.watch("judge of alerts"), judge))
}

/// Who tells people; `None` without a channel. That nobody can be told must not stop the process.
fn notifier(settings: notify::settings::Settings, telemetry: &Arc<Telemetry>, clock: Clock) -> Option<Arc<Notifier>> {
    if settings.channels().is_empty() {
        return None;
    }
    match Notifier::new(settings, Arc::clone(telemetry), clock) {
        Ok(notifier) => Some(Arc::new(notifier)),
        Err(error) => {
            tracing::error!(%error, "nobody is told of alerts");
            None
        }
    }
}
