//! `metric=alerts`, and what people do about one: `POST /api/alerts/{id}/ack` and `/silence`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask::{Ask, next};
use super::choices::Metric;
use super::params::Params;
use super::shape::rfc3339;
use crate::analyze::alert::Alert;
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::{Kind, Problem};
use crate::jobs::ledger::Counts;
use crate::store::alerts::desk::{Acted, Wanted};
use crate::store::error::Error;

/// A name is not a novel.
const BY_MAX: usize = 200;
/// A silence of a month is an override.
const MINUTES_MAX: u64 = 31 * 24 * 60;

/// Alerts that were open in the window: those that still are first, the worst first of them; then the newest.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Alerts {
    pub(in crate::http) alerts: Vec<AlertBody>,
    /// Where the next page begins; null on the last one.
    cursor: Option<String>,
}

/// Something that is or was beyond its threshold.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct AlertBody {
    id: i64,
    /// docs/alerts.md lists them.
    kind: &'static str,
    /// Of what: the parts that tell it from others, in words.
    subject: String,
    /// warning, alert, critical: the worst that it was.
    severity: &'static str,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Null while it is open.
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// At the last sighting; in the kind's unit, as `worst` and `threshold`.
    value: f64,
    threshold: f64,
    /// Sightings.
    count: u64,
    message: String,
    /// Who knows of it, as they said.
    acknowledged: Option<String>,
    /// Who wants quiet about it, as they said; null when nobody does.
    silenced_by: Option<String>,
    /// Until when nobody is told.
    #[schema(format = DateTime)]
    silenced_until: Option<String>,
    /// The worst that was seen.
    worst: f64,
    server: String,
    database: Option<String>,
    query_hash: Option<String>,
}

/// What the ledger said, before an answer is made of it.
#[derive(Debug, Default)]
pub(in crate::http) struct Known {
    alerts: Vec<Alert>,
    counts: Option<Counts>,
}

/// How many are open.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CountsBody {
    open: u64,
    critical: u64,
}

/// The ledger's part of an answer.
///
/// # Errors
/// A store that doesn't answer, where alerts are what was asked for.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<Known, Problem> {
    let (wanted, is_headline) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        // What opened a moment ago by a server's clock is open, however far memory has come.
        let has_end = params.get("to").is_some() || (params.get("from").is_some() && params.get("hours").is_some());
        let wanted = match ask.metric {
            Metric::Alerts => Wanted {
                since: Some(ask.wanted.from),
                until: has_end.then_some(ask.wanted.to),
                server: ask.filter.server.clone(),
                database: ask.filter.database.clone(),
                // One more tells whether there is a next page.
                limit: ask.place()?.saturating_add(ask.limit(50)?).saturating_add(1),
            },
            Metric::Summary => Wanted { server: ask.filter.server.clone(), ..Wanted::default() },
            _ => return Ok(Known::default()),
        };
        (wanted, ask.metric == Metric::Summary)
    };
    let ledger = &app.sources.alerts;
    if is_headline {
        // It goes out without them rather than not at all.
        return Ok(Known { alerts: Vec::new(), counts: ledger.counts(wanted.server).await.ok() });
    }
    Ok(Known { alerts: ledger.list(&wanted).await?, counts: None })
}

/// The answer.
pub(in crate::http) fn alerts(ask: &Ask<'_>, known: &Known) -> Result<Alerts, Problem> {
    let (skip, limit, now) = (ask.place()?, ask.limit(50)?, ask.view.at());
    let page = known.alerts.iter().skip(skip).take(limit);
    let alerts: Vec<AlertBody> = page.map(|alert| AlertBody::new(alert, now)).collect();
    let cursor = next(skip, alerts.len(), known.alerts.len() > skip.saturating_add(alerts.len()));
    Ok(Alerts { alerts, cursor })
}

/// For the headline; `None` when the store doesn't answer.
pub(in crate::http) fn counts(known: &Known) -> Option<CountsBody> {
    known.counts.map(|Counts { open, critical }| CountsBody { open, critical })
}

