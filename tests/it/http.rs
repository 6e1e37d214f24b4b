//! The HTTP side, live, in the shapes of API.md.

use serde_json::Value;

use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::http::Events;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

/// A pgvitals that has seen a good, a failed and a slow statement.
fn seen() -> (Pgvitals, Client) {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.query("/*route='/orders'*/ select 42, 43");
    client.ask(&bytes_of![query("select 1/0")]);
    client.query("select pg_sleep(0.6)");
    pgvitals.await_statement("select pg_sleep($1)", 1);
    (pgvitals, client)
}

#[track_caller]
fn has(value: &Value, names: &[&str]) {
    for name in names {
        assert!(value.get(name).is_some(), "no {name} in {value:#}");
    }
}

/// "Every answer of `/api/performance` begins with" window, source, resolution; the body as the table says (API.md)
#[test]
fn every_metric_has_its_shape() {
    let (pgvitals, _client) = seen();
    let sleep = pgvitals.await_statement("select pg_sleep($1)", 1);
    let bodies = [
        ("summary", &["totals", "connections", "transactions", "top", "slow_queries", "unmeasured", "self"][..]),
        ("queries", &["queries", "total"]),
        ("timeline", &["series"]),
        ("tags&key=route", &["tags"]),
        ("active", &["statements", "transactions"]),
        ("slow_queries", &["threshold_ms", "slow_queries"]),
        (&format!("query&hash={}", sleep.query_hash), &["series", "histogram", "errors_by_code"]),
    ];
    for (metric, names) in bodies {
        let body = pgvitals.performance(&format!("metric={metric}"));
        has(&body, &["metric", "window", "source"]);
        has(&body, names);
        assert_eq!(body["metric"], metric.split('&').next().unwrap());
        assert_eq!(body["source"], "memory");
    }
    let tags = pgvitals.performance("metric=tags&key=route");
    assert_eq!((&tags["tags"][0]["value"], &tags["tags"][0]["calls"]), (&"/orders".into(), &1.into()), "{tags:#}");
    let slow = pgvitals.performance("metric=slow_queries&threshold=500");
    assert_eq!(slow["slow_queries"][0]["query"], "select pg_sleep($1)", "{slow:#}");
    assert!(slow["slow_queries"][0]["duration_ms"].as_f64() >= Some(600.0));
    let totals = &pgvitals.performance("metric=summary")["totals"];
    assert_eq!((&totals["calls"], &totals["errors"]), (&3.into(), &1.into()), "{totals:#}");
}

/// "Unknown parameters or values: 400 `application/problem+json`"
#[test]
fn what_is_unknown_is_a_problem() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    for parameters in ["metric=nonsense", "metric=queries&sort=nonsense", "nonsense=1", "metric=queries&limit=0"] {
        let answer = pgvitals.get(&format!("/api/performance?{parameters}"));
        assert_eq!((answer.status, &answer.content_type[..]), (400, "application/problem+json"), "{parameters}");
        has(&answer.json(), &["type", "title", "detail"]);
    }
    assert_eq!(pgvitals.get("/nothing").status, 404);
    assert_eq!(pgvitals.get("/healthz").status, 200);
    assert_eq!(pgvitals.get("/readyz").status, 200);
    has(&pgvitals.get("/openapi.json").json()["paths"], &["/api/performance", "/metrics"]);
}

/// What is too long is refused by its head, and the next request is answered.
#[test]
fn a_head_that_is_too_long_is_refused() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let long = |bytes: usize| pgvitals.get(&format!("/api/performance?metric=queries&search={}", "x".repeat(bytes)));
    assert_eq!(long(60_000).json()["total"], 0);
    assert_eq!(long(100_000).status, 414);
    assert_eq!(pgvitals.get("/healthz").status, 200);
}

/// Every family is documented; every sample is a name, labels and a number.
#[test]
fn metrics_are_prometheus_text_and_documented() {
    let (pgvitals, _client) = seen();
    let answer = pgvitals.get("/metrics");
    assert!(answer.content_type.starts_with("text/plain"), "{}", answer.content_type);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let documented = std::fs::read_to_string(path).unwrap();
    let (comments, samples): (Vec<&str>, Vec<&str>) = answer.body.lines().partition(|line| line.starts_with('#'));
    for sample in &samples {
        let (name, value) = sample.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{sample}");
        assert!(name.starts_with("pgvitals_") || name.starts_with("process_"), "{sample}");
    }
    for comment in comments.iter().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = comment.split(' ').next().unwrap();
        let known =
            [name.to_owned(), format!("{name}_total")].iter().any(|name| documented.contains(&format!("`{name}`")));
        assert!(known, "{name} is not in docs/metrics.md");
    }
    let errors = r#"pgvitals_statement_errors_total{database="postgres",sqlstate="22012"}"#;
    assert_eq!(pgvitals.metric(errors), 1.0, "{}", answer.body);
}

/// "`/api/events`: server-sent events `live` (each second …), `slow` (as in `slow_queries`)"
#[test]
fn events_tell_what_happens() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut events = Events::subscribe(pgvitals.http);
    has(&events.await_event("live"), &["at", "calls", "errors", "p50_ms", "p95_ms", "p99_ms", "connections", "top"]);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.query("select pg_sleep(0.6)");
    let slow = events.await_event("slow");
    assert_eq!(slow["query"], "select pg_sleep($1)", "{slow:#}");
    has(&slow, &["at", "query_hash", "duration_ms", "rows", "level", "database", "user", "application"]);
}

/// "What is running now is visible while it runs" (DESIGN §4)
#[test]
fn a_statement_is_visible_while_it_runs() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    let mut admin = Cluster::any().client("postgres");
    client.query("begin");
    admin.query("select pg_advisory_lock(77)");
    client.send(&bytes_of![query("select pg_advisory_lock(77)")]);
    let active = pgvitals.await_merge("a statement in flight", |pgvitals| {
        let body = pgvitals.performance("metric=active");
        (!body["statements"].as_array()?.is_empty()).then_some(body)
    });
    assert_eq!(active["statements"][0]["query"], "select pg_advisory_lock($1)", "{active:#}");
    assert_eq!(active["transactions"].as_array().map(Vec::len), Some(1), "{active:#}");
    admin.query("select pg_advisory_unlock(77)");
    client.until(b'Z');
}
