//! `GET /openapi.json`: the description, generated from the handlers, their shapes and the table of parameters.

use axum::Json;
use utoipa::openapi::path::{Parameter as Described, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi as Description, Type};
use utoipa::{Modify, OpenApi};

use super::params::{PARAMETERS, Parameter};
use super::{alerts, cron, events, performance};
use crate::http::{health, metrics, session};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "pgvitals",
        description = "What a sidecar proxy for PostgreSQL knows of the statements that went through it. Durations are in \
                       milliseconds, sizes in bytes, ratios in percent, times RFC 3339 in UTC."
    ),
    paths(
        performance::performance,
        events::events,
        alerts::ack,
        alerts::silence,
        cron::hourly_monitoring,
        cron::daily_maintenance,
        session::sign_in,
        session::sign_out,
        openapi,
        metrics::metrics,
        health::healthz,
        health::readyz,
    ),
    modifiers(&Parameters),
)]
struct Api;

/// Adds the parameters of `/api/performance` from the table that the parser uses.
struct Parameters;

impl Modify for Parameters {
    fn modify(&self, api: &mut Description) {
        let path = api.paths.paths.get_mut("/api/performance");
        if let Some(operation) = path.and_then(|path| path.get.as_mut()) {
            operation.parameters = Some(PARAMETERS.iter().map(described).collect());
        }
    }
}

fn described(parameter: &Parameter) -> Described {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    let schema = match parameter.values {
        [] => schema,
        values => schema.enum_values(Some(values.iter().copied())),
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(parameter.help))
        .schema(Some(schema))
        .build()
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "description", responses((status = 200, body = Object)))]
pub(in crate::http) async fn openapi() -> Json<Description> {
    Json(Api::openapi())
}
