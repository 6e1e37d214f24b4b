//! The router, and the server's life from bind to drain.

use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Uri, header};
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use axum::serve::Listener;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::listener::{CONNECTIONS_MAX, Limited};
use super::problem::{Kind, Problem};
use super::{Settings, Sources, api, auth, dashboard, health, metrics, session};

/// Answers under way at the end have so long to get out.
const DRAIN_MAX: Duration = Duration::from_secs(5);

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
        .route("/api/cron/hourly-monitoring", starts(api::cron::hourly_monitoring))
        .route("/api/cron/daily-maintenance", starts(api::cron::daily_maintenance))
        .route("/openapi.json", get(api::openapi::openapi))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), auth::guard))
        .with_state(app)
}

/// A job: HEAD, which asks for nothing to be done (RFC 9110 §9.2.1), does not start it.
fn starts<T: 'static>(job: impl Handler<T, App>) -> MethodRouter<App> {
    let refused = async || ([(header::ALLOW, "GET,POST")], method_not_allowed().await);
    get(job.clone()).post(job).head(refused).fallback(refused)
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
