//! Executions that are kept one by one: slow, failed, sampled (STORE §2, `slow_statements`), in the table and in the API.

use super::Store;
use super::writing::{end, writing};
use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::postgres::Cluster;

/// "`sample_rate` 1 logs each execution as a row, threshold or not"; errors are limited, and say how many there were.
#[test]
fn each_execution_has_a_row_that_says_why() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let setup = writing(monitored, &store.url("pgvitals_writer")).flag("slow-threshold", "200ms");
    let pgvitals = setup.flag("sample-rate", "1").start();
    let mut client = Client::connect(pgvitals.address(), &database);
    for n in 0..300 {
        client.query(&format!("select {n} as quick"));
    }
    for _ in 0..100 {
        let failed = client.ask(&bytes_of![query("select 1/0")]);
        assert!(failed.iter().any(|frame| frame.tag == b'E'));
    }
    client.query("select pg_sleep(0.3)");
    let hash = {
        let slow = pgvitals.await_merge("a slow execution", |pgvitals| {
            let answer = pgvitals.performance("metric=slow_queries");
            answer["slow_queries"].as_array().and_then(|rows| rows.first().cloned())
        });
        assert_eq!((&slow["query"], &slow["reason"]), (&"select pg_sleep($1)".into(), &"slow".into()));
        let queries = pgvitals.performance("metric=queries");
        let rows = queries["queries"].as_array().unwrap().iter();
        let row = rows.clone().find(|row| row["query"] == "select $1 / $2").unwrap_or_else(|| panic!("{queries:#}"));
        row["query_hash"].as_str().unwrap().to_owned()
    };
    let one = pgvitals.performance(&format!("metric=query&hash={hash}"));
    let sample = &one["samples"][0];
    assert_eq!((&sample["reason"], &sample["error"]), (&"error".into(), &"22012".into()), "{sample:#}");
    drop(client);
    end(&pgvitals);

    let mut reader = store.superuser();
    let mut of = |what: &str, text: &str| {
        reader.value(&format!(
            "select {what} from pgvitals.slow_statements join pgvitals.queries using (query_hash) where query = '{text}'"
        ))
    };
    assert_eq!(of("min(reason) || max(reason) || count(*)", "select $1 as quick"), "sampledsampled300");
    assert_eq!(of("min(reason) || max(reason) || count(*)", "select pg_sleep($1)"), "slowslow1");
    assert_eq!(of("min(reason) || max(sqlstate)", "select $1 / $2"), "error22012");
    assert_eq!(of("count(*) + sum(suppressed)", "select $1 / $2"), "100", "those that have no row are counted in one");
    assert!(of("count(*)", "select $1 / $2").parse::<u32>().unwrap() <= 60);
}
