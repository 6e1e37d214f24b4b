//! For orchestrators: is the process alive, can it serve. Neither touches the measured database's load.

use axum::extract::State;

use super::app::App;
use super::problem::{Kind, Problem};

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Traffic can be served: not draining, and the upstream answers; of `pgvitals serve`: the store answers.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = String, content_type = "text/plain"),
))]
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    match app.sources.ready.check().await {
        Ok(()) => Ok("ready\n"),
        Err(reason) => Err(Problem::new(Kind::NotReady, reason)),
    }
}
