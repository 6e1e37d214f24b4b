//! The HTTP side: API, metrics, health, all read from a [`LiveView`]. Knows nothing of the data plane.
//!
//! Reading order: [`server`] router and life cycle, [`app`] what every handler knows, [`listener`] limits on connections,
//! [`auth`] who may ask, [`session`] how a browser signs in, [`problem`] how errors are told, [`api`] the endpoints that answer
//! in JSON, [`metrics`] Prometheus, [`health`] for orchestrators, [`dashboard`] the page
//! that shows it all.
//!
//! Nothing here writes but what people do about an alert, so every other endpoint is a GET (but for signing in and out), and an
//! answer never holds up a worker: views are immutable.

mod api;
mod app;
mod auth;
mod dashboard;
mod health;
mod listener;
mod metrics;
mod problem;
mod server;
mod session;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::base::secret::Secret;
use crate::base::telemetry::Telemetry;
use crate::jobs::ledger::Ledger;
use crate::jobs::presence::Role;
use crate::jobs::run::Jobs;
use crate::runtime::listen::Address;
use crate::runtime::task::Panics;
use crate::stats::live::LiveView;
use crate::store::read::Reader;
use crate::store::status::Status;

pub use server::{router, serve};

/// What the owner may set, and who this process is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the listener is bound, an IP address or a Unix socket; decides whether a token is asked for (DESIGN §8).
    pub listen: Address,
    /// `http_token`: what the API wants when it is bound elsewhere than to loopback.
    pub token: Option<Secret<String>>,
    /// `CRON_SECRET`: what the cron endpoints want, wherever it is bound; without one they are closed.
    pub cron_secret: Option<Secret<String>>,
    /// This process's name among its kin.
    pub instance: String,
    /// The service that this process belongs to.
    pub service: String,
    /// Names of the monitored servers, one per route.
    pub servers: Vec<String>,
    /// What this process is in a fleet: who serves has no memory of statements to answer from.
    pub role: Role,
}

impl Settings {
    /// Keys whose values differ in `new`; none of them changes while it serves.
    pub fn changed(&self, new: &Settings) -> Vec<&'static str> {
        let same = [
            ("http", self.listen == new.listen),
            ("http_token", self.token == new.token),
            ("cron_secret", self.cron_secret == new.cron_secret),
            ("service", self.service == new.service),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

/// What the answers are read from.
#[derive(Clone)]
pub struct Sources {
    /// The newest view of memory.
    pub live: watch::Receiver<LiveView>,
    /// What was not measured, and why.
    pub telemetry: Arc<Telemetry>,
    /// Panics of tasks and workers.
    pub panics: Panics,
    /// Whether the data plane can serve; without one, whether the store answers.
    pub ready: Arc<dyn Ready>,
    /// The monitoring tables, where there are any.
    pub store: Option<Stored>,
    /// The alerts.
    pub alerts: Ledger,
    /// Jobs, for whoever starts one, and what they saw.
    pub jobs: Jobs,
}

/// The store, as answers and metrics need it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Who asks it.
    pub reader: Reader,
    /// How far this process's writer has come.
    pub status: Arc<Status>,
}

/// Says whether traffic can be served: not draining, and the upstream answers (DESIGN §8), or the store where no traffic is.
pub trait Ready: Send + Sync {
    /// `Err` with the reason when it can't.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}
