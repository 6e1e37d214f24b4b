//! Alerts that ring once, in memory and in the tables: an alert's life as its owner sees it. Time in tables is moved by
//! moving their rows. [`past`]: statements against what they were. [`neighbours`]: what is about servers, and pgvitals
//! itself. [`rings`]: who is told when, and who not; what is [`waiting`] for that. [`thresholds`] of the owner's own; the daily
//! [`report`].

mod neighbours;
mod past;
mod report;
mod rings;
mod thresholds;
mod waiting;

use serde_json::Value;

use crate::notify::Receiver;
use crate::store::Store;
use crate::store::writing::{end, writing};
use crate::support::client::Client;
use crate::support::http::{self, Answer, Events};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

/// Judged each second, from the first second on.
pub(crate) fn eager(setup: Setup) -> Setup {
    setup.flag("alerts-interval", "1s").flag("alerts-learn", "0")
}

/// Runs statements that take longer than 500 ms, and less than a second on any machine that can run this at all.
fn slow(pgvitals: &Pgvitals, database: &str, statements: &[&str]) {
    let mut client = Client::connect(pgvitals.address(), database);
    for statement in statements {
        client.query(statement);
    }
}

const SLEEP: &str = "select pg_sleep(0.6)";

fn alerts(pgvitals: &Pgvitals) -> Vec<Value> {
    let body = pgvitals.performance("metric=alerts&hours=24");
    body["alerts"].as_array().unwrap_or_else(|| panic!("{body:#}")).clone()
}

/// Waits until one of the alerts is as wanted.
#[track_caller]
fn await_alert(pgvitals: &Pgvitals, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    pgvitals.await_merge(what, |pgvitals| alerts(pgvitals).into_iter().find(|alert| is(alert)))
}

fn act(pgvitals: &Pgvitals, id: &Value, action: &str, body: &str) -> Answer {
    let head = "content-type: application/json\r\n";
    http::post(pgvitals.http, &format!("/api/alerts/{id}/{action}"), head, body)
}

