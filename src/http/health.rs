//! For orchestrators: is the process alive, can it serve. Neither touches the measured database's load.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem, ProblemBody};
use super::server::App;

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Traffic can be served: not draining, and the upstream answers.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 503, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    match app.sources.ready.check().await {
        Ok(()) => Ok("ready\n"),
        Err(reason) => Err(Problem::new(Kind::NotReady, reason)),
    }
}

/// What there is to see, for whoever opens the address in a browser.
pub(super) async fn index() -> Response {
    const PAGE: &str = concat!(
        "<!doctype html><meta charset=utf-8><title>pgvitals</title><h1>pgvitals ",
        env!("CARGO_PKG_VERSION"),
        "</h1><ul>",
        "<li><a href=\"/api/performance?metric=summary\">summary</a>",
        "<li><a href=\"/api/performance?metric=queries\">queries</a>",
        "<li><a href=\"/api/performance?metric=slow_queries\">slow queries</a>",
        "<li><a href=\"/api/performance?metric=active\">active</a>",
        "<li><a href=\"/api/performance?metric=timeline\">timeline</a>",
        "<li><a href=\"/metrics\">metrics</a>",
        "<li><a href=\"/openapi.json\">OpenAPI</a></ul>\n",
    );
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
}
