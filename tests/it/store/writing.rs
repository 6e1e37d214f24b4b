//! What pgvitals measures comes into the tables: as often as it happened, whatever happens to the store meanwhile.

use std::collections::BTreeMap;
use std::process::Command;

use super::pooler::Pooler;
use super::{Store, furnish};
use crate::support::client::Client;
use crate::support::clock::{PATIENCE, now};
use crate::support::http::Events;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Calls by canonical text.
pub(super) type Calls = BTreeMap<String, u64>;

/// A pgvitals before this server that writes to `store` each second.
pub(crate) fn writing(monitored: &Cluster, url: &str) -> Setup {
    Setup::before(&monitored.tcp).flag("store", url).flag("store-flush-interval", "1s")
}

/// Ends it as an orchestrator does and waits until it is gone: what was measured is written then.
pub(crate) fn end(pgvitals: &Pgvitals) {
    let sent = Command::new("kill").args(["-TERM", &pgvitals.keeper.pid.to_string()]).status().unwrap();
    assert!(sent.success());
    pgvitals.keeper.log.await_line("to=Stopped", |line| line.contains("to=Stopped").then_some(()));
}

/// What the tables say of data statements and transaction control, through `query_stats_at`.
pub(super) fn written(store: &mut Client) -> Calls {
    let rows = store.query(
        "select q.query, sum(s.calls - s.errors - s.aborted)
         from pgvitals.query_stats_at(
                 date_trunc('hour', now()) - interval '2 hours', date_trunc('hour', now()) + interval '2 hours'
             ) s
             join pgvitals.series using (series_id) join pgvitals.queries q using (query_hash)
         group by 1",
    );
    calls(&rows)
}

/// What the server counted in a database, by our canonical text.
pub(super) fn counted(monitored: &Cluster, database: &str) -> Calls {
    let rows = monitored.client("postgres").query(&format!(
        "select s.query, s.calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
         where d.datname = '{database}'"
    ));
    let lines: String = rows.iter().map(|row| format!("{}\n", serde_json::json!({ "sql": row[0] }))).collect();
    let output = Tool::pgvitals().arg("fingerprint").input(&lines).succeed();
    let mut counts = Calls::new();
    for (row, line) in rows.iter().zip(output.stdout.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        *counts.entry(line["query"].as_str().unwrap().to_owned()).or_default() +=
            row[1].as_deref().unwrap().parse::<u64>().unwrap();
    }
    counts
}

fn calls(rows: &[Vec<Option<String>>]) -> Calls {
    let text = |row: &Vec<Option<String>>, column: usize| row[column].clone().unwrap();
    rows.iter().map(|row| (text(row, 0), text(row, 1).parse().unwrap())).collect()
}

/// A database with pgbench's tables, of which nothing is counted yet.
pub(super) fn bench(monitored: &Cluster) -> String {
    let database = monitored.database();
    Tool::postgres("pgbench", monitored.major).against(&monitored.tcp, &database).args(&["-i", "-q"]).succeed();
    let reset = "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname";
    monitored.client("postgres").query(&format!("{reset} = '{database}'"));
    database
}

/// Runs pgbench in simple mode through pgvitals.
pub(super) fn run(monitored: &Cluster, pgvitals: &Pgvitals, database: &str, arguments: &[&str]) {
    let pgbench = Tool::postgres("pgbench", monitored.major).against(pgvitals.address(), database);
    pgbench.args(&["-n", "-c", "4"]).args(arguments).succeed();
}