/// "Without a store each process judges its own memory by the same rules" (DESIGN §7); "`alerts` [{…}]", "`alerts`
/// {`open`,`critical`}", "`POST /api/alerts/{id}/ack` {`by`}, `/silence` {`by`,`minutes`}: 200 with the alert, 404" (API.md)
#[test]
fn without_a_store_an_alert_lives_in_memory() {
    let cluster = Cluster::any();
    let pgvitals = eager(Setup::before(&cluster.tcp)).start();
    let mut events = Events::subscribe(pgvitals.http);
    slow(&pgvitals, "postgres", &[SLEEP]);
    let told = events.await_event("alert");
    assert_eq!((&told["kind"], &told["resolved_at"]), (&"slow_statement".into(), &Value::Null), "{told:#}");

    let alert = await_alert(&pgvitals, "an alert", |_| true);
    let hash = pgvitals.await_statement("select pg_sleep($1)", 1).query_hash;
    assert_eq!(alert["subject"], format!("postgres {hash}"), "{alert:#}");
    assert_eq!((&alert["threshold"], &alert["count"]), (&500.0.into(), &1.into()), "{alert:#}");
    assert!(alert["value"].as_f64() >= Some(600.0), "{alert:#}");
    let severity = alert["severity"].as_str().unwrap();
    assert!(["alert", "critical"].contains(&severity), "{alert:#}");
    let summary = pgvitals.performance("metric=summary");
    assert_eq!(summary["alerts"]["open"], 1, "{summary:#}");
    let gauge = format!("pgvitals_alerts_open{{kind=\"slow_statement\",severity=\"{severity}\"}}");
    assert_eq!(pgvitals.metric(&gauge), 1.0);

    let id = &alert["id"];
    let known = act(&pgvitals, id, "ack", r#"{"by": "ada"}"#);
    assert_eq!((known.status, &known.json()["acknowledged"]), (200, &"ada".into()), "{known:?}");
    assert_eq!(alerts(&pgvitals)[0]["acknowledged"], "ada");
    assert!(alerts(&pgvitals)[0]["silenced_until"].is_null());
    let quiet = act(&pgvitals, id, "silence", r#"{"by": "ada", "minutes": 60}"#);
    assert_eq!((quiet.status, &quiet.json()["silenced_by"]), (200, &"ada".into()), "{quiet:?}");
    assert_eq!(alerts(&pgvitals)[0]["silenced_until"], quiet.json()["silenced_until"], "all see until when");
    for (answer, status, kind) in [
        (act(&pgvitals, &99.into(), "ack", r#"{"by": "ada"}"#), 404, "unknown-alert"),
        (act(&pgvitals, id, "ack", r#"{"by": " "}"#), 400, "bad-body"),
        (act(&pgvitals, id, "silence", r#"{"by": "ada", "minutes": 0}"#), 400, "bad-body"),
        (http::post(pgvitals.http, &format!("/api/alerts/{id}/ack"), "", r#"{"by": "ada"}"#), 400, "bad-body"),
        (foreign(&pgvitals, id), 403, "foreign-origin"),
        (pgvitals.get(&format!("/api/alerts/{id}/ack")), 405, "method-not-allowed"),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json()["type"], format!("urn:pgvitals:problem:{kind}"));
    }
}

/// What a page of another site can make a browser send.
fn foreign(pgvitals: &Pgvitals, id: &Value) -> Answer {
    let head = "content-type: application/json\r\norigin: http://evil.example\r\n";
    http::post(pgvitals.http, &format!("/api/alerts/{id}/ack"), head, r#"{"by": "eve"}"#)
}

/// "resolves after a quiet `cooldown`" (DESIGN §7); "409 when it is resolved" (API.md)
#[test]
fn what_is_quiet_for_long_enough_is_over() {
    let pgvitals = eager(Setup::before(&Cluster::any().tcp)).flag("alerts-cooldown", "1s").start();
    slow(&pgvitals, "postgres", &[SLEEP]);
    let alert = await_alert(&pgvitals, "the end of an alert", |alert| !alert["resolved_at"].is_null());
    let refused = act(&pgvitals, &alert["id"], "ack", r#"{"by": "ada"}"#);
    assert_eq!((refused.status, &refused.json()["type"]), (409, &"urn:pgvitals:problem:alert-over".into()));
    assert_eq!(pgvitals.performance("metric=summary")["alerts"]["open"], 0);
    pgvitals.log_until("an alert is over");
}

/// "`/* pgvitals:no-alert */` exempts" (FIELD (e))
#[test]
fn a_comment_exempts_a_statement() {
    let pgvitals = eager(Setup::before(&Cluster::any().tcp)).start();
    let exempt = format!("/* pgvitals:no-alert */ {SLEEP}");
    slow(&pgvitals, "postgres", &[&exempt, "select pg_sleep(0.6), 'judged'"]);
    await_alert(&pgvitals, "an alert", |_| true);
    let judged = pgvitals.await_statement("select pg_sleep($1), $2", 1);
    let hashes: Vec<Value> = alerts(&pgvitals).iter().map(|alert| alert["query_hash"].clone()).collect();
    assert_eq!(hashes, [Value::from(judged.query_hash)]);
}

/// Moves what the store knows of alerts and of single executions into the past.
fn travel(store: &Store, minutes: u32) {
    let by = format!("interval '{minutes} minutes'");
    store.superuser().query(&format!(
        "update pgvitals.slow_statements set at = at - {by};
         update pgvitals.servers set first_seen = first_seen - {by};
         update pgvitals.notifications set due = due - {by}, sent_at = sent_at - {by};
         update pgvitals.alerts set opened_at = opened_at - {by}, last_seen_at = last_seen_at - {by},
             updated_at = updated_at - {by} where resolved_at is null"
    ));
}

/// "survives restart": an alert's whole life in the table, over two processes; the writer's role is all that it takes.
#[test]
fn an_alert_in_the_tables_outlives_the_process() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let start = || eager(writing(monitored, &store.url("pgvitals_writer"))).start();
    let first = start();
    slow(&first, &database, &[SLEEP]);
    let opened = await_alert(&first, "an alert", |_| true);
    assert_eq!((&opened["kind"], &opened["count"]), (&"slow_statement".into(), &1.into()), "{opened:#}");
    assert_eq!(first.performance("metric=alerts")["source"], "store");
    end(&first);
    let mut reader = store.superuser();
    assert_eq!(reader.value("select count(*) from pgvitals.alerts where resolved_at is null"), "1");

    travel(&store, 2);
    let second = start();
    slow(&second, &database, &[SLEEP]);
    let seen = await_alert(&second, "a second sighting", |alert| alert["count"] == 2);
    assert_eq!(seen["id"], opened["id"], "{seen:#}");
    assert_eq!(act(&second, &seen["id"], "ack", r#"{"by": "ada"}"#).status, 200);
    let quiet = act(&second, &seen["id"], "silence", r#"{"by": "ada", "minutes": 5}"#);
    assert_eq!((quiet.status, &quiet.json()["silenced_by"]), (200, &"ada".into()), "{quiet:?}");
    let listed = &alerts(&second)[0];
    assert_eq!((&listed["silenced_by"], &listed["silenced_until"]), (&"ada".into(), &quiet.json()["silenced_until"]));
    let by = "select string_agg(acknowledged_by, ' ') || ' ' || (select silenced_by from pgvitals.silences) from pgvitals.alerts";
    assert_eq!(reader.value(by), "ada ada");

    let over = second.await_merge("the end of an alert", |second| {
        // Whoever judges may have read the executions a moment before: then it is seen again, and moved again.
        travel(&store, 20);
        alerts(second).into_iter().find(|alert| !alert["resolved_at"].is_null())
    });
    assert_eq!((&over["id"], &over["acknowledged"]), (&opened["id"], &"ada".into()), "{over:#}");
    assert_eq!(act(&second, &over["id"], "ack", r#"{"by": "ada"}"#).status, 409);
    assert_eq!(reader.value("select count(*) from pgvitals.alerts"), "1");
}

/// A file with this text, which goes with the first of the two.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    let path = file.path().display().to_string();
    (file, path)
}

/// The file that says where a receiver listens: such an URL is a secret.
fn hook(receiver: &Receiver) -> (tempfile::NamedTempFile, String) {
    file(&format!("http://127.0.0.1:{}/hook", receiver.port))
}

/// Alerts as a webhook's receiver got them, so many messages with one alert each.
fn received(receiver: &Receiver, count: usize) -> Vec<Value> {
    let told = receiver.received(count).into_iter().map(|request| {
        let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["alerts"].as_array().map(Vec::len), Some(1), "{body:#}");
        body["alerts"][0].clone()
    });
    told.collect()
}

/// "it *notifies* at the second sighting within an hour, or when critical" (DESIGN §7), "the last message must tell the
/// final state", "the queue survives restarts" (FIELD (e)): an alert's life as its owner hears of it.
#[test]
fn people_hear_of_the_second_sighting_and_of_the_end() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let (_file, hook) = hook(&receiver);
    let database = monitored.database();
    let start =
        || eager(writing(monitored, &store.url("pgvitals_writer"))).flag("notify-webhook-url-file", &hook).start();
    let mut reader = store.superuser();
    let mut waiting = move || reader.value("select count(*) from pgvitals.notifications");
    let first = start();
    slow(&first, &database, &[SLEEP]);
    let opened = await_alert(&first, "an alert", |_| true);
    // On a machine that is so slow it may be critical at once.
    let expected = if opened["severity"] == "critical" { "1" } else { "0" };
    assert_eq!(waiting(), expected, "{opened:#}");
    travel(&store, 2);
    slow(&first, &database, &[SLEEP]);
    await_alert(&first, "a second sighting", |alert| alert["count"] == 2);
    assert_eq!(waiting(), "1", "others may follow within 30 s");
    end(&first);

    let second = start();
    travel(&store, 2);
    slow(&second, &database, &[SLEEP]);
    let told = received(&receiver, 1);
    assert_eq!((&told[0]["event"], &told[0]["id"]), (&"opened".into(), &opened["id"]), "{told:#?}");
    assert_eq!(act(&second, &opened["id"], "ack", r#"{"by": "ada"}"#).status, 200);

    let over = second.await_merge("the end of an alert", |second| {
        travel(&store, 20);
        alerts(second).into_iter().find(|alert| !alert["resolved_at"].is_null())
    });
    travel(&store, 20);
    let told = received(&receiver, 2);
    assert_eq!((&told[1]["event"], &told[1]["acknowledged_by"]), (&"resolved".into(), &"ada".into()), "{told:#?}");
    // Rows keep microseconds, and so do messages.
    assert_eq!(told[1]["resolved_at"].is_null(), over["resolved_at"].is_null());
    assert_eq!(waiting(), "2");
    assert_eq!(second.metric(r#"pgvitals_notifications_total{channel="webhook",outcome="sent"}"#), 2.0);
}

/// "a fleet opens it once"
#[test]
fn two_processes_open_it_once() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = monitored.database();
    let fleet = [(); 2].map(|()| eager(writing(monitored, &store.url("pgvitals_writer"))).start());
    std::thread::scope(|scope| {
        fleet.iter().for_each(|one| {
            scope.spawn(|| slow(one, &database, &[SLEEP, SLEEP]));
        });
    });
    let ids: Vec<Value> = fleet.iter().map(|one| await_alert(one, "an alert", |_| true)["id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    let mut reader = store.superuser();
    assert_eq!(reader.value("select count(*) from pgvitals.alerts"), "1");
    assert_eq!(reader.value("select count(*) from pgvitals.leases where duty = 'judge'"), "1");
}
