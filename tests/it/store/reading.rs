//! `/api/performance` from the tables: other processes, other services, what memory no longer has.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use pgvitals::base::telemetry::Telemetry;
use pgvitals::base::units::{Nanos, Stamp, WallTime};
use pgvitals::config::load::{Flags, load};
use pgvitals::http::{Ready, Sources, Stored, router};
use pgvitals::jobs::ledger::Ledger;
use pgvitals::jobs::presence::{Holder, Role};
use pgvitals::jobs::run::Jobs;
use pgvitals::runtime::{clock::Clock, shutdown::Shutdown, task::Panics};
use pgvitals::session::identity::Identity;
use pgvitals::session::observation::{Event, Observation, Observer, Outcome};
use pgvitals::sql::statement::{Details, Tags};
use pgvitals::sql::{hash::QueryHash, kind::Kind, query::Query};
use pgvitals::stats::level::Thresholds;
use pgvitals::stats::live::LiveView;
use pgvitals::stats::minutes::Minutes;
use pgvitals::stats::outbox::Outbox;
use pgvitals::stats::recorder::Recorder;
use pgvitals::store::batch::Origin;
use pgvitals::store::flusher::Flusher;
use pgvitals::store::parts::Parts;
use pgvitals::store::read::Reader;
use pgvitals::store::status::Status;
use pgvitals::{app, jobs, stats};
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::watch;
use tower::ServiceExt;

use super::Store;
use super::writing::{end, writing};
use crate::support::client::Client;
use crate::support::postgres::Cluster;

/// One sidecar of the service `shop` measures and ends; another, of `back-office`, is asked.
#[test]
fn what_another_process_measured_is_answered_from_the_store() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let url = store.url("postgres");
    let database = monitored.database();
    let shop = writing(monitored, &url).flag("service", "shop").flag("slow-threshold", "200ms").start();
    let mut client = Client::connect(shop.address(), &database);
    client.query("create table songs (id int)");
    for _ in 0..7 {
        client.query("select count(*) from songs /* route='/songs' */");
    }
    client.query("begin");
    client.query("select pg_sleep(0.3)");
    client.query("commit");
    for divided in ["select 1/0", "select 1/0 /* route='/songs' */"] {
        let failed = client.ask(&crate::bytes_of![crate::support::client::query(divided)]);
        assert!(failed.iter().any(|frame| frame.tag == b'E'));
    }
    drop(client);
    let count = Value::from(8);
    let remembered = shop.await_merge("all that ran on the route", |shop| {
        let of_route = of_route(&|parameters| shop.performance(parameters));
        (of_route.calls == count).then_some(of_route)
    });
    end(&shop);

    let asked = writing(monitored, &url).flag("service", "back-office").flag("slow-threshold", "200ms").start();
    let everybody = |parameters: &str| asked.performance(&format!("instance=all&database={database}&{parameters}"));
    let row = |answer: &Value, query: &str| {
        let rows = answer["queries"].as_array().unwrap().iter();
        rows.clone().find(|row| row["query"] == query).unwrap_or_else(|| panic!("no {query}: {answer:#}")).clone()
    };
    let queries = everybody("metric=queries");
    assert_eq!((&queries["source"], &queries["resolution"]), (&Value::from("store"), &Value::from("minute")));
    assert_eq!(queries["instances"]["count"], 1);
    let songs = row(&queries, "select count(*) from songs");
    assert_eq!((&songs["calls"], &songs["kind"], &songs["class"]), (&7.into(), &"select".into(), &"data".into()));
    assert_eq!(songs["tables"], serde_json::json!(["songs"]));
    assert!(songs["p95_ms"].as_f64().unwrap() > 0.0);
    let slept = row(&queries, "select pg_sleep($1)");
    assert!(slept["max_ms"].as_f64().unwrap() >= 300.0, "{slept}");

    let hash = songs["query_hash"].as_str().unwrap();
    let one = everybody(&format!("metric=query&hash={hash}"));
    assert_eq!((&one["calls"], &one["callers"][0]["database"]), (&7.into(), &database.as_str().into()));
    let sum = |counts: &Value| counts.as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!((sum(&one["series"]["calls"]), sum(&one["histogram"]["counts"])), (7, 7));
    let divided = row(&queries, "select $1 / $2");
    let divided = everybody(&format!("metric=query&hash={}", divided["query_hash"].as_str().unwrap()));
    assert_eq!(divided["errors_by_code"], serde_json::json!({ "22012": 2 }));

    let slow = everybody("metric=slow_queries");
    assert_eq!(slow["slow_queries"].as_array().unwrap().len(), 1, "{slow}");
    assert_eq!(slow["slow_queries"][0]["query"], "select pg_sleep($1)");
    let tags = everybody("metric=tags&key=route");
    assert_eq!((&tags["tags"][0]["value"], &tags["tags"][0]["calls"]), (&"/songs".into(), &8.into()));
    let everybodys = of_route(&|parameters| asked.performance(&format!("instance=all&{parameters}")));
    assert_eq!(everybodys, remembered, "the tables say what memory said");
    assert_eq!(sum(&everybody("metric=timeline&step=hour")["series"]["calls"]), 10);
    let summary = everybody("metric=summary");
    assert_eq!((&summary["totals"]["calls"], &summary["transactions"]["committed"]), (&10.into(), &1.into()));

    let of = |parameters: &str| asked.performance(&format!("metric=queries&database={database}&{parameters}"));
    assert_eq!(row(&of("service=shop"), "select count(*) from songs")["calls"], 7);
    assert!(["service=back-office", "server=elsewhere:5432"].iter().all(|other| of(other)["total"] == 0));
    assert_eq!((&of("")["source"], &of("")["total"]), (&"memory".into(), &0.into()), "its own memory is the default");
    nobody_has_counted_what_is_to_come(&of);
    let name = queries["instances"]["names"][0].as_str().unwrap();
    assert_eq!(row(&of(&format!("instance={name}")), "select count(*) from songs")["calls"], 7);
}

