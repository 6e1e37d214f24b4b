//! The router, and the server's life from bind to drain.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use axum::middleware;
use axum::routing::{get, post};
use axum::serve::Listener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::listener::{CONNECTIONS_MAX, Limited, Patience};
use super::problem::{Kind, Problem};
use super::{Settings, Sources, api, auth, dashboard, health, metrics, session};
use crate::jobs::presence::Role;
use crate::stats::live::LiveView;

/// Answers computed at a time: large ones take milliseconds, and the workers want the cores.
const ANSWERS_AT_A_TIME: usize = 2;

/// Answers under way at the end have so long to get out.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// What every handler knows; shared, so cheap to clone.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

/// See [`App`].
pub(super) struct Shared {
    /// What the owner set.
    pub(super) settings: Settings,
    /// What answers are read from.
    pub(super) sources: Sources,
    /// Cancelled when the server goes; ends the streams, which would never end by themselves.
    pub(super) closing: CancellationToken,
    /// What was made of the last look at each server.
    pub(super) seen: api::seen::Cache,
    /// What changed in each server's statements.
    pub(super) changes: api::changes::Cache,
    /// Which servers the tables know, for who serves.
    pub(super) servers: api::servers::Known,
    /// What was not measured at all.
    pub(super) made_up: api::made_up::Cache,
    /// Held by whoever takes longer than a connection may be idle.
    pub(super) patience: Patience,
    turns: Semaphore,
}

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    fn new(mut settings: Settings, sources: Sources, closing: CancellationToken) -> Self {
        // Several routes may lead to one server.
        let mut names = HashSet::new();
        settings.servers.retain(|server| names.insert(server.clone()));
        let (patience, turns) = (Patience::default(), Semaphore::new(ANSWERS_AT_A_TIME));
        let (seen, changes, servers, made_up) = Default::default();
        Self(Arc::new(Shared { settings, sources, closing, seen, changes, servers, made_up, patience, turns }))
    }

    /// Whether this process measures; if not, the tables alone know.
    pub(super) fn measures(&self) -> bool {
        self.settings.role == Role::Sidecar
    }

    /// The newest view. The channel is borrowed no longer than it takes to clone a few pointers.
    pub(super) fn view(&self) -> LiveView {
        self.sources.live.borrow().clone()
    }

    /// Computes an answer on a thread that may be busy for a while, when its turn comes.
    pub(super) async fn compute<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&App, &LiveView) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.turns.acquire().await;
        let app = self.clone();
        let task = tokio::task::spawn_blocking(move || answer(&app, &app.view()));
        task.await.unwrap_or_else(|error| Err(Problem::new(Kind::Internal, error.to_string())))
    }
}

/// Every endpoint, with the rules of [`super::auth`] around them; for a listener, or a test that calls it in process.
pub fn router(settings: Settings, sources: Sources) -> Router {
    routes(App::new(settings, sources, CancellationToken::new()))
}

fn routes(app: App) -> Router {
    Router::new()
        .route("/", get(dashboard::index))
        .route("/assets/{*name}", get(dashboard::asset))
        .route(session::PATH, post(session::sign_in).delete(session::sign_out))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/performance", get(api::performance::performance))
        .route("/api/events", get(api::events::events))
        .route("/api/alerts/{id}/ack", post(api::alerts::ack))
        .route("/api/alerts/{id}/silence", post(api::alerts::silence))
        .route("/api/cron/hourly-monitoring", get(api::cron::hourly_monitoring).post(api::cron::hourly_monitoring))
        .route("/api/cron/daily-maintenance", get(api::cron::daily_maintenance).post(api::cron::daily_maintenance))
        .route("/openapi.json", get(api::openapi::openapi))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), auth::guard))
        .with_state(app)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("nothing is at {}; /openapi.json lists what there is", uri.path()))
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "every path here is read with GET; jobs are also started with POST, what people do about alerts is a POST, and \
         /api/session takes POST and DELETE",
    )
}

/// Serves HTTP on `listener`, TCP or Unix, until `shutdown` resolves and the answers under way are out, or 5 s later.
/// Takes tokio's listeners and [`crate::runtime::listen::Listener`].
///
/// # Errors
/// None at present: a failing accept is retried.
pub async fn serve<L>(
    listener: L,
    settings: Settings,
    sources: Sources,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    L: Listener,
    L::Addr: Debug,
{
    auth::announce(&settings);
    let closing = CancellationToken::new();
    let app = App::new(settings, sources, closing.clone());
    let limited = Limited::new(listener, CONNECTIONS_MAX, app.patience.clone());
    let served = axum::serve(limited, routes(app)).with_graceful_shutdown(closing.clone().cancelled_owned());
    let ended = async move {
        shutdown.await;
        closing.cancel();
        tokio::time::sleep(DRAIN_MAX).await;
    };
    tokio::select! {
        result = served.into_future() => result,
        () = ended => Ok(()),
    }
}
