//! What the tables say of a statement's past: its baseline, and what changed in a day, as its owner reads it.

use std::sync::LazyLock;

use pgvitals::sql::hash::QueryHash;
use serde_json::Value;

use super::Store;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

/// Of the statement that is slower.
pub(super) const ORDERS: &str = "select * from orders where id = $1";
const STEADY: &str = "00000000000000a2";
const NEW: &str = "00000000000000a3";

/// Ten days of hours of a server `db`: a statement that takes 30 ms instead of 10 since a day ago, one that doesn't change,
/// one that fails and is called three times as often, and one that is new. They end with the last hour that has settled.
const PAST: &str = "
    insert into pgvitals.servers (server) values ('db') on conflict do nothing;
    insert into pgvitals.services (service) values ('orders') on conflict do nothing;
    insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version, first_seen) values
        ('{slower}', 'select * from orders where id = $1', 'select', 'data', 'SELECT orders', 1, now() - interval '10 days'),
        ('00000000000000a2', 'select * from songs where id = $1', 'select', 'data', 'SELECT songs', 1, now() - interval '10 days'),
        ('00000000000000a3', 'select * from new where id = $1', 'select', 'data', 'SELECT new', 1, now() - interval '3 hours'),
        ('00000000000000a4', 'insert into log values ($1)', 'insert', 'data', 'INSERT log', 1, now() - interval '10 days');
    insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
        select i, 'db', case i when 1 then '{slower}' else '00000000000000a' || i end, 'shop', 'app', 'web' from generate_series(1, 4) i;
    select pgvitals.make_partition('query_stats_hour', to_char(d, '\"query_stats_hour_\"YYYYMMDD'), d, d + interval '1 day')
        from generate_series(date_trunc('day', now(), 'UTC') - interval '11 days', date_trunc('day', now(), 'UTC') - interval '8 days',
            interval '1 day') d;
    create table public.hour as
        select h, s, case when s = 4 and h <= 24 then 750 else 250 end as calls,
            case when s = 1 and h <= 24 then 30000 else 10000 + (h * 7 + s) % 300 end as us,
            case when s = 4 and h <= 24 then 75 else 0 end as errors
        from generate_series(1, 10 * 24) h, generate_series(1, 4) s where s <> 3 or h <= 2;
    insert into pgvitals.query_stats_hour
        select s, date_trunc('hour', now() - interval '6 minutes', 'UTC') - h * interval '1 hour', calls, 1, 1, calls * us, 1, 0, us,
            (select service_id from pgvitals.services where service = 'orders'), calls, errors, 0, 0, us, calls, 0, 0, calls, 0, 0, array[us], array[calls]
        from public.hour;
    insert into pgvitals.rollups (resolution, bucket)
        select 'hour', date_trunc('hour', now() - interval '6 minutes', 'UTC') - h * interval '1 hour' from generate_series(1, 10 * 24) h";

/// Servers of these tests' own: who looks at one looks into all its databases.
pub(super) fn watched() -> &'static Cluster {
    static CLUSTER: LazyLock<&'static Cluster> = LazyLock::new(|| Cluster::own(Cluster::newest().major));
    *CLUSTER
}

/// A pgvitals before that server, with that past in its store.
pub(super) fn remembering() -> (Setup, Store) {
    let store = Store::on(Cluster::newest());
    let mut admin = store.superuser();
    PAST.replace("{slower}", &slower()).split(";\n").for_each(|sql| drop(admin.query(sql)));
    let (host, port) = watched().tcp.host_and_port();
    let monitor = format!("postgres://postgres@{host}:{port}/postgres");
    let setup = Setup::before(&watched().tcp).flag("server", "db").flag("monitor-url", &monitor);
    let setup = setup.flag("jobs-hourly", "off").flag("jobs-daily", "off").flag("time-zone", "UTC");
    (setup.flag("store", &store.url("postgres")).flag("store-flush-interval", "1s"), store)
}

/// The hash of [`ORDERS`].
pub(super) fn slower() -> String {
    QueryHash::of(ORDERS).to_string()
}

fn baseline(pgvitals: &Pgvitals, hash: &str, parameters: &str) -> Value {
    pgvitals.performance(&format!("metric=query&hash={hash}&{parameters}"))["baseline"].clone()
}

#[track_caller]
fn is_near(value: &Value, exact: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((exact * 0.97..=exact * 1.05).contains(&value), "{value} is not {exact}");
}