fn nobody_has_counted_what_is_to_come(of: &dyn Fn(&str) -> Value) {
    let ahead = of("instance=all&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z");
    assert!(ahead["complete_to"].as_str().unwrap() < "2100", "{ahead}");
}

/// What is said of the route `/songs`, but for times, which the tables have in whole microseconds a minute.
#[derive(PartialEq, Debug)]
struct OfRoute {
    calls: Value,
    statements: Vec<Value>,
    one: Value,
    steps: Vec<Value>,
    slow: usize,
}

fn of_route(performance: &dyn Fn(&str) -> Value) -> OfRoute {
    let untimed = |mut value: Value| {
        let fields = value.as_object_mut().unwrap();
        for time in ["total_ms", "mean_ms", "share_percent"] {
            assert!(fields.remove(time).unwrap().as_f64().unwrap() > 0.0, "{time}");
        }
        value
    };
    let queries = performance("metric=queries&route=/songs&sort=calls");
    let statements: Vec<Value> = queries["queries"].as_array().unwrap().iter().cloned().map(untimed).collect();
    let hash = statements.first().map_or(&Value::Null, |first| &first["query_hash"]).as_str().unwrap_or_default();
    let one = if hash.is_empty() {
        Value::Null
    } else {
        let mut one = performance(&format!("metric=query&hash={hash}&route=/songs&step=day"));
        serde_json::json!({
            "series": one["series"].take(), "histogram": one["histogram"].take(), "callers": one["callers"].take(),
            "routes": one["routes"][0]["calls"].take(), "errors_by_code": one["errors_by_code"].take()
        })
    };
    let timeline = performance("metric=timeline&route=/songs&step=day");
    let steps: Vec<Value> = timeline["series"]["calls"].as_array().unwrap().clone();
    OfRoute {
        calls: steps.iter().filter_map(Value::as_u64).sum::<u64>().into(),
        statements,
        one,
        steps,
        slow: performance("metric=slow_queries&route=/songs")["slow_queries"].as_array().unwrap().len(),
    }
}

/// Memory answers while the store doesn't.
#[test]
fn a_store_that_is_away_is_said() {
    let pgvitals = writing(Cluster::any(), "postgres://nobody@127.0.0.1:1/nothing").start();
    assert_eq!(pgvitals.performance("metric=queries")["source"], "memory");
    let answer = pgvitals.get("/api/performance?metric=queries&instance=all");
    assert_eq!((answer.status, answer.json()["type"].as_str()), (503, Some("urn:pgvitals:problem:store-unavailable")));
}

/// A writer's data plane that has nothing to say.
struct Healthy;

impl Ready for Healthy {
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }
}

/// Executions in the minute that was so long ago.
fn executions(minutes_ago: u64) -> u64 {
    minutes_ago % 3 + 1
}

