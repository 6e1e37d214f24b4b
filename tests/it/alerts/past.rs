//! Statements against their past: the days before are rows of the tables, and what happens now is executed.

use serde_json::Value;

use super::{SLEEP, act, alerts, await_alert, eager, hook, received, slow, travel};
use crate::bytes_of;
use crate::notify::Receiver;
use crate::store::Store;
use crate::store::writing::{end, writing};
use crate::support::client::{Client, query};
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

/// The last hour that the judge compares: hours settle for six minutes.
const HOUR: &str = "date_trunc('hour', now() - interval '6 minutes')";

/// What every statement of the store was for so many days up to that hour: fifty calls an hour of 20 ms, and no error.
fn remember(admin: &mut Client, days: u32) {
    let past = format!(
        "select pgvitals.make_partition('query_stats_hour', 'query_stats_hour_past',
            date_trunc('day', now(), 'UTC') - interval '{} days',
            (select min(since) from pgvitals.partitions('query_stats_hour')));
        select pgvitals.note_kept()",
        days + 2
    );
    past.split(';').for_each(|sql| drop(admin.query(sql)));
    let hours =
        format!("generate_series({HOUR} - interval '{days} days 1 hour', {HOUR} - interval '2 hours', '1 hour') hour");
    admin.query(&format!(
        "insert into pgvitals.query_stats_hour (
             series_id, bucket, rows, bytes_in, bytes_out, total_us, first_row_us, client_stall_us, max_us, service_id,
             calls, errors, aborted, batched, min_us, fast_calls, slow_calls, very_slow_calls, first_row_calls, prepares,
             prepare_us, buckets_us, counts
         )
         select s.series_id, hour, 50, 1, 1, 1000000, 1, 0, 20000, (select min(service_id) from pgvitals.services),
             50, 0, 0, 0, 20000, 50, 0, 0, 50, 0, 0, '{{20000}}', '{{50}}'
         from pgvitals.series s, {hours}"
    ));
    admin.query(&format!("insert into pgvitals.rollups (resolution, bucket) select 'hour', hour from {hours}"));
}

/// A statement takes 40 ms in the last hour, and took 20 ms on so many days before it; its hash.
fn slowed(start: impl Fn() -> Pgvitals, database: &str, admin: &mut Client, days: u32) -> String {
    let process = start();
    slow(&process, database, &["select pg_sleep(0.04)"; 25]);
    let hash = process.await_statement("select pg_sleep($1)", 25).query_hash;
    end(&process);
    remember(admin, days);
    admin.query(&format!("update pgvitals.query_stats set bucket = {HOUR} - interval '30 minutes'"));
    hash
}

/// Something that the store hears of at once, so that there is something to judge, and of which nobody is told.
fn wake(pgvitals: &Pgvitals, database: &str) {
    slow(pgvitals, database, &[&format!("/* pgvitals:no-alert */ {SLEEP}, 'awake'")]);
}

fn of_kind(pgvitals: &Pgvitals, kind: &str) -> Vec<Value> {
    alerts(pgvitals).into_iter().filter(|alert| alert["kind"] == kind).collect()
}

/// "An injected slow-down of one statement by 2 × is found within an hour" (issue 6): when the hour is over in which it
/// began, by whoever judges; in the table, over HTTP, and told; over when two hours don't show it.
#[test]
fn a_slow_down_by_two_is_found_when_its_hour_is_over() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let (_file, hook) = hook(&receiver);
    let database = monitored.database();
    let start =
        || eager(writing(monitored, &store.url("pgvitals_writer"))).flag("notify-webhook-url-file", &hook).start();
    let mut admin = store.superuser();
    let hash = slowed(start, &database, &mut admin, 8);

    let second = start();
    wake(&second, &database);
    let found = await_alert(&second, "a regression", |alert| alert["kind"] == "regression");
    assert_eq!((&found["subject"], &found["severity"]), (&format!("{database} {hash}").into(), &"warning".into()));
    assert!((1.9..4.0).contains(&found["value"].as_f64().unwrap()), "{found:#}");
    assert!(found["message"].as_str().unwrap().contains("after 20.1 ms (25 calls in"), "{found:#}");
    let row = format!(
        "select count(*) from pgvitals.alerts where kind = 'regression' and opened_at >= {HOUR} - interval '1 hour'"
    );
    assert_eq!(admin.value(&row), "1");
    travel(&store, 2);
    let told = received(&receiver, 1);
    assert_eq!(
        (&told[0]["kind"], &told[0]["event"], &told[0]["id"]),
        (&"regression".into(), &"opened".into(), &found["id"])
    );
    end(&second);

    // Nobody calls it any more: its last twenty calls are those of before.
    let slow_hour = format!("bucket >= {HOUR} - interval '1 hour'");
    for looks in 1..=2 {
        admin.query("delete from pgvitals.query_stats");
        admin.query(&format!("delete from pgvitals.query_stats_hour where {slow_hour}"));
        admin.query("update pgvitals.alerts set last_seen_at = last_seen_at - interval '1 hour', missed_at = missed_at - interval '1 hour'");
        let next = start();
        wake(&next, &database);
        let what = format!("look {looks} that doesn't show it");
        next.await_merge(&what, |_| {
            let seen = format!("select missed from pgvitals.alerts where kind = 'regression' and missed = {looks}");
            (!admin.query(&seen).is_empty()).then_some(())
        });
        let is_over = !of_kind(&next, "regression")[0]["resolved_at"].is_null();
        assert_eq!(is_over, looks == 2);
        end(&next);
    }
}

