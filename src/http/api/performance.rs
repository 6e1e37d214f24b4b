//! `GET /api/performance`: one address, the parameter `metric` says what to answer.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::baseline::Learned;
use super::choices::{Format, Metric};
use super::coverage::Compared;
use super::csv::Table;
use super::object::{IndexBody, TableBody, Traced};
use super::params::Params;
use super::seen::{CapacityRows, Seen};
use super::shape::rfc3339;
use super::{
    active, alerts, baseline, bloat, capacity, changes, coverage, fleet, indexes, latest, made_up, object, past,
};
use super::{queries, query, recommendations, servers, slow, summary, tags, timeline};
use crate::base::units::WallTime;
use crate::http::app::App;
use crate::http::problem::{Kind, Problem};
use crate::store::read::Days;
use crate::store::read::fleet::Fleet;

/// An answer: the envelope, then what belongs to the metric.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Answer {
    #[serde(flatten)]
    envelope: Envelope,
    #[serde(flatten)]
    body: Body,
}

/// What every answer begins with.
#[derive(Serialize, ToSchema)]
struct Envelope {
    /// The metric that was asked for.
    metric: &'static str,
    window: WindowBody,
    /// Where the figures come from: memory, store, memory+store.
    source: &'static str,
    /// The finest step that the figures can be told apart by.
    resolution: String,
    /// Everything that completed before is counted.
    #[schema(format = DateTime)]
    complete_to: String,
    /// The monitored server; several are joined with commas.
    server: String,
    /// The same one by one.
    servers: Vec<String>,
    instances: Instances,
    /// Figures that `pgvitals demo` made up take part; left out where none do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    demo: bool,
}

/// What the figures are of.
#[derive(Serialize, ToSchema)]
struct WindowBody {
    /// Begin of what is known; later than asked for when memory doesn't reach back so far.
    #[schema(format = DateTime)]
    from: String,
    /// End.
    #[schema(format = DateTime)]
    to: String,
    /// Hours that were asked for.
    hours: f64,
}

/// Whose figures these are.
#[derive(Serialize, ToSchema)]
struct Instances {
    /// How many.
    count: usize,
    /// Their names, each once: several may have the same.
    names: Vec<String>,
    /// Those whose figures are late.
    lagging: Vec<String>,
}

/// What is known besides statistics; only what the metric needs.
struct Known {
    alerts: alerts::Known,
    fleet: Option<Fleet>,
    /// Of the monitored servers.
    seen: Vec<Arc<Seen>>,
    /// What of it is compared with statistics.
    compared: Vec<Compared>,
    /// What changed on each server in the last day.
    changed: Vec<(String, Arc<Days>)>,
    /// The one object that is asked for, with its server.
    traced: Option<(String, object::Traced)>,
}

/// What belongs to one metric.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Body {
    Summary(Box<summary::Summary>),
    Queries(queries::Queries),
    Query(Box<query::QueryDetail>),
    Timeline(timeline::Timeline),
    Tags(tags::Tags),
    Active(active::Active),
    SlowQueries(slow::SlowQueries),
    Alerts(alerts::Alerts),
    Indexes(indexes::Indexes),
    Bloat(bloat::Bloat),
    Capacity(CapacityRows),
    Recommendations(recommendations::Recommendations),
    Coverage(coverage::Coverage),
    Fleet(fleet::FleetBody),
    Index(Box<object::IndexBody>),
    Table(Box<object::TableBody>),
}

/// Figures about statements and sessions, and what was seen of the monitored server.
#[utoipa::path(
    get, path = "/api/performance", tag = "performance",
    responses(
        (status = 200, description = "The metric", content((Answer = "application/json"), (String = "text/csv"))),
    ),
)]
pub(in crate::http) async fn performance(
    State(app): State<App>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(pairs) = pairs?;
    let params = Params::new(pairs)?;
    let wanted = object::wanted(&app, &params)?;
    let demo = made_up::fetch(&app, &params).await?;
    let past = past::fetch(&app, &params).await?;
    let alerts = alerts::fetch(&app, &params).await?;
    let fleet = fleet::fetch(&app, &params).await?;
    let servers = servers::fetch(&app).await?;
    let seen = latest::fetch(&app, &params, &servers).await?;
    let compared = coverage::fetch(&app, &params, &seen).await?;
    let changed = changes::fetch(&app, &params, &servers).await?;
    let traced = object::fetch(&app, wanted.as_ref(), &seen).await?;
    let known = Known { alerts, fleet, seen, compared, changed, traced };
    let learned = baseline::fetch(&app, &params).await?;
    app.compute(move |app, view| {
        let ask = Ask::new(app, view, &params, past.as_ref())?;
        let body = Body::of(&ask, &known, learned)?;
        Ok(match ask.format {
            Format::Json => {
                let servers = known.about(&ask, &servers);
                axum::Json(Answer { envelope: Envelope::of(&ask, servers, &known.seen, demo), body }).into_response()
            }
            Format::Csv => {
                ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], body.table().to_string())
                    .into_response()
            }
        })
    })
    .await
}

