//! What pgvitals measures comes into the tables: as often as it happened, whatever happens to the store meanwhile.

use std::collections::BTreeMap;
use std::process::Command;

use super::Store;
use crate::support::client::Client;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Calls by canonical text.
type Calls = BTreeMap<String, u64>;

/// A pgvitals before this server that writes to `store` each second.
fn writing(monitored: &Cluster, url: &str) -> Setup {
    Setup::before(&monitored.tcp).flag("store", url).flag("store-flush-interval", "1s")
}

/// Ends it as an orchestrator does and waits until it is gone: what was measured is written then.
fn end(pgvitals: &Pgvitals) {
    let sent = Command::new("kill").args(["-TERM", &pgvitals.keeper.pid.to_string()]).status().unwrap();
    assert!(sent.success());
    pgvitals.keeper.log.await_line("to=Stopped", |line| line.contains("to=Stopped").then_some(()));
}

/// What the tables say of data statements and transaction control, through `query_stats_at`.
fn written(store: &mut Client) -> Calls {
    let rows = store.query(
        "select q.query, sum(s.calls - s.errors - s.aborted)
         from pgvitals.query_stats_at(now() - interval '1 hour', now() + interval '1 hour') s
             join pgvitals.series using (series_id) join pgvitals.queries q using (query_hash)
         group by 1",
    );
    calls(&rows)
}

/// What the server counted in a database, by our canonical text.
fn counted(monitored: &Cluster, database: &str) -> Calls {
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
fn bench(monitored: &Cluster) -> String {
    let database = monitored.database();
    Tool::postgres("pgbench", monitored.major).against(&monitored.tcp, &database).args(&["-i", "-q"]).succeed();
    let reset = "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname";
    monitored.client("postgres").query(&format!("{reset} = '{database}'"));
    database
}

/// Runs pgbench in simple mode through pgvitals.
fn run(monitored: &Cluster, pgvitals: &Pgvitals, database: &str, arguments: &[&str]) {
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
    assert_eq!(client.value("select count(*) from pgvitals.batches where not idle"), "0", "each said that it ended");
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