/// Nobody mends it: it is not over because a week has passed. What it is compared with lies before it began.
#[test]
fn what_stays_slow_for_a_week_stays_open() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let database = monitored.database();
    let start = || eager(writing(monitored, &store.url("pgvitals_writer"))).start();
    let mut admin = store.superuser();
    let hash = slowed(start, &database, &mut admin, 17);
    admin.query(&format!(
        "update pgvitals.query_stats_hour set buckets_us = '{{40000}}', total_us = 2000000
         where bucket >= {HOUR} - interval '7 days'"
    ));
    admin.query(&format!(
        "insert into pgvitals.alerts (opened_at, last_seen_at, updated_at, value, worst, threshold, count, server, kind,
             subject, datname, query_hash, severity, message)
         select {HOUR} - interval '7 days', {HOUR} - interval '1 hour', {HOUR} - interval '1 hour', 2, 2, 1.5, 160,
             s.server, 'regression', s.datname || ' ' || s.query_hash, s.datname, s.query_hash, 'warning', 'slower'
         from pgvitals.series s where s.query_hash = '{hash}'"
    ));
    let second = start();
    wake(&second, &database);
    let looked = "select count || ' ' || missed from pgvitals.alerts
        where kind = 'regression' and (count > 160 or missed > 0)";
    let seen = second.await_merge("a look at the hour", |_| admin.query(looked).pop());
    assert_eq!(seen.first().and_then(Option::as_deref), Some("161 0"));
}

/// Runs a statement that fails with a division by zero.
fn fail(client: &mut Client, sql: &str) {
    let frames = client.ask(&bytes_of![query(sql)]);
    let code = frames.iter().find(|frame| frame.tag == b'E').and_then(|frame| frame.field(b'C'));
    assert_eq!(code.as_deref(), Some("22012"), "{sql}");
}

/// *Error rate* against seven days: in the table, over HTTP, and told; "`/* pgvitals:no-alert */` exempts".
#[test]
fn a_statement_that_begins_to_fail_is_found_and_told() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let (_file, hook) = hook(&receiver);
    let database = monitored.database();
    let start =
        || eager(writing(monitored, &store.url("pgvitals_writer"))).flag("notify-webhook-url-file", &hook).start();
    let first = start();
    let mut client = Client::connect(first.address(), &database);
    for _ in 0..12 {
        fail(&mut client, "select 10 / 0");
        fail(&mut client, "/* pgvitals:no-alert */ select 10 / 0, 'exempt'");
    }
    (0..18).for_each(|_| drop(client.query("select 10 / 1")));
    let hash = first.await_statement("select $1 / $2", 30).query_hash;
    drop(client);
    end(&first);
    let mut admin = store.superuser();
    remember(&mut admin, 8);
    for table in ["query_stats", "errors", "tag_stats"] {
        admin
            .query(&format!("update pgvitals.{table} set bucket = date_trunc('minute', now()) - interval '5 minutes'"));
    }

    let second = start();
    wake(&second, &database);
    let found = await_alert(&second, "an error rate", |alert| alert["kind"] == "error_rate");
    assert_eq!((&found["subject"], &found["severity"]), (&format!("{database} {hash}").into(), &"alert".into()));
    assert_eq!((&found["value"], &found["threshold"]), (&40.0.into(), &5.0.into()), "{found:#}");
    assert_eq!(alerts(&second).len(), 1, "the exempt ones are no alert");
    assert_eq!(admin.value("select count(*) || ' ' || max(kind) from pgvitals.alerts"), "1 error_rate");
    travel(&store, 2);
    let told = received(&receiver, 1);
    assert_eq!((&told[0]["kind"], &told[0]["event"]), (&"error_rate".into(), &"opened".into()), "{told:#?}");
    assert_eq!(act(&second, &found["id"], "ack", r#"{"by": "ada"}"#).status, 200);

    admin.query("update pgvitals.errors set bucket = bucket - interval '1 hour'");
    second.await_merge("the end of an alert", |second| {
        travel(&store, 20);
        of_kind(second, "error_rate").into_iter().find(|alert| !alert["resolved_at"].is_null())
    });
    travel(&store, 20);
    let told = received(&receiver, 2);
    assert_eq!((&told[1]["event"], &told[1]["acknowledged_by"]), (&"resolved".into(), &"ada".into()), "{told:#?}");
}