impl Envelope {
    fn of(ask: &Ask<'_>, servers: Vec<String>, seen: &[Arc<Seen>], demo: bool) -> Self {
        Self {
            metric: ask.metric.name(),
            window: WindowBody {
                from: rfc3339(ask.window.from),
                to: rfc3339(ask.window.to),
                hours: ask.wanted.to.since(ask.wanted.from).as_secs_f64() / 3600.0,
            },
            source: match (ask.memory, ask.past) {
                _ if ask.metric == Metric::Alerts && ask.app.sources.alerts.is_stored() => "store",
                _ if ask.metric == Metric::Fleet && ask.app.sources.store.is_some() => "store",
                _ if ask.metric.is_of_rounds() && ask.app.sources.store.is_some() => "store",
                (_, None) => "memory",
                (None, Some(_)) => "store",
                (Some(_), Some(_)) => "memory+store",
            },
            // Sums by tag are kept by the minute alone.
            resolution: match ask.past.filter(|_| ask.filter.tag.is_none()) {
                Some(past) => past.coverage.resolution.clone(),
                None => "minute".to_owned(),
            },
            complete_to: rfc3339(complete_to(ask, seen)),
            server: servers.join(","),
            servers,
            instances: Instances::of(ask),
            demo,
        }
    }
}

/// All that completed before is counted; of what was seen of a server, when that was. Memory has it up to now, the tables
/// what live instances have written; nobody has it of a time to come.
fn complete_to(ask: &Ask<'_>, seen: &[Arc<Seen>]) -> WallTime {
    match (ask.memory, ask.past) {
        _ if ask.metric.is_of_rounds() => seen.iter().map(|seen| seen.at).min().unwrap_or(ask.view.at()),
        (None, Some(past)) => {
            let end = ask.window.to.min(ask.view.at());
            past.coverage.complete_to.map_or(end, |written| written.min(end))
        }
        _ => ask.view.at(),
    }
}

impl Instances {
    fn of(ask: &Ask<'_>) -> Self {
        match (ask.memory, ask.past) {
            (None, Some(past)) => {
                let coverage = past.coverage.clone();
                Self { count: coverage.live, names: coverage.names, lagging: coverage.lagging }
            }
            // What was seen of servers and judged is nobody's in particular.
            _ if !ask.app.measures() => Self { count: 0, names: Vec::new(), lagging: Vec::new() },
            _ => Self { count: 1, names: vec![ask.app.settings.instance.clone()], lagging: Vec::new() },
        }
    }
}

impl Known {
    /// The servers that the answer is about: the one that has the object, the one that was asked for, or `all`.
    fn about(&self, ask: &Ask<'_>, all: &[String]) -> Vec<String> {
        let one = self.traced.as_ref().map(|(server, _)| server).or(ask.filter.server.as_ref());
        one.map_or_else(|| all.to_vec(), |server| vec![server.clone()])
    }

    fn object(&self, ask: &Ask<'_>) -> Result<Body, Problem> {
        let traced = self.traced.as_ref();
        let found =
            traced.and_then(|(server, traced)| Some((self.seen.iter().find(|one| one.server == *server)?, traced)));
        let (seen, traced) = found.ok_or_else(|| Problem::new(Kind::UnknownObject, "nobody has seen it"))?;
        Ok(match traced {
            Traced::Index(traced) => Body::Index(Box::new(IndexBody::new(ask, seen, traced)?)),
            Traced::Table(traced) => Body::Table(Box::new(TableBody::new(ask, seen, traced)?)),
        })
    }
}

impl Body {
    fn of(ask: &Ask<'_>, known: &Known, learned: Option<Learned>) -> Result<Self, Problem> {
        Ok(match ask.metric {
            Metric::Summary => Body::Summary(Box::new(summary::summary(ask, &known.seen, &known.alerts)?)),
            Metric::Queries => Body::Queries(queries::queries(ask)?),
            Metric::Query => Body::Query(Box::new(query::query(ask, learned)?)),
            Metric::Timeline => Body::Timeline(timeline::timeline(ask)?),
            Metric::Tags => Body::Tags(tags::tags(ask)?),
            Metric::Active => Body::Active(active::active(ask)?),
            Metric::SlowQueries => Body::SlowQueries(slow::slow_queries(ask)?),
            Metric::Alerts => Body::Alerts(alerts::alerts(ask, &known.alerts)?),
            Metric::Indexes => Body::Indexes(indexes::indexes(ask, &known.seen)?),
            Metric::Bloat => Body::Bloat(bloat::bloat(ask, &known.seen)?),
            Metric::Capacity => Body::Capacity(capacity::capacity(ask, &known.seen)?),
            Metric::Recommendations => {
                Body::Recommendations(recommendations::recommendations(ask, &known.seen, &known.changed)?)
            }
            Metric::Coverage => Body::Coverage(coverage::coverage(ask, &known.seen, &known.compared)?),
            Metric::Fleet => Body::Fleet(fleet::fleet(ask, known.fleet.as_ref())?),
            Metric::Index | Metric::Table => known.object(ask)?,
        })
    }

    /// The rows that stand for the answer in a spreadsheet.
    fn table(&self) -> Table {
        match self {
            Body::Summary(body) => Table::of(std::slice::from_ref(&body.totals)),
            Body::Queries(body) => Table::of(&body.queries),
            Body::Query(body) => Table::of(&body.series.rows()),
            Body::Timeline(body) => Table::of(&body.series.rows()),
            Body::Tags(body) => Table::of(&body.tags),
            Body::Active(body) => Table::of(&body.statements),
            Body::SlowQueries(body) => Table::of(&body.slow_queries),
            Body::Alerts(body) => Table::of(&body.alerts),
            Body::Indexes(body) => Table::of(&body.indexes),
            Body::Bloat(body) => Table::of(&body.tables),
            Body::Capacity(body) => Table::of(&body.databases),
            Body::Recommendations(body) => Table::of(&body.recommendations),
            Body::Coverage(body) => Table::of(&body.by_user),
            Body::Fleet(body) => Table::of(&body.members),
            Body::Index(body) => Table::of(&body.series.rows()),
            Body::Table(body) => Table::of(&body.series.rows()),
        }
    }
}