/// "calls per statement through `query_stats_at` equal those of `pg_stat_statements`" (issue 5), of two sidecars that
/// write into one store.
#[test]
fn two_sidecars_write_what_the_server_counts() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = bench(monitored);
    let sidecars = [(); 2].map(|()| writing(monitored, &store.url("pgvitals_writer")).start());
    for sidecar in &sidecars {
        run(monitored, sidecar, &database, &["-t", "50"]);
    }
    sidecars.iter().for_each(end);
    let mut client = store.superuser();
    assert_eq!(written(&mut client), counted(monitored, &database));
    assert_eq!(client.value("select count(*) from pgvitals.instances"), "2");
    assert_eq!(client.value("select count(*) from pgvitals.servers"), "1");
    let ended = "select count(*) from (
             select distinct on (instance_id) idle from pgvitals.batches order by instance_id, sequence desc
         ) last where idle";
    assert_eq!(client.value(ended), "2", "each said that it ended");
    let opened = client.value("select sum(opened) from pgvitals.session_stats");
    assert!(opened.parse::<u32>().unwrap() >= 8, "{opened}");
}

/// "Nothing is written when nothing happened" (STORE §3)
#[test]
fn without_statements_the_store_is_left_alone() {
    let store = Store::empty(Cluster::newest());
    let pgvitals = writing(Cluster::any(), &store.url("postgres")).start();
    assert_eq!(pgvitals.get("/healthz").status, 200);
    end(&pgvitals);
    assert_eq!(store.superuser().value("select count(*) from pg_namespace where nspname = 'pgvitals'"), "0");
}

/// Sends a signal to a process.
pub(crate) fn kill(signal: &str, pid: impl ToString) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until the store answers this question so; it may be away meanwhile.
#[track_caller]
pub(super) fn await_answer(pgvitals: &Pgvitals, store: &Store, sql: &str, answer: impl Fn(u64) -> bool) -> u64 {
    let end = now() + PATIENCE;
    let mut events = Events::subscribe(pgvitals.http);
    loop {
        let psql = Tool::postgres("psql", store.cluster.major).against(&store.cluster.tcp, &store.database);
        let output = psql.args(&["-XAtc", sql]).run();
        if let Ok(value) = output.stdout.trim().parse()
            && answer(value)
        {
            return value;
        }
        assert!(now() < end, "{sql}: {output:?}");
        events.await_event("live");
    }
}

pub(super) const BATCHES: &str = "select count(*) from pgvitals.batches";

/// The store hangs, then crashes, then comes back: the application notices nothing, and each call is counted once.
/// "a dead or hanging store changes nothing for the application"
#[test]
fn a_store_that_hangs_and_crashes_costs_no_count_and_no_time() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::own(Cluster::newest().major));
    // The tests' servers may forget what they said was committed; this one is killed.
    store.superuser().query(&format!("alter database {} set synchronous_commit = on", store.database));
    let database = bench(monitored);
    // Each statement is a slow one, so that there is something to write each second.
    let url = store.url("pgvitals_writer");
    let pgvitals = writing(monitored, &url).flag("slow-threshold", "1us").flag("store-idle-close", "1s").start();
    let burst = || run(monitored, &pgvitals, &database, &["-t", "20"]);
    burst();
    let before = await_answer(&pgvitals, &store, BATCHES, |count| count > 0);

    let stopped = now();
    kill("-STOP", store.cluster.pid());
    while !pgvitals.keeper.log.text().contains("the store was not written to") {
        assert!(stopped.elapsed() < PATIENCE, "nothing was tried");
        let asked = now();
        run(monitored, &pgvitals, &database, &["-t", "1"]);
        assert!(asked.elapsed() < PATIENCE / 6, "the application waits for the store");
    }
    kill("-CONT", store.cluster.pid());
    burst();
    await_answer(&pgvitals, &store, BATCHES, |count| count > before);

    // A backend that dies so takes the whole server with it; it comes back by itself.
    let mut victim = store.superuser();
    kill("-KILL", victim.value("select pg_backend_pid()"));
    burst();
    let after = await_answer(&pgvitals, &store, BATCHES, |_| true);
    burst();
    await_answer(&pgvitals, &store, BATCHES, |count| count > after);
    end(&pgvitals);
    assert_eq!(written(&mut store.superuser()), counted(monitored, &database));
    let twice = "select count(*) - count(distinct (instance_id, sequence)) from pgvitals.batches";
    assert_eq!(store.superuser().value(twice), "0");
}