/// "`baseline`" of `metric=query` (API.md): this day against the same hours of the past 7.
#[test]
fn a_statement_is_shown_beside_what_is_usual_for_it() {
    let (setup, store) = remembering();
    let pgvitals = setup.start();
    for parameters in ["instance=all&hours=2", "instance=all&hours=24", "service=orders&database=shop"] {
        let slower = baseline(&pgvitals, &slower(), parameters);
        is_near(&slower["p95_ms"], 10.1);
        is_near(&slower["now_p95_ms"], 30.0);
        is_near(&slower["now_p50_ms"], 30.0);
        is_near(&slower["ratio"], 2.95);
        assert_eq!((&slower["is_regression"], &slower["reason"]), (&true.into(), &Value::Null), "{slower:#}");
        // One hour has calls enough; the one after it may be over without any.
        let hours = slower["hours_compared"].as_u64().unwrap();
        assert!(slower["days"] == 7 && (1..=2).contains(&hours), "{slower:#}");
        assert!(slower["since"].as_str() < slower["slower_since"].as_str(), "{slower:#}");
    }
    let steady = baseline(&pgvitals, STEADY, "instance=all");
    is_near(&steady["ratio"], 1.0);
    assert_eq!(steady["is_regression"], false, "{steady:#}");
    let new = baseline(&pgvitals, NEW, "instance=all");
    assert!(new["reason"].as_str().unwrap().contains("seven full days"), "{new:#}");
    assert!(
        ["p95_ms", "now_p95_ms", "ratio", "is_regression", "since"].iter().all(|name| new[name].is_null()),
        "{new:#}"
    );
    // As of the window's end: two days ago all was well.
    let to = store.superuser().value("select to_char(now() - interval '2 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
    let then = baseline(&pgvitals, &slower(), &format!("instance=all&to={to}"));
    assert_eq!(then["is_regression"], false, "{then:#}");
    is_near(&then["now_p95_ms"], 10.1);
    let other = baseline(&pgvitals, &slower(), "instance=all&database=other");
    assert!(other["reason"].as_str().unwrap().contains("20 calls"), "{other:#}");
}

/// "One list, ordered by what it saves, each with evidence, the statement to run, and its risk"; "new statements; error-rate
/// jumps; statements that grew in calls" (issue 6).
#[test]
fn what_changed_in_a_day_is_told_with_what_to_do() {
    let (setup, _store) = remembering();
    let pgvitals = setup.start();
    let answer = pgvitals.performance("metric=recommendations&server=db");
    let list = answer["recommendations"].as_array().unwrap();
    let found = list.iter().find(|one| one["kind"] == "slower_statement").unwrap_or_else(|| panic!("{answer:#}"));
    assert_eq!(found["subject"], format!("shop {}", slower()), "{found:#}");
    is_near(&found["saves"]["ms_per_day"], 24.0 * 250.0 * 19.85);
    assert!(
        found["evidence"].as_str().unwrap().contains("SELECT orders takes 30 ms on average after 10.1 ms"),
        "{found:#}"
    );
    let statement = found["statement"].as_str().unwrap();
    assert!(statement.contains("EXPLAIN") && statement.contains("select * from orders where id = $1"), "{found:#}");
    assert!(found["risk"].is_string());
    assert_eq!(list.iter().filter(|one| one["kind"] == "slower_statement").count(), 1, "{answer:#}");

    let changes = &answer["changes"];
    let named = |list: &str| -> Vec<&str> {
        changes[list].as_array().unwrap().iter().map(|row| row["summary"].as_str().unwrap()).collect()
    };
    assert_eq!(named("slower"), ["SELECT orders"], "{changes:#}");
    assert_eq!(named("new"), ["SELECT new"], "{changes:#}");
    assert_eq!(named("grown"), ["INSERT log"], "{changes:#}");
    assert_eq!(named("failing"), ["INSERT log"], "{changes:#}");
    assert_eq!(named("faster"), [""; 0], "{changes:#}");
    let failing = &changes["failing"][0];
    assert_eq!((&failing["errors"], &failing["errors_before"]), (&(24 * 75).into(), &0.0.into()), "{failing:#}");
    assert_eq!((&failing["calls"], &failing["calls_before"]), (&(24 * 750).into(), &6000.0.into()), "{failing:#}");
    let elsewhere = pgvitals.performance("metric=recommendations&database=other");
    assert_eq!(elsewhere["changes"]["slower"], serde_json::json!([]));
    let csv = pgvitals.get("/api/performance?metric=recommendations&format=csv").body;
    assert!(csv.contains("slower_statement"), "{csv}");
}
