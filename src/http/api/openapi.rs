//! `GET /openapi.json`: the description, generated from the handlers, their shapes, the table of parameters and the kinds
//! of problems.

use axum::Json;
use utoipa::openapi::path::{Operation, Parameter as Described, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, SchemaFormat};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Object, ObjectBuilder, OpenApi as Description, Ref, RefOr, Response, Schema, Type};
use utoipa::{Modify, OpenApi};

use super::params::{Form, PARAMETERS, Parameter};
use super::{alerts, cron, events, performance};
use crate::http::problem::{Kind, ProblemBody};
use crate::http::{auth, health, metrics, session};

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
    components(schemas(ProblemBody)),
    modifiers(&Parameters, &Doors, &Bodies),
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
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(parameter.help))
        .schema(Some(schema(parameter)))
        .build()
}

fn schema(parameter: &Parameter) -> Object {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    match parameter.form {
        Form::Listed => schema.enum_values(Some(parameter.values.iter().copied())),
        Form::Text => schema,
        Form::Like(pattern) => schema.pattern(Some(pattern)),
        Form::Time => schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Form::Above(least, most) => schema.schema_type(Type::Number).exclusive_minimum(Some(least)).maximum(Some(most)),
        Form::From(least) => schema.schema_type(Type::Number).minimum(Some(least)),
        Form::Whole(least, most) => schema.schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most)),
    }
    .build()
}

/// What is refused below a path, beside what its door refuses.
const REFUSED: &[(&str, &[Kind])] = &[
    (
        "/api/performance",
        &[
            Kind::BadParameter,
            Kind::UnknownQuery,
            Kind::UnknownObject,
            Kind::StoreUnavailable,
            Kind::NotConfigured,
            Kind::NotCollected,
        ],
    ),
    ("/api/alerts/", &[Kind::BadBody, Kind::UnknownAlert, Kind::AlertOver, Kind::StoreUnavailable]),
    (auth::CRON_PATHS, &[Kind::BadParameter, Kind::CronClosed, Kind::AlreadyRunning, Kind::NotConfigured]),
    (session::PATH, &[Kind::BadBody, Kind::Unauthorized]),
    ("/api/events", &[Kind::TooManyStreams]),
    ("/readyz", &[Kind::NotReady]),
];

const SCHEMES: [&str; 3] = ["http_token", "cookie", "cron_secret"];

/// Adds who may ask, and what may be wrong with a request.
struct Doors;

impl Modify for Doors {
    fn modify(&self, api: &mut Description) {
        let bearer = |of: &str| {
            let description = format!("Authorization: Bearer with {of}");
            SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(description)).build())
        };
        let cookie = ApiKeyValue::with_description(session::COOKIE, "What POST /api/session sets");
        let schemes = [
            bearer("http_token; on loopback nobody asks for it"),
            SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
            bearer("CRON_SECRET"),
        ];
        let named = SCHEMES.into_iter().map(str::to_owned).zip(schemes);
        api.components.get_or_insert_default().security_schemes.extend(named);
        for (path, item) in &mut api.paths.paths {
            let (security, refused) = door(path);
            let own = REFUSED.iter().filter(|(below, _)| path.starts_with(below));
            let kinds: Vec<Kind> = refused.iter().chain(own.flat_map(|(_, kinds)| *kinds)).copied().collect();
            for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
                operation.security = Some(security.clone());
                kinds.iter().for_each(|kind| refuse(operation, *kind));
            }
        }
    }
}

/// What one of is needed at a path, and what its door refuses. On loopback nothing is needed.
fn door(path: &str) -> (Vec<SecurityRequirement>, &'static [Kind]) {
    let [token, cookie, cron] = SCHEMES.map(|name| SecurityRequirement::new(name, [""; 0]));
    match path {
        path if path.starts_with(auth::CRON_PATHS) => (vec![cron], &[Kind::Unauthorized]),
        path if auth::OPEN_PATHS.contains(&path) => (Vec::new(), &[Kind::ForeignHost]),
        _ => (vec![SecurityRequirement::default(), token, cookie], &[Kind::Unauthorized, Kind::ForeignHost]),
    }
}

fn refuse(operation: &mut Operation, kind: Kind) {
    let fresh = || RefOr::T(Response::default());
    let slot = operation.responses.responses.entry(kind.status().as_str().to_owned()).or_insert_with(fresh);
    let RefOr::T(Response { description, content, .. }) = slot else { return };
    if !description.is_empty() {
        description.push_str("; ");
    }
    description.push_str(kind.title());
    let body = Content::new(Some(Ref::from_schema_name("Problem")));
    content.insert("application/problem+json".to_owned(), body);
}

/// An answer's body is that of its metric, and may have what tells another's: `series` is in two.
struct Bodies;

impl Modify for Bodies {
    fn modify(&self, api: &mut Description) {
        let schemas = api.components.as_mut().map(|components| &mut components.schemas);
        let Some(RefOr::T(body)) = schemas.and_then(|schemas| schemas.get_mut("Body")) else { return };
        if let Schema::OneOf(one) = body {
            let any = AnyOfBuilder::new().description(one.description.take());
            *body = std::mem::take(&mut one.items).into_iter().fold(any, AnyOfBuilder::item).into();
        }
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "description", responses((status = 200, body = Object)))]
pub(in crate::http) async fn openapi() -> Json<Description> {
    Json(Api::openapi())
}
