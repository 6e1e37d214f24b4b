//! "A fleet's one place to look at" (STORE §4): what it answers, and what it has no answer to.

use super::{Cluster, Store, busy, serving, sidecar};
use crate::browser::alone;
use crate::store::writing::{end, kill};
use crate::support::clock::{PATIENCE, now};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::tool::Tool;

/// A store with what two sidecars of two servers measured, who ended.
fn furnished() -> Store {
    let store = Store::on(Cluster::newest());
    for server in ["orders-db", "billing-db"] {
        let sidecar = sidecar(&store, server).flag("service", server.trim_end_matches("-db")).start();
        busy(&sidecar);
        sidecar.await_statement("select $1 as something", 3);
        end(&sidecar);
    }
    store
}

/// Metrics that the tables answer, each with what it must hold.
const ANSWERED: [(&str, &str); 7] = [
    ("summary", "/totals/calls"),
    ("queries", "/queries/0/calls"),
    ("timeline", "/series/calls"),
    ("tags&key=route", "/tags"),
    ("slow_queries", "/slow_queries/0/query"),
    ("alerts", "/alerts"),
    ("query", "/callers/0/calls"),
];

/// Default is all, of all servers; nothing is said of a proxy that isn't there. Its role writes and reads (docs/fleet.md).
#[test]
fn all_of_a_fleet_is_answered_from_the_tables() {
    let store = furnished();
    let mut admin = store.superuser();
    let role = format!("serve_{}", admin.value("select current_database()"));
    admin.query(&format!("create role {role} login in role pgvitals_writer, pgvitals_reader"));
    let serve = Setup::serving(&store.url(&role)).flag("alerts-interval", "1s").flag("slow-threshold", "1us").start();
    serve.log_until("roll-up and retention done");
    let queries = serve.performance("metric=queries");
    let row = &queries["queries"][0];
    assert_eq!((&row["query"], &row["calls"]), (&"select $1 as something".into(), &6.into()), "{queries:#}");
    assert_eq!(queries["source"], "store");
    let instances = &queries["instances"];
    assert_eq!((&instances["count"], instances["names"].as_array().unwrap().len()), (&2.into(), 1), "two of one name");
    assert_eq!(queries["servers"], serde_json::json!(["billing-db", "orders-db"]));
    let hash = row["query_hash"].as_str().unwrap();
    for (metric, holds) in ANSWERED {
        let metric = if metric == "query" { format!("query&hash={hash}") } else { metric.to_owned() };
        let answer = serve.performance(&format!("metric={metric}"));
        assert!(answer.pointer(holds).is_some_and(|value| !value.is_null()), "{metric}: {answer:#}");
        assert_eq!(answer["source"], "store", "{metric}");
    }
    let one = serve.performance("metric=queries&server=orders-db");
    assert_eq!((&one["queries"][0]["calls"], &one["servers"]), (&3.into(), &serde_json::json!(["orders-db"])));
    let service = serve.performance("metric=queries&service=billing");
    assert_eq!(service["queries"][0]["calls"], 3, "{service:#}");
    of_a_route(&serve);
    let summary = serve.performance("metric=summary");
    assert!(summary["connections"]["open"].is_null() && summary["self"]["rows_written"].is_null(), "{summary:#}");
    assert!(summary["self"]["version"].is_string() && summary["self"]["resident_bytes"].is_number(), "{summary:#}");
    nothing_of_its_own(&serve);
    assert!(!serve.keeper.log.text().contains(" WARN "), "{}", serve.keeper.log.text());
}

