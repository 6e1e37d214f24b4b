//! Executions that are kept one by one: slow, failed, sampled (STORE §2, `slow_statements`), in the table and in the API.

use serde_json::{Value, json};

use super::Store;
use super::writing::{end, writing};
use crate::bytes_of;
use crate::support::client::{Client, bind, execute, parse, query, sync};
use crate::support::clock::{PATIENCE, now};
use crate::support::http::Events;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// "`sample_rate` 1 logs each execution as a row, threshold or not"; errors are limited, and say how many there were.
#[test]
fn each_execution_has_a_row_that_says_why() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let setup = writing(monitored, &store.url("pgvitals_writer")).flag("slow-threshold", "6s");
    let pgvitals = setup.flag("sample-rate", "1").start();
    let mut client = Client::connect(pgvitals.address(), &database);
    for n in 0..300 {
        client.query(&format!("select {n} as quick"));
    }
    for _ in 0..40 {
        let failed = client.ask(&bytes_of![query("select 1/0")]);
        assert!(failed.iter().any(|frame| frame.tag == b'E'));
    }
    client.ask(&bytes_of![parse("", "select $1 as secret"), bind("", "", &["s3cret"]), execute("", 0), sync()]);
    client.query(
        "select from pg_class c join pg_namespace n on n.oid = relnamespace where c.relname = 'x' and nspname = 'y'",
    );
    client.query("select pg_sleep(6.2)");
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
    assert_eq!(of("count(*) + sum(suppressed)", "select $1 / $2"), "40", "those that have no row are counted in one");
    assert_eq!(of("count(*) || ' ' || count(parameters)", "select $1 as secret"), "1 0", "no values unless wanted");
    let compared = "select filters from pgvitals.queries where query like 'select from pg_class%'";
    assert_eq!(reader.value(compared), "{pg_namespace.oid,relnamespace,pg_class.relname,nspname}");
}

/// "Parameters only with `capture_parameters` (text and binary formats of the common types), cut at a limit" (issue 5), as
/// psycopg and asyncpg send them.
#[test]
fn executions_have_the_values_that_real_clients_bound() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let setup = writing(monitored, &store.url("pgvitals_writer")).flag("sample-rate", "1").flag("slow-threshold", "1h");
    let pgvitals = setup.switch("capture-parameters").start();
    let script = Tool::python("values_session.py").against(pgvitals.address(), &database);
    assert!(script.variable("PGUSER", "postgres").succeed().stdout.ends_with("done\n"));
    end(&pgvitals);

    let mut reader = store.superuser();
    let mut of = |mark: &str| -> (String, Value) {
        let rows = reader.query(&format!(
            "select reason, parameters from pgvitals.slow_statements join pgvitals.queries using (query_hash)
             where query ~ '{mark}$'"
        ));
        let [row] = &rows[..] else { panic!("{mark}: {rows:?}") };
        let values = row[1].as_deref().unwrap_or_else(|| panic!("{mark} has no parameters"));
        (row[0].clone().unwrap(), serde_json::from_str(values).unwrap())
    };
    let sampled = |values: Value| ("sampled".to_owned(), values);
    let error = |values: Value| ("error".to_owned(), values);
    assert_eq!(of("psycopg_text"), sampled(json!([42, "it's \"quoted\"", true, "12.50", "2024-02-29", "{1,2}", null])));
    assert_eq!(
        of("psycopg_binary"),
        sampled(json!([
            1_u64 << 40,
            0.1,
            "héllo",
            "\\x00ff",
            "123e4567-e89b-12d3-a456-426614174000",
            "2024-02-29 12:34:56.000001+00",
            "2024-02-29",
            "12:34:56.000001",
            "-12345.678",
            {"a": [1, null]},
            [1, null, 3],
            ["x", "y"],
        ]))
    );
    assert_eq!(of("psycopg_error"), error(json!([0])));
    assert_eq!(of("psycopg_bind"), error(json!(["forty-two"])));
    assert_eq!(of("psycopg_long"), sampled(json!(["x".repeat(256) + "…"])));
    assert_eq!(
        of("asyncpg"),
        sampled(json!([
            7,
            "seven",
            "0.00012",
            "2024-02-29 12:34:56.000001+00",
            ["a", null],
            "123e4567-e89b-12d3-a456-426614174000",
            {"b": 2},
            -3,
            false,
            0.5,
            {"oid": 600, "hex": "0".repeat(32)},
        ]))
    );
}

/// "running (in flight for 30 s: written once, at that flush, never used for sums)" (STORE §2), with its values; a row of
/// its own when it ends.
#[test]
fn what_runs_for_long_is_told_before_it_ends() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let setup = writing(monitored, &store.url("pgvitals_writer")).switch("capture-parameters");
    let pgvitals = setup.start();
    let mut client = Client::connect(pgvitals.address(), &database);
    client.send(&bytes_of![parse("", "select pg_sleep($1) as stuck"), bind("", "", &["3600"]), execute("", 0), sync()]);
    let mut reader = store.superuser();
    let mut told = || {
        reader.query(
            "select reason, parameters, sqlstate, duration_ms from pgvitals.slow_statements
             join pgvitals.queries using (query_hash) where query ~ 'stuck$' order by at",
        )
    };
    let patience = now() + PATIENCE * 2;
    let mut events = Events::subscribe(pgvitals.http);
    while told().is_empty() {
        assert!(now() < patience, "not told");
        events.await_event("live");
    }
    // Some seconds in which it runs on.
    (0..3).for_each(|_| drop(events.await_event("live")));
    let cancel = "select pg_cancel_backend(pid) from pg_stat_activity where query ~ 'stuck$' and datname = ";
    monitored.client("postgres").query(&format!("{cancel}'{database}'"));
    assert!(client.until(b'Z').iter().any(|frame| frame.field(b'C').as_deref() == Some("57014")));
    pgvitals.await_merge("its end", |pgvitals| {
        let summary = pgvitals.performance("metric=summary");
        (summary["slow_queries"]["count"] == 1).then_some(())
    });
    drop(client);
    end(&pgvitals);
    let rows = told();
    let text = |row: usize, column: usize| rows[row][column].clone().unwrap_or_default();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((text(0, 0), text(0, 1), text(0, 2)), ("running".into(), "[\"3600\"]".into(), "".into()));
    assert_eq!((text(1, 0), text(1, 1), text(1, 2)), ("slow".into(), "[\"3600\"]".into(), "57014".into()));
    let ms = |row: usize| text(row, 3).parse::<f64>().unwrap();
    assert!(ms(0) >= 30_000.0 && ms(1) > ms(0), "{rows:?}");
}
