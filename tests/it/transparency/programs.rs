//! PostgreSQL's own programs: pgbench, dump and restore, base backup, logical decoding.

use super::same;
use crate::support::address::Address;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Sums that don't depend on the order in which clients ran.
const SUMS: &str = "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from pgbench_branches), \
                    (select sum(tbalance) from pgbench_tellers), (select count(*) || ' ' || sum(delta) from pgbench_history)";

/// A pipeline with rows, without, and a query mode's own way to send it.
const PIPELINE: &str = "\\set id random(1, 1000)\n\\startpipeline\nselect 1;\nupdate pgbench_accounts set abalance = \
                        abalance + :id where aid = :id;\nselect abalance from pgbench_accounts where aid <= :id;\n\
                        \\endpipeline\n";

/// What pgbench reports, without the lines with figures of time.
fn report(output: &str) -> String {
    let timed = ["latency", "tps", "connection time", "pgbench ("];
    output
        .lines()
        .filter(|line| !timed.iter().any(|word| line.contains(word)))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn pgbench(address: &Address, database: &str, arguments: &[&str]) -> String {
    let major = Cluster::any().major;
    let pgbench = Tool::postgres("pgbench", major).against(address, database);
    report(&pgbench.args(&["-n", "--random-seed=7"]).args(arguments).succeed().stdout)
}

#[test]
fn pgbench_in_every_mode_leaves_the_same_tables() {
    same(Cluster::any(), |address, database| {
        let major = Cluster::any().major;
        let initialise = Tool::postgres("pgbench", major).against(address, database).args(&["-i", "-q"]).succeed();
        let mut reports = Vec::new();
        for mode in ["simple", "extended", "prepared"] {
            for script in ["tpcb-like", "select-only", "simple-update"] {
                let arguments = ["-M", mode, "-b", script, "-c", "4", "-t", "25"];
                reports.push(pgbench(address, database, &arguments));
            }
        }
        reports.push(pgbench(address, database, &["-C", "-b", "select-only", "-t", "10"]));
        (initialise.code, reports, Cluster::any().client(database).query(SUMS))
    });
}

#[test]
fn pgbench_with_pipelines_leaves_the_same_tables() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&script, PIPELINE).unwrap();
    let path = script.path().to_str().unwrap();
    same(Cluster::any(), |address, database| {
        let major = Cluster::any().major;
        Tool::postgres("pgbench", major).against(&Cluster::any().tcp, database).args(&["-i", "-q"]).succeed();
        let reports = ["extended", "prepared"]
            .map(|mode| pgbench(address, database, &["-M", mode, "-f", path, "-c", "4", "-t", "25"]));
        (reports, Cluster::any().client(database).query(SUMS))
    });
}

/// Tables of several kinds, to be dumped.
const SCHEMA: &str = "create table a (id int primary key, body text); \
                      insert into a select i, repeat(md5(i::text), 20) from generate_series(1, 5000) i; \
                      create table b (id int references a, at timestamptz default '2020-01-01'); \
                      insert into b select i from generate_series(1, 5000, 3) i; create index on b (at); \
                      create view v as select count(*) from a; create sequence s start 42; \
                      select lo_from_bytea(77, decode(repeat('00ff', 50000), 'hex')); \
                      create function f(int) returns int language sql as 'select $1 + 1'";

/// A dump without the random key that newer versions put into it.
fn dump(address: &Address, database: &str) -> String {
    let major = Cluster::any().major;
    let dump = Tool::postgres("pg_dump", major).against(address, database).arg("--blobs");
    let text = dump.succeed().stdout;
    text.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}

/// "A dump and its parallel restore are the same." (docs/transparency.md)
#[test]
fn a_dump_and_a_parallel_restore_are_the_same() {
    let cluster = Cluster::any();
    same(cluster, |address, database| {
        cluster.client(database).query(SCHEMA);
        let text = dump(address, database);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump").to_string_lossy().into_owned();
        let parallel = Tool::postgres("pg_dump", cluster.major).against(address, database);
        let dumped = parallel.args(&["-Fd", "-j", "3", "-f", &path]).succeed();
        cluster.recreate(database);
        let restore = Tool::postgres("pg_restore", cluster.major).against(address, database);
        let restored = restore.args(&["-j", "3", "--clean", "--if-exists", "-d", database, &path]).succeed();
        // What was restored, asked directly, is what was dumped.
        assert_eq!(dump(&cluster.tcp, database), text);
        (text, dumped, restored)
    });
}

/// "a start-up with `replication` other than false/off/no/0 is *opaque* (forwarded, not measured, counted by reason)"
/// (PROTOCOL §1)
/// "Replication passes, and is not measured." (docs/transparency.md)
#[test]
fn a_base_backup_verifies() {
    let cluster = Cluster::any();
    let pgvitals = same(cluster, |address, database| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup").to_string_lossy().into_owned();
        let backup = Tool::postgres("pg_basebackup", cluster.major).against(address, database);
        let backup = backup.args(&["-D", &path, "-X", "stream", "-c", "fast", "--no-sync"]).succeed();
        Tool::postgres("pg_verifybackup", cluster.major).arg(&path).succeed();
        backup
    });
    // The backup's connection and the one that streams the log meanwhile.
    pgvitals.await_merge("two opaque sessions", |pgvitals| {
        (pgvitals.metric("pgvitals_unmeasured_total{reason=\"replication\"}") >= 2.0).then_some(())
    });
}

#[test]
fn logical_decoding_streams_the_same_changes() {
    let cluster = Cluster::any();
    same(cluster, |address, database| {
        let receive = |arguments: &[&str]| {
            let tool = Tool::postgres("pg_recvlogical", cluster.major).against(address, database);
            tool.args(&["-d", database, "--slot", "changes", "--no-loop"]).args(arguments).succeed()
        };
        receive(&["--create-slot", "--plugin", "test_decoding"]);
        let mut client = cluster.client(database);
        client.query("create table t (a int primary key, b text)");
        client.query("insert into t select i, repeat('x', i) from generate_series(1, 500) i");
        client.query("update t set b = 'changed' where a % 7 = 0");
        client.query("delete from t where a > 400");
        let end = client.value("select pg_current_wal_insert_lsn()");
        let changes = receive(&["--start", "-o", "include-xids=0", "--endpos", &end, "-f", "-"]);
        receive(&["--drop-slot"]);
        assert!(changes.stdout.lines().count() > 600, "{changes:?}");
        changes.stdout
    });
}