/// "Pooler-safe … tested through PgBouncer in transaction mode" (STORE §3): one server connection for all sidecars.
#[test]
fn through_a_pooler_in_transaction_mode() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = bench(monitored);
    let pooler = Pooler::before(&store, "pgvitals_writer", 1);
    let sidecars = [(); 3].map(|()| {
        let url = format!("postgres://pgvitals_writer@127.0.0.1:{}/{}", pooler.port, store.database);
        writing(monitored, &url).flag("slow-threshold", "1us").start()
    });
    for sidecar in &sidecars {
        run(monitored, sidecar, &database, &["-t", "20"]);
    }
    await_answer(&sidecars[0], &store, "select count(distinct instance_id) from pgvitals.batches", |count| count == 3);
    for sidecar in &sidecars {
        run(monitored, sidecar, &database, &["-t", "20"]);
    }
    sidecars.iter().for_each(end);
    assert_eq!(written(&mut store.superuser()), counted(monitored, &database));
}

/// "Roll-up and retention by the lease holder" (issue 5): the first batch of a process sets it going.
#[test]
fn what_is_over_is_rolled_up_by_the_one_that_has_the_lease() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    store.writer().query(
        "insert into pgvitals.query_stats
         select 1, date_trunc('hour', now()) - interval '3 hours' + m * interval '1 minute', 1, 1, 1, 1, 1, 1, 1, 1,
             2, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, '{1}', '{2}' from generate_series(0, 9) m",
    );
    let database = monitored.database();
    let setup = writing(monitored, &store.url("pgvitals_writer")).flag("slow-threshold", "1us");
    let pgvitals = setup.start();
    let mut client = Client::connect(pgvitals.address(), &database);
    client.query("select 1");
    let mut reader = store.superuser();
    pgvitals.keeper.log.await_line("a roll-up", |line| line.contains("roll-up and retention done").then_some(()));
    let rolled = "select sum(calls) || ' of ' || count(*) from pgvitals.query_stats_hour where series_id = 1";
    assert_eq!(reader.value(rolled), "20 of 1");
    assert_eq!(
        reader.value("select string_agg(duty, ',') from pgvitals.leases where until <= clock_timestamp()"),
        "global"
    );
}

/// "A minute is written when it is closed" and "one bad row stops nothing" (STORE §3): the store refuses a row, by a CHECK
/// of its owner's; the others of its minute are there when the minute is over.
#[test]
fn one_bad_row_stops_nothing() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    store.superuser().query("alter table pgvitals.query_stats add check (rows <> 777)");
    let database = monitored.database();
    let pgvitals = writing(monitored, &store.url("pgvitals_writer")).start();
    let mut client = Client::connect(pgvitals.address(), &database);
    for n in 0..20 {
        client.query(&format!("select {n} as c{n}"));
    }
    client.query("select generate_series(1, 777)");
    drop(client);
    let calls = "select coalesce(sum(calls), 0) from pgvitals.query_stats";
    let end = now() + PATIENCE * 2;
    while now() < end && store.superuser().value(calls) != "20" {
        // One event a second: the minute is over within 60 of them.
        Events::subscribe(pgvitals.http).await_event("live");
    }
    assert_eq!(store.superuser().value(calls), "20");
    assert_eq!(pgvitals.metric(r#"pgvitals_samples_dropped_total{reason="store_row"}"#), 1.0);
    assert!(pgvitals.metric("pgvitals_store_rows_total") >= 20.0);
    assert_eq!(pgvitals.metric("pgvitals_store_flush_failures_total"), 0.0);
    assert_eq!(pgvitals.metric("pgvitals_store_lag_seconds"), 0.0);
}
