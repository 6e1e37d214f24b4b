//! The daily report, from tables to people.

use serde_json::Value;

use super::{eager, file, hook};
use crate::notify::Receiver;
use crate::store::Store;
use crate::store::writing::writing;
use crate::support::http::request;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

const SECRET: &str = "a-secret-of-some-length";

/// A statement that was called 50 times at noon of yesterday (UTC), and never before.
const YESTERDAY: &str = "
    insert into pgvitals.servers (server) values ('orders-db');
    insert into pgvitals.services (service) values ('orders');
    insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version, first_seen)
        values ('00000000000000a1', 'select * from orders', 'select', 'data', 'SELECT orders', 1, date_trunc('day', now(), 'UTC') - interval '12 hours');
    insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
        values (1, 'orders-db', '00000000000000a1', 'shop', 'app', 'web');
    insert into pgvitals.query_stats_hour
        select 1, date_trunc('day', now(), 'UTC') - interval '12 hours', 50, 1, 1, 500000, 1, 0, 20000, 1, 50, 2, 0, 0, 9,
            50, 0, 0, 50, 0, 0, '{10000}', '{50}';
    insert into pgvitals.rollups (resolution, bucket)
        values ('hour', date_trunc('day', now(), 'UTC') - interval '12 hours')";

/// "in `reports`, by `pgvitals report`, by e-mail and Slack" (issue 6): made once, told once.
#[test]
fn yesterday_is_reported_once() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let mut admin = store.superuser();
    YESTERDAY.split(";\n").for_each(|sql| drop(admin.query(sql)));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let ((_hook, hook), (_cron, cron)) = (hook(&receiver), file(SECRET));
    let setup = eager(writing(monitored, &store.url("postgres"))).flag("time-zone", "UTC").flag("jobs-daily", "off");
    let pgvitals = setup.flag("notify-webhook-url-file", &hook).flag("cron-secret-file", &cron).start();
    let run = |path: &str| {
        let answer = request(pgvitals.http, "POST", path, &[("authorization", &format!("Bearer {SECRET}"))]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let steps = answer.json()["steps"].as_array().cloned().unwrap();
        steps.into_iter().find(|step| step["name"] == "reports").map(|step| step["count"].clone())
    };
    assert_eq!(run("/api/cron/daily-maintenance"), Some(1.into()));
    let told: Value = serde_json::from_str(receiver.received(1)[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&told["type"], &told["report"]["server"]), (&"report".into(), &"orders-db".into()), "{told:#}");
    assert_eq!((&told["report"]["totals"]["calls"], &told["report"]["totals"]["errors"]), (&50.0.into(), &2.0.into()));
    assert_eq!(told["report"]["new"][0]["summary"], "SELECT orders", "{told:#}");

    assert_eq!(run("/api/cron/daily-maintenance?force=1"), Some(0.into()), "a day is reported once");
    assert_eq!(admin.value("select count(*) from pgvitals.reports"), "1");
    let day = admin.value("select day from pgvitals.reports");
    let printed = Tool::pgvitals().args(&["report", "--store", &store.url("pgvitals_reader")]).succeed().stdout;
    assert!(printed.contains(&format!("orders-db on {day}")) && printed.contains("SELECT orders"), "{printed}");
    let none =
        Tool::pgvitals().args(&["report", "--store", &store.url("pgvitals_reader"), "--day", "2020-01-01"]).run();
    assert!(none.code != Some(0) && none.stderr.contains("no report"), "{none:?}");
    assert_eq!(admin.value("select count(*) from pgvitals.notifications where sent_at is not null"), "1");
}
