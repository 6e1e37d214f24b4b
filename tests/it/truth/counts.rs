//! Calls and rows against `pg_stat_statements`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::address::Address;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Calls and rows of one statement, and its text.
pub(crate) type Counts = BTreeMap<String, ((u64, u64), String)>;

/// What the server counted in a database, by our hash of its text: one hash may stand for several of its ids.
///
/// The server counts BEGIN, END and other utility statements once for each Parse, not for each execution: its module
/// takes the id off the plan that it executes (`pgss_ProcessUtility`: "Force utility statements to get queryId zero"),
/// and a prepared statement's plan is executed again. Seen on 15 to 18 alike: two Parses of BEGIN executed five times
/// each are two calls there. So a call of theirs stands for the `executions` of each Parse.
pub(crate) fn server_counts(cluster: &Cluster, database: &str, executions: u64) -> Counts {
    let rows = cluster.client("postgres").query(&format!(
        "select s.query, s.calls, s.rows from pg_stat_statements s join pg_database d on d.oid = s.dbid \
         where d.datname = '{database}'"
    ));
    let texts: Vec<&str> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    let mut counts = Counts::new();
    for (row, fingerprint) in rows.iter().zip(fingerprints(&texts)) {
        let number = |column: usize| -> u64 { row[column].as_deref().unwrap().parse().unwrap() };
        let text = |field: &str| fingerprint[field].as_str().unwrap().to_owned();
        let control = matches!(&text("kind")[..], "begin" | "commit" | "rollback");
        let entry = counts.entry(text("query_hash")).or_insert(((0, 0), text("query")));
        entry.0.0 += number(1) * if control { executions } else { 1 };
        entry.0.1 += number(2);
    }
    counts
}

/// What the command line tells of each of these texts.
fn fingerprints(texts: &[&str]) -> Vec<Value> {
    let lines = texts.iter().enumerate().map(|(id, sql)| format!("{}\n", json!({ "id": id, "sql": sql })));
    let output = Tool::pgvitals().arg("fingerprint").input(&lines.collect::<String>()).succeed();
    let lines: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), texts.len(), "one line for each statement");
    lines
}

/// What pgvitals counted, by hash: what ended well, as the server counts. `parameters` filter as the API's do.
pub(crate) fn our_counts(pgvitals: &Pgvitals, parameters: &str) -> Counts {
    let statements = pgvitals.statements(parameters).into_iter();
    let well = statements.map(|row| (row.query_hash, ((row.calls - row.errors - row.aborted, row.rows), row.query)));
    well.filter(|(_, ((calls, _), _))| *calls > 0).collect()
}

/// Runs `workload` through pgvitals; afterwards both have counted the same of each statement.
#[track_caller]
fn agree(cluster: &Cluster, executions: u64, workload: impl Fn(&Address, &str)) {
    let database = cluster.database();
    let pgbench = Tool::postgres("pgbench", cluster.major).against(&cluster.tcp, &database);
    pgbench.args(&["-i", "-q"]).succeed();
    let reset = "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname";
    cluster.client("postgres").query(&format!("{reset} = '{database}'"));
    let pgvitals = Pgvitals::before(&cluster.tcp);
    workload(pgvitals.address(), &database);

    let server = server_counts(cluster, &database, executions);
    assert!(server.len() >= 2, "the server counted: {server:?}");
    pgvitals.await_merge(&format!("as much as the server: {server:#?}"), |pgvitals| {
        let ours = our_counts(pgvitals, "");
        let all = |counts: &Counts| counts.values().map(|((calls, _), _)| calls).sum::<u64>();
        assert!(all(&ours) <= all(&server), "ours {ours:#?} are more than the server's {server:#?}");
        (all(&ours) == all(&server)).then(|| assert_eq!(ours, server))
    });
}

/// Transactions that each client of pgbench runs.
const TRANSACTIONS: u64 = 100;

/// "pgbench TPC-B and select-only in simple, extended and prepared mode, 8 clients: calls and rows per statement equal
/// those of `pg_stat_statements` exactly." (issue 3, §8)
#[track_caller]
fn pgbench_agrees(script: &str, mode: &str) {
    // In prepared mode each client parses each statement once.
    let executions = if mode == "prepared" { TRANSACTIONS } else { 1 };
    for major in Cluster::majors() {
        agree(Cluster::of(major), executions, |address, database| {
            let pgbench = Tool::postgres("pgbench", major).against(address, database);
            pgbench.args(&["-n", "-b", script, "-M", mode, "-c", "8", "-t", &TRANSACTIONS.to_string()]).succeed();
        });
    }
}

#[test]
fn tpcb_in_simple_mode() {
    pgbench_agrees("tpcb-like", "simple");
}

#[test]
fn tpcb_in_extended_mode() {
    pgbench_agrees("tpcb-like", "extended");
}

#[test]
fn tpcb_in_prepared_mode() {
    pgbench_agrees("tpcb-like", "prepared");
}

#[test]
fn select_only_in_simple_mode() {
    pgbench_agrees("select-only", "simple");
}

#[test]
fn select_only_in_extended_mode() {
    pgbench_agrees("select-only", "extended");
}

#[test]
fn select_only_in_prepared_mode() {
    pgbench_agrees("select-only", "prepared");
}

/// "For workloads without portals left unexecuted or suspended, `calls - errors - aborted` of data statements equals
/// `calls` of pg_stat_statements." (PROTOCOL §4): errors, several statements in a message and COPY among them.
#[test]
fn errors_and_copies_are_counted_as_the_server_does() {
    let script = "create table t (id int primary key);\ninsert into t values (1), (2);\ninsert into t values (1);\n\
                  select 1/0;\nselec 1;\nselect * from t \\; update t set id = id + 10 \\; select 1/0 \\; delete from t;\n\
                  begin; insert into t values (7); select id, 7 from t; rollback;\ncopy t to stdout;\n\
                  copy t from stdin;\n100\n101\n102\n\\.\ncopy t from stdin;\nx\n\\.\n\
                  select count(*) from t; truncate t; drop table t;\n";
    for major in Cluster::majors() {
        agree(Cluster::of(major), 1, |address, database| {
            Tool::postgres("psql", major).against(address, database).args(&["-X", "-f", "-"]).input(script).succeed();
        });
    }
}