impl AlertBody {
    /// As the API shows it at `now`.
    pub(in crate::http) fn new(alert: &Alert, now: WallTime) -> Self {
        let silenced = alert.silenced.as_ref().filter(|quiet| now < quiet.until);
        Self {
            id: alert.id.unwrap_or_default(),
            kind: alert.kind.as_str(),
            subject: alert.subject.to_string(),
            severity: alert.severity.as_str(),
            opened_at: rfc3339(alert.opened_at),
            last_seen_at: rfc3339(alert.last_seen_at),
            resolved_at: alert.resolved_at.map(rfc3339),
            value: alert.value,
            threshold: alert.threshold,
            count: alert.count,
            message: alert.message.clone(),
            acknowledged: alert.acknowledged.as_ref().map(|known| known.by.clone()),
            silenced_by: silenced.map(|quiet| quiet.by.clone()),
            silenced_until: silenced.map(|quiet| rfc3339(quiet.until)),
            worst: alert.worst,
            server: alert.server.clone(),
            database: alert.subject.database.clone(),
            query_hash: alert.subject.query_hash.map(|hash| hash.to_string()),
        }
    }
}

/// Who acknowledges.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Acknowledge {
    /// Any name.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    by: String,
}

/// Who wants silence, and for how long.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Silence {
    /// Any name.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    by: String,
    /// 1 to 44640.
    #[schema(minimum = 1, maximum = 44_640)]
    minutes: u64,
}

/// Says who knows of an alert: it is told again only when it gets worse, and when it is over.
#[utoipa::path(
    post, path = "/api/alerts/{id}/ack", tag = "alerts", params(("id" = i64, Path, description = "The alert's id")),
    request_body = Acknowledge,
    responses((status = 200, description = "The alert", body = AlertBody)),
)]
pub(in crate::http) async fn ack(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<AlertBody>, Problem> {
    let Acknowledge { by } = read(&headers, body)?;
    let (id, by) = (identity(id)?, name(&by)?);
    acted(&app, id, app.sources.alerts.acknowledge(id, by).await)
}

/// Tells nobody of an alert's subject for a time.
#[utoipa::path(
    post, path = "/api/alerts/{id}/silence", tag = "alerts", params(("id" = i64, Path, description = "The alert's id")),
    request_body = Silence,
    responses((status = 200, description = "The alert", body = AlertBody)),
)]
pub(in crate::http) async fn silence(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<AlertBody>, Problem> {
    let Silence { by, minutes } = read(&headers, body)?;
    let (id, by) = (identity(id)?, name(&by)?);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(bad(format!("minutes is a whole number from 1 to {MINUTES_MAX}")));
    }
    let span = Nanos::from_millis(minutes * 60_000);
    acted(&app, id, app.sources.alerts.silence(id, by, span).await)
}

fn acted(app: &App, id: i64, acted: Result<Acted, Error>) -> Result<Json<AlertBody>, Problem> {
    match acted? {
        Acted::Done(alert) => Ok(Json(AlertBody::new(&alert, app.view().at()))),
        Acted::Over => {
            Err(Problem::new(Kind::AlertOver, format!("alert {id} is over; nothing is left to do about it")))
        }
        Acted::Unknown => Err(unknown(&id.to_string())),
    }
}

fn identity(id: Result<Path<String>, PathRejection>) -> Result<i64, Problem> {
    let Path(id) = id.map_err(|rejection| unknown(&rejection.body_text()))?;
    id.parse().map_err(|_| unknown(&id))
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::UnknownAlert, format!("no alert has the id {id}; metric=alerts lists them"))
}

fn bad(detail: String) -> Problem {
    Problem::new(Kind::BadBody, detail)
}

fn name(by: &str) -> Result<&str, Problem> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > BY_MAX || by.chars().any(char::is_control) {
        return Err(bad(format!("by is a name of 1 to {BY_MAX} characters")));
    }
    Ok(by)
}

/// The body, which a page of another site can't have sent: such a page can send no JSON without being asked first.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(bad("send JSON, with Content-Type: application/json".to_owned()));
    }
    let body = body.map_err(|rejection| bad(rejection.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))
}
