//! `GET|POST /api/cron/hourly-monitoring`, `/api/cron/daily-maintenance`: jobs for schedulers outside. Who may is
//! [`crate::http::auth`]'s.
//!
//! A job goes on when its caller hangs up: half a round is of use to nobody.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::params::{bad, refused, twice};
use super::shape::rfc3339;
use crate::http::app::App;
use crate::http::problem::{Kind, Problem};
use crate::jobs::job::{Job, Ran, Refused, Step};
use crate::jobs::run::{Occasion, Order};

/// What came of a job.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CronAnswer {
    /// Its name, as in the path.
    job: &'static str,
    #[schema(format = DateTime)]
    started_at: String,
    took_ms: f64,
    /// Whether all steps went well.
    success: bool,
    /// `already_done`: this hour, or this local day, was done before; `force=1` does it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    captured: Option<Captured>,
    /// How much of it is beyond a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<u64>,
    /// Alerts that were opened for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<u64>,
    /// What was done now, in order; after a failure the failed steps alone are done again.
    steps: Vec<StepBody>,
}

/// How much was seen, over all servers.
#[derive(Serialize, ToSchema)]
struct Captured {
    indexes: u64,
    tables: u64,
    databases: u64,
}

/// One step.
#[derive(Serialize, ToSchema)]
struct StepBody {
    name: String,
    /// The monitored server; absent of the store's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    server: String,
    ok: bool,
    /// How many things it saw, found or did.
    count: u64,
    took_ms: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Looks at the monitored servers now, unless that was done in this hour.
#[utoipa::path(
    method(get, post), path = "/api/cron/hourly-monitoring", tag = "cron",
    params(("force" = Option<String>, Query, description = "1: also what was done", pattern = "^(0|1|false|true)$")),
    responses(
        (status = 200, description = "All steps went well, or had been done", body = CronAnswer),
        (status = 207, description = "Some steps failed", body = CronAnswer),
    ),
)]
pub(in crate::http) async fn hourly_monitoring(
    State(app): State<App>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    run(app, Job::Hourly, pairs?.0).await
}

/// Maintains the monitoring tables now, unless that was done on this local day.
#[utoipa::path(
    method(get, post), path = "/api/cron/daily-maintenance", tag = "cron",
    params(("force" = Option<String>, Query, description = "1: also what was done", pattern = "^(0|1|false|true)$")),
    responses(
        (status = 200, description = "All steps went well, or had been done", body = CronAnswer),
        (status = 207, description = "Some steps failed", body = CronAnswer),
    ),
)]
pub(in crate::http) async fn daily_maintenance(
    State(app): State<App>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    run(app, Job::Daily, pairs?.0).await
}

async fn run(app: App, job: Job, pairs: Vec<(String, String)>) -> Result<Response, Problem> {
    let occasion = if force(&pairs)? { Occasion::Forced } else { Occasion::Due };
    let order = Order { job, occasion };
    let jobs = app.sources.jobs.clone();
    let _patience = app.patience.hold();
    let ran = tokio::spawn(async move { jobs.run(order).await }).await;
    let ran = ran.map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
    let ran = ran.map_err(|refused| problem(job, refused))?;
    let status = if ran.success() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    Ok((status, Json(CronAnswer::new(&ran))).into_response())
}

fn force(pairs: &[(String, String)]) -> Result<bool, Problem> {
    if let Some((name, _)) = pairs.iter().find(|(name, _)| name != "force") {
        return Err(bad(format!("unknown parameter \"{name}\"; the only one is force")));
    }
    match pairs {
        [] => Ok(false),
        [(_, value)] => match value.as_str() {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err(refused("force", value, "one of 0, 1")),
        },
        _ => Err(twice("force")),
    }
}

fn problem(job: Job, refused: Refused) -> Problem {
    match refused {
        Refused::Running { since } => Problem {
            running_since: Some(rfc3339(since)),
            ..Problem::new(Kind::AlreadyRunning, format!("{} is running since {}", job.as_str(), rfc3339(since)))
        },
        Refused::Nothing(why) => Problem::new(Kind::NotConfigured, why),
    }
}

impl CronAnswer {
    fn new(ran: &Ran) -> Self {
        let steps = ran.steps.iter().map(StepBody::new).collect();
        let sum = |name: &str| {
            let counts: Vec<u64> = ran.steps.iter().filter(|step| step.name == name).map(|step| step.count).collect();
            (!counts.is_empty()).then(|| counts.iter().sum())
        };
        let captured = sum("index_snapshots").zip(sum("table_snapshots")).zip(sum("database_snapshots"));
        Self {
            job: ran.job.as_str(),
            started_at: rfc3339(ran.started_at),
            took_ms: (ran.took.as_millis_f64() * 10.0).round() / 10.0,
            success: ran.success(),
            skipped: ran.already_done.then_some("already_done"),
            captured: captured.map(|((indexes, tables), databases)| Captured { indexes, tables, databases }),
            detected: sum("findings"),
            opened: sum("alerts"),
            steps,
        }
    }
}

impl StepBody {
    fn new(step: &Step) -> Self {
        let Step { name, server, ok, count, took_ms, error } = step.clone();
        Self { name, server, ok, count, took_ms, error }
    }
}
