//! "They need no webhook secret" (STORE §4): the one that serves tells, whoever found out; and people are told that the store
//! is away although nothing can be written down.

use std::fs::rename;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::{Cluster, HOURLY, Store, serving, sidecar};
use crate::jobs::SECRET;
use crate::notify::Receiver;
use crate::support::http::request;

fn secret(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn path(file: &NamedTempFile) -> String {
    file.path().display().to_string()
}

/// The alerts of a message that a receiver got.
fn alerts(message: &Value) -> Vec<Value> {
    let body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
    body["alerts"].as_array().unwrap().clone()
}

/// A sidecar without any channel looks at its server and finds something; the one that serves has the channel.
#[test]
fn what_a_sidecar_without_channels_finds_is_told_by_who_serves() {
    let (monitored, store) = (Cluster::own(Cluster::newest().major), Store::on(Cluster::newest()));
    let mut owner = monitored.client("postgres");
    owner.query("create table songs (id int)");
    owner.query("create index songs_id on songs (id)");
    owner.query("update pg_index set indisvalid = false where indexrelid = 'songs_id'::regclass");
    let cron = secret(SECRET);
    let (host, port) = monitored.tcp.host_and_port();
    let monitor = format!("postgres://postgres@{host}:{port}/postgres");
    let sidecar = sidecar(&store, "db").flag("cron-secret-file", &path(&cron)).flag("monitor-url", &monitor).start();
    let ran = request(sidecar.http, "POST", HOURLY, &[("authorization", &format!("Bearer {SECRET}"))]);
    assert_eq!((ran.status, &ran.json()["opened"]), (200, &1.into()), "{ran:?}");
    let mut admin = store.superuser();
    let waiting = "select string_agg(channel, ' ') from pgvitals.notifications where sent_at is null";
    assert_eq!(admin.value(waiting), "undecided");

    let receiver = Receiver::start("http_receiver.py", &[]);
    let hook = secret(&format!("http://127.0.0.1:{}/hook", receiver.port));
    // Thirty seconds in which others may follow are over.
    admin.query("update pgvitals.notifications set due = due - interval '1 minute'");
    let _serve = serving(&store).flag("notify-webhook-url-file", &path(&hook)).start();
    let told = alerts(&receiver.received(1)[0]);
    assert_eq!((&told[0]["kind"], &told[0]["event"]), (&"invalid_index".into(), &"opened".into()), "{told:#?}");
}

/// "*store down* … notified by the last lease holder after 2 minutes" (DESIGN §7), here after a second: a server that is
/// stopped, and started again.
#[test]
fn people_hear_that_the_store_is_away_and_that_it_is_back() {
    let store = Store::on(Cluster::immortal(Cluster::newest().major));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let hook = secret(&format!("http://127.0.0.1:{}/hook", receiver.port));
    let soon = "[[alerts.override]]\nkind = 'store_down'\nthreshold = '1s'\n";
    let setup = serving(&store).file(soon).flag("alerts-cooldown", "1s");
    let serve = setup.flag("notify-webhook-url-file", &path(&hook)).start();
    let sidecar = sidecar(&store, "db").file(soon).start();
    super::busy(&sidecar);
    serve.log_until("roll-up and retention done");

    // Without this file no server starts.
    let (here, aside) = (store.cluster.data().join("PG_VERSION"), store.cluster.data().join("version-aside"));
    rename(&here, &aside).unwrap();
    store.cluster.kill();
    serve.log_until("the monitoring tables have taken nothing for");
    assert_eq!(serve.get("/readyz").status, 503);
    let told = alerts(&receiver.received(1)[0]);
    assert_eq!((&told[0]["kind"], &told[0]["server"]), (&"store_down".into(), &"pgvitals".into()), "{told:#?}");
    assert_eq!((&told[0]["event"], &told[0]["resolved_at"]), (&"opened".into(), &Value::Null), "{told:#?}");
    let open: f64 = ["warning", "alert", "critical"]
        .iter()
        .map(|severity| serve.metric(&format!("pgvitals_alerts_open{{kind=\"store_down\",severity=\"{severity}\"}}")))
        .sum();
    assert_eq!(open, 1.0);

    rename(&aside, &here).unwrap();
    serve.log_until("an alert is over");
    // A server has one message in five minutes: that it is over waits, and is not lost.
    receiver.received(1);
    assert_eq!(serve.get("/readyz").status, 200);
}
