//! `/api/performance` from the tables: other processes, other services, what memory no longer has.

use serde_json::Value;

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
    let failed = client.ask(&crate::bytes_of![crate::support::client::query("select 1/0")]);
    assert!(failed.iter().any(|frame| frame.tag == b'E'));
    drop(client);
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
    assert_eq!(divided["errors_by_code"], serde_json::json!({ "22012": 1 }));

    let slow = everybody("metric=slow_queries");
    assert_eq!(slow["slow_queries"].as_array().unwrap().len(), 1, "{slow}");
    assert_eq!(slow["slow_queries"][0]["query"], "select pg_sleep($1)");
    let tags = everybody("metric=tags&key=route");
    assert_eq!((&tags["tags"][0]["value"], &tags["tags"][0]["calls"]), (&"/songs".into(), &7.into()));
    assert_eq!(sum(&everybody("metric=timeline&step=hour")["series"]["calls"]), 9);
    let summary = everybody("metric=summary");
    assert_eq!((&summary["totals"]["calls"], &summary["transactions"]["committed"]), (&9.into(), &1.into()));

    let of = |parameters: &str| asked.performance(&format!("metric=queries&database={database}&{parameters}"));
    assert_eq!(row(&of("service=shop"), "select count(*) from songs")["calls"], 7);
    assert_eq!(of("service=back-office")["total"], 0);
    assert_eq!(of("server=elsewhere:5432")["total"], 0);
    assert_eq!((&of("")["source"], &of("")["total"]), (&"memory".into(), &0.into()), "its own memory is the default");
    let name = queries["instances"]["names"][0].as_str().unwrap();
    assert_eq!(row(&of(&format!("instance={name}")), "select count(*) from songs")["calls"], 7);
}

/// Memory answers while the store doesn't.
#[test]
fn a_store_that_is_away_is_said() {
    let pgvitals = writing(Cluster::any(), "postgres://nobody@127.0.0.1:1/nothing").start();
    assert_eq!(pgvitals.performance("metric=queries")["source"], "memory");
    let answer = pgvitals.get("/api/performance?metric=queries&instance=all");
    assert_eq!((answer.status, answer.json()["type"].as_str()), (503, Some("urn:pgvitals:problem:store-unavailable")));
}
