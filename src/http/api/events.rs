//! `GET /api/events`: server-sent events. `live` each second, `slow` for each execution that was kept, `alert` when one opens,
//! gets worse or ends.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{self, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

use super::alerts::AlertBody;
use super::shape::{quantile_ms, rfc3339};
use super::slow::SlowQuery;
use super::statement::Statement;
use crate::base::units::{Nanos, WallTime};
use crate::http::app::{App, STREAMS_MAX};
use crate::http::problem::{Kind, Problem};
use crate::sql::hash::QueryHash;
use crate::stats::live::{Filter, LiveView, Window};

/// Events kept for a reader that is slow; it then misses seconds, and pgvitals keeps no more for it.
const EVENTS_WAITING: usize = 64;

/// `slow` events per second and reader; the list has them all.
const SLOW_PER_SECOND: usize = 20;

/// The last second.
#[derive(Serialize, ToSchema)]
struct Live {
    #[schema(format = DateTime)]
    at: String,
    /// Data statements that completed in it.
    calls: u64,
    errors: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    /// Open now.
    connections: u64,
    /// At most 5, most total time first.
    top: Vec<Statement>,
}

/// The stream; ends when the server goes.
#[utoipa::path(get, path = "/api/events", tag = "events", responses(
    (status = 200, description = "`live` each second, `slow` as in slow_queries, `alert` as in alerts; of pgvitals serve `alert` alone", content(
        (Live = "text/event-stream"), (SlowQuery = "text/event-stream"), (AlertBody = "text/event-stream"),
    )),
))]
pub(in crate::http) async fn events(
    State(app): State<App>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, ([(HeaderName, &'static str); 1], Problem)> {
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let detail = format!("{STREAMS_MAX} streams of events are open, and there are no more; close one");
        // Kept open, the connection would take the place that the stream was refused for.
        return Err(([(header::CONNECTION, "close")], Problem::new(Kind::TooManyStreams, detail)));
    };
    let (events, stream) = tokio::sync::mpsc::channel(EVENTS_WAITING);
    tokio::spawn(async move {
        let _place = place;
        tokio::select! {
            () = watch(&app, &events) => {}
            () = follow(&app, &events) => {}
            () = app.closing.cancelled() => {}
            () = events.closed() => {}
        }
    });
    Ok(Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

type Sender = tokio::sync::mpsc::Sender<Result<Event, Infallible>>;

/// Tells each new view until there are no more; who measures nothing has none to tell.
async fn watch(app: &App, events: &Sender) {
    if !app.measures() {
        return std::future::pending().await;
    }
    let mut views = app.sources.live.clone();
    views.mark_unchanged();
    let mut told = Told::default();
    told.news(&app.view());
    while views.changed().await.is_ok() {
        let news = app.compute(move |_, view| {
            let news = happened(view, &mut told);
            Ok((news, told))
        });
        let Ok((news, told_now)) = news.await else { return };
        told = told_now;
        for event in news {
            // Waiting for a slow reader here is what makes it miss seconds; newer views replace one another meanwhile.
            if events.send(Ok(event)).await.is_err() {
                return;
            }
        }
    }
}

/// Tells what happens to alerts, as far as this process judges them.
async fn follow(app: &App, events: &Sender) {
    let mut alerts = app.sources.alerts.subscribe();
    loop {
        match alerts.recv().await {
            Ok(alert) => {
                let Some(event) = event("alert", &AlertBody::new(&alert, app.view().at())) else { continue };
                if events.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            // The list has those that a slow reader missed.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn happened(view: &LiveView, told: &mut Told) -> Vec<Event> {
    if told.at == view.at() {
        return Vec::new();
    }
    let slow = told.news(view);
    let slow = slow.iter().map(|slow| event("slow", slow));
    slow.chain([event("live", &Live::new(view))]).flatten().collect()
}

/// Workers hand in late, each at its own time: an execution may turn up some seconds after it completed.
const LATE_MAX: Nanos = Nanos::from_millis(10_000);

/// Which view, and which slow executions of the last seconds, a reader has been told of.
#[derive(Default)]
struct Told {
    at: WallTime,
    slow: BTreeSet<(WallTime, QueryHash, Nanos)>,
}

impl Told {
    /// Those that are new in `view`, oldest first, the newest [`SLOW_PER_SECOND`] of them.
    fn news(&mut self, view: &LiveView) -> Vec<SlowQuery> {
        self.at = view.at();
        let recent = Window { from: view.at().before(LATE_MAX), to: view.at().after(LATE_MAX) };
        let mut slow = view.slow(recent, view.settings().slow_threshold, &Filter::default());
        slow.retain(|slow| self.slow.insert((slow.at, slow.query.hash, slow.duration)));
        slow.truncate(SLOW_PER_SECOND);
        self.slow.retain(|(at, ..)| *at >= recent.from);
        slow.iter().rev().map(|slow| SlowQuery::new(slow, &view.settings().levels)).collect()
    }
}

fn event(name: &str, body: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(body).ok()
}

impl Live {
    fn new(view: &LiveView) -> Self {
        let stats = view.last_second();
        let quantile = |q| quantile_ms(&stats.durations, q);
        let top = view.last_second_top();
        let whole: Nanos = stats.total;
        Self {
            at: rfc3339(view.at()),
            calls: stats.calls,
            errors: stats.errors,
            p50_ms: quantile(0.50),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            connections: view.open_sessions(),
            top: top.iter().map(|row| Statement::new(row, whole)).collect(),
        }
    }
}