/// Tags are counted by process: which of several servers one ran on is not known, which service is.
fn of_a_route(serve: &Pgvitals) {
    let of = |more: &str| serve.performance(&format!("metric=queries&route=/something&{more}"));
    assert_eq!((&of("")["queries"][0]["calls"], &of("service=billing")["queries"][0]["calls"]), (&6.into(), &3.into()));
    for metric in ["queries", "timeline"] {
        let refused = serve.get(&format!("/api/performance?metric={metric}&route=/something&server=orders-db"));
        assert!(refused.status == 400 && refused.body.contains("route and server can't be combined"), "{refused:?}");
    }
    let tags = serve.performance("metric=tags&key=route&server=orders-db");
    assert_eq!(tags["tags"][0]["calls"], 6, "of all servers, as docs/http.md says");
}

fn nothing_of_its_own(serve: &Pgvitals) {
    for (parameters, words) in [("metric=summary&instance=self", "measures nothing"), ("metric=active", "sidecar")] {
        let refused = serve.get(&format!("/api/performance?{parameters}"));
        assert!(refused.status == 400 && refused.body.contains(words), "{parameters}: {refused:?}");
    }
    let unseen = serve.get("/api/performance?metric=bloat");
    assert!(unseen.status == 503 && unseen.body.contains("[[monitor]]"), "{unseen:?}");
    let closed = serve.get("/api/cron/hourly-monitoring");
    assert_eq!(closed.status, 403, "no CRON_SECRET: {closed:?}");
    let metrics = serve.get("/metrics").body;
    let families: Vec<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for family in
        ["pgvitals_build_info", "pgvitals_store_size_bytes", "pgvitals_alerts_open", "process_start_time_seconds"]
    {
        assert!(families.iter().any(|one| one.starts_with(family)), "{family}: {metrics}");
    }
    let of_a_proxy = ["statement", "connection", "transaction", "series", "samples", "spool", "store_rows", "proxy"];
    let absent = |family: &&&str| of_a_proxy.iter().any(|part| family.starts_with(&format!("pgvitals_{part}")));
    assert_eq!(families.iter().find(absent), None);
    assert!(serve.get("/").body.contains("data-serves"), "the page knows whose it is");
    assert_eq!(serve.get("/openapi.json").status, 200);
}

/// "*Fleet* …; `pgvitals serve` is its home" (issue 7)
#[test]
fn its_page_opens_on_the_fleet() {
    let store = furnished();
    let serve = serving(&store).start();
    let _alone = alone();
    Tool::browser("serve.mjs", serve.http).succeed();
}

/// `/readyz`: "the store answers", within a bounded time, whatever hangs.
#[test]
fn it_is_ready_while_its_store_answers() {
    let store = Store::on(Cluster::own(Cluster::newest().major));
    let serve = serving(&store).start();
    let await_status = |status: u16| {
        let end = now() + PATIENCE;
        loop {
            let asked = now();
            let answer = serve.get("/readyz");
            assert!(asked.elapsed() < PATIENCE / 4, "an orchestrator does not wait so long");
            if answer.status == status {
                return answer;
            }
            assert!(now() < end, "{answer:?}");
        }
    };
    await_status(200);
    kill("-STOP", store.cluster.pid());
    let hangs = await_status(503);
    assert!(hangs.body.contains("the store does not answer"), "{hangs:?}");
    assert_eq!(serve.get("/healthz").status, 200, "the process itself is well");
    kill("-CONT", store.cluster.pid());
    await_status(200);
    serve.signal("TERM");
    serve.await_phase("Stopped");
}

/// What it can't do without is said, and what to do.
#[test]
fn without_a_store_there_is_nothing_to_serve() {
    let said = Setup::serving("off").fail("store.url");
    assert!(said.contains("--store postgres://"), "{said}");
}

/// It makes the tables where nobody has, and a store without a sidecar is no error.
#[test]
fn an_empty_store_is_served() {
    let store = Store::empty(Cluster::newest());
    let serve = serving(&store).start();
    let summary = serve.performance("metric=summary");
    assert_eq!((&summary["totals"]["calls"], &summary["servers"]), (&0.into(), &serde_json::json!([])), "{summary:#}");
    serve.log_until("monitoring tables brought to this version");
}
