//! `GET /metrics`: what memory knows since the start, for Prometheus. No statement identity is in a label.
//!
//! Reading order: [`names`] every family with its labels and meaning, [`families`] how they are filled from a view,
//! [`writer`] how they are written.

mod families;
pub(super) mod names;
mod writer;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

use super::app::App;
use super::problem::{Kind, Problem};
use families::Snapshot;

/// Media type of OpenMetrics, for those who ask for it.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// All families: OpenMetrics when the reader accepts it, else the classic text format.
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses(
    (status = 200, description = "See docs/metrics.md", content(
        (String = "application/openmetrics-text"), (String = "text/plain"),
    )),
))]
pub(super) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open = accepted.into_iter().any(|value| value.contains(OPEN_METRICS));
    app.compute(move |app, view| {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Snapshot::new(view.clone(), app.measures(), &app.sources)));
        let mut body = String::new();
        let (written, content_type) = if open {
            (text::encode(&mut body, &registry), "application/openmetrics-text; version=1.0.0; charset=utf-8")
        } else {
            (prometheus_text::encode(&mut body, &registry), "text/plain; version=0.0.4; charset=utf-8")
        };
        written.map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
        Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
    })
    .await
}