/// Four hours of one process's life, told in moments: the view of its memory at the end, and what it handed out meanwhile.
fn four_hours(now: WallTime, text: &str, telemetry: &Arc<Telemetry>) -> (LiveView, Receiver<Minutes>) {
    let settings = stats::Settings::default();
    let ago = |minutes: u64| now.before(Nanos::from_millis(minutes * 60_000));
    let mut view = LiveView::new(&settings, ago(240), Arc::clone(telemetry));
    let mut outbox = Outbox::new(1 << 20, Arc::clone(telemetry));
    let mut recorder = Recorder::new(&settings, 1, Arc::clone(telemetry));
    let (handed_out, minutes) = channel(300);
    let query = Arc::new(Query { hash: QueryHash::of(text), kind: Kind::Select, text: text.into() });
    let identity = Arc::new(Identity::new("db:5432".into(), "shop", "app", "web"));
    let tags = Tags { pairs: vec![("route".into(), "/kept".into())], name: None };
    let observation = Observation {
        query,
        identity,
        start: Stamp::from_nanos(0),
        duration: Nanos::from_millis(2),
        batch: None,
        first_row: None,
        client_stall: Nanos::ZERO,
        rows: 1,
        bytes_in: 10,
        bytes_out: 20,
        outcome: Outcome::Completed,
        details: Details { tags: Some(Arc::new(tags)), ..Details::default() }.kept(),
    };
    for minutes_ago in (0..=240).rev() {
        let at = ago(minutes_ago).after(Nanos::from_millis(1_000));
        for _ in 0..executions(minutes_ago) {
            recorder.observe(Event::Statement(observation.clone()));
        }
        view.absorb_into(0, recorder.harvest(at, Stamp::from_nanos(0)).unwrap(), Some(&mut outbox));
        view.tick(at);
        while let Some(minutes) = outbox.take(at) {
            handed_out.try_send(minutes).unwrap();
        }
    }
    (view, minutes)
}

/// Statements of this process over so many hours.
async fn own(site: &axum::Router, hours: u64, more: &str) -> Value {
    let path = format!("/api/performance?metric=queries&hours={hours}&instance=self{more}");
    let answer = site.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// "`instance=self`: rows of this boot's committed sequences plus memory for the rest" (STORE §5), each execution once.
#[test]
fn what_left_memory_is_added_from_the_rows_of_this_life() {
    const TEXT: &str = "select a from kept where id = $1";
    let store = Store::on(Cluster::newest());
    let variables = [("PGVITALS_STORE", store.url("postgres")), ("PGVITALS_STORE_FLUSH_INTERVAL", "1s".to_owned())];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let app::Settings { http, store: Some(settings), analyze, jobs, notify, .. } =
        load(Flags::default(), variables).unwrap().app
    else {
        panic!("a store was named");
    };
    let (clock, telemetry) = (Clock::start(), Arc::new(Telemetry::default()));
    let now = clock.wall().minute();
    let (view, minutes) = four_hours(now, TEXT, &telemetry);
    let status = Arc::new(Status::default());
    let parts = Parts {
        origin: Arc::new(Origin::new(&http.instance, &http.service, view.started()).unwrap()),
        levels: Thresholds::default(),
        telemetry: Arc::clone(&telemetry),
        clock,
        shutdown: Shutdown::default(),
        status: Arc::clone(&status),
    };
    let stored = Stored { reader: Reader::new(settings.clone()), status };
    let alerts = Ledger::new(Some(&settings), Role::Sidecar, &analyze, &notify, clock);
    let jobs = Jobs::new(jobs::parts::Parts {
        settings: jobs,
        rules: analyze,
        collect: Vec::new(),
        ledger: alerts.clone(),
        store: Some(settings.clone()),
        holder: Holder { role: Role::Sidecar, boot: 1 },
        clock,
    });
    let live = watch::channel(view).1;
    let site = router(
        http,
        Sources {
            live: live.clone(),
            telemetry,
            panics: Panics::default(),
            ready: Arc::new(Healthy),
            store: Some(stored),
            alerts,
            jobs,
        },
    );
    let ask = async |hours: u64, more: &str| -> Value { own(&site, hours, more).await };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        Box::pin(Flusher::new(settings, parts, live).run(minutes)).await;
        for hours in [1, 2, 3, 5] {
            let expected: u64 = (0..=(hours * 60).min(240)).map(executions).sum();
            // All that ran had the route: whole and part are the same, from whatever they come.
            for more in ["", "&route=/kept"] {
                let answer = ask(hours, more).await;
                let row = &answer["queries"][0];
                assert_eq!((&row["query"], &row["calls"]), (&TEXT.into(), &expected.into()), "{hours} h{more}");
                assert_eq!(row["total_ms"], 2.0 * expected as f64, "{hours} h{more}");
            }
            assert_eq!(ask(hours, "&route=/else").await["total"], 0, "{hours} h");
        }
        assert_eq!(ask(3, "").await["source"], "memory+store");
        assert_eq!(
            ask(5, "").await["source"],
            "memory",
            "memory knows all since the start, and no part of it beyond an hour"
        );
    });
}
