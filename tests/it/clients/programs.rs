//! PostgreSQL's own programs: psql, pgbench, dump and restore, base backups and the log, decoded changes, subscriptions.

use super::run::{Client, Place, Servers, runs_the_same};
use crate::support::clock::{PATIENCE, now};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;
use crate::transparency::psql::long_session;

/// What `--version` says: `psql (PostgreSQL) 15.13 (Debian …)`.
pub(super) fn version(program: Tool) -> String {
    let text = program.arg("--version").succeed().stdout;
    let version = text.split_once("(PostgreSQL) ").map_or("", |(_, rest)| rest);
    format!("version {}\n", version.split_whitespace().next().unwrap_or_default())
}

impl Place<'_> {
    /// A program of PostgreSQL's, connecting here.
    fn program(&self, name: &str) -> Tool {
        self.aim(Tool::postgres(name, self.cluster.major))
    }

    fn version_of(&self, name: &str) -> String {
        version(Tool::postgres(name, self.cluster.major))
    }
}

/// Directory for what a program writes.
fn directory() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output").to_string_lossy().into_owned();
    (directory, path)
}

pub(super) const PSQL: Client = Client {
    name: "psql, each with its server",
    does: "a long session: errors of each kind, `\\gset`, `\\gexec`, `\\d`, COPY, `FETCH_COUNT`, notifications, large \
           objects, cancellation by time limit, a lost session",
    script: |place| place.version_of("psql") + &format!("{:?}", long_session(place.program("psql"))),
    servers: Servers::Every,
    ..Client::OF_POSTGRES
};

/// "COPY passes in both directions, and fails as it does directly." (docs/transparency.md)
#[test]
fn a_long_session_of_psql_reads_the_same() {
    runs_the_same(&PSQL);
}

/// Sums that don't depend on the order in which clients ran.
const SUMS: &str = "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from pgbench_branches), \
                    (select sum(tbalance) from pgbench_tellers), (select count(*) || ' ' || sum(delta) from pgbench_history)";

/// A pipeline with rows, without, and a query mode's own way to send it.
const PIPELINE: &str = "\\set id random(1, 1000)\n\\startpipeline\nselect 1;\nupdate pgbench_accounts set abalance = \
                        abalance + :id where aid = :id;\nselect abalance from pgbench_accounts where aid <= :id;\n\
                        \\endpipeline\n";

/// What pgbench reports, without the lines with figures of time and with the script's path.
fn report(output: &str) -> String {
    let varies = ["latency", "tps", "connection time", "pgbench (", "transaction type: /"];
    let lines = output.lines().filter(|line| !varies.iter().any(|word| line.contains(word)));
    lines.map(|line| format!("{line}\n")).collect()
}

fn pgbench(place: &Place) -> String {
    let (_kept, path) = directory();
    std::fs::write(&path, PIPELINE).unwrap();
    let mut seen = place.version_of("pgbench");
    place.program("pgbench").args(&["-i", "-q"]).succeed();
    let mut run = |arguments: &[&str]| {
        let output = place.program("pgbench").args(&["-n", "--random-seed=7"]).args(arguments).succeed();
        seen.push_str(&report(&output.stdout));
    };
    for mode in ["simple", "extended", "prepared"] {
        for script in ["tpcb-like", "select-only", "simple-update"] {
            run(&["-M", mode, "-b", script, "-c", "4", "-t", "25"]);
        }
        run(&["-M", mode, "-C", "-b", "select-only", "-t", "10"]);
    }
    for mode in ["extended", "prepared"] {
        run(&["-M", mode, "-f", &path, "-c", "4", "-t", "25"]);
    }
    format!("{seen}{:?}", place.cluster.client(place.database).query(SUMS))
}

pub(super) const PGBENCH: Client = Client {
    name: "pgbench",
    does: "TPC-B and others, simple, extended and prepared; `-C`; pipelines",
    script: pgbench,
    ..Client::OF_POSTGRES
};

#[test]
fn pgbench_in_every_mode_leaves_the_same_tables() {
    runs_the_same(&PGBENCH);
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
fn dump(program: Tool) -> String {
    let text = program.arg("--blobs").succeed().stdout;
    text.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}

fn dump_and_restore(place: &Place) -> String {
    let cluster = place.cluster;
    cluster.client(place.database).query(SCHEMA);
    let text = dump(place.program("pg_dump"));
    let (_kept, path) = directory();
    let dumped = place.program("pg_dump").args(&["-Fd", "-j", "3", "-f", &path]).succeed();
    cluster.recreate(place.database);
    let restore = place.program("pg_restore").args(&["-j", "3", "--clean", "--if-exists", "-d", place.database, &path]);
    let restored = restore.succeed();
    // What was restored, asked directly, is what was dumped.
    let directly = Tool::postgres("pg_dump", cluster.major).against(&cluster.tcp, place.database);
    assert_eq!(dump(directly), text);
    format!("{}{text}{dumped:?}{restored:?}", place.version_of("pg_dump"))
}

pub(super) const DUMP: Client = Client {
    name: "pg_dump, pg_restore",
    does: "a dump as text; one of three processes, and its restore by three",
    script: dump_and_restore,
    ..Client::OF_POSTGRES
};

/// "A dump and its parallel restore are the same." (docs/transparency.md)
#[test]
fn a_dump_and_a_parallel_restore_are_the_same() {
    runs_the_same(&DUMP);
}

fn base_backup(place: &Place) -> String {
    let (_kept, path) = directory();
    let backup =
        place.program("pg_basebackup").args(&["-D", &path, "-X", "stream", "-c", "fast", "--no-sync"]).succeed();
    Tool::postgres("pg_verifybackup", place.cluster.major).arg(&path).succeed();
    format!("{}{backup:?}", place.version_of("pg_basebackup"))
}

pub(super) const BASE_BACKUP: Client = Client {
    name: "pg_basebackup",
    does: "a base backup with the log that is written meanwhile, checked by pg_verifybackup",
    script: base_backup,
    // The backup's connection and the one that streams the log.
    replication: 2,
    ..Client::OF_POSTGRES
};

/// "a start-up with `replication` other than false/off/no/0 is *opaque* (forwarded, not measured, counted by reason)"
/// (PROTOCOL §1)
/// "Replication passes, and is not measured." (docs/transparency.md)
#[test]
fn a_base_backup_verifies() {
    runs_the_same(&BASE_BACKUP);
}

fn receive_log(place: &Place) -> String {
    let cluster = place.cluster;
    let mut client = cluster.client(place.database);
    let slot = format!("log_of_{}", place.database);
    // A second slot keeps the server's own files until they were compared.
    let slots = [slot.clone(), format!("{slot}_kept")];
    for slot in &slots {
        client.query(&format!("select pg_create_physical_replication_slot('{slot}', true)"));
    }
    client.query("create table t as select i, md5(i::text) from generate_series(1, 100000) i");
    client.query("select pg_switch_wal()");
    client.query("insert into t values (0, 'the next segment')");
    let end = client.value("select pg_current_wal_flush_lsn()");
    client.query("insert into t values (0, 'beyond the end'); select pg_current_wal_flush_lsn()");

    let (directory, path) = directory();
    std::fs::create_dir(&path).unwrap();
    let receive = place.program("pg_receivewal").args(&["-D", &path, "--slot", &slot, "--endpos", &end, "--no-loop"]);
    receive.args(&["--no-sync"]).succeed();
    let data = client.value("show data_directory");
    let mut complete = 0;
    for file in std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none() {
            let original = std::path::Path::new(&data).join("pg_wal").join(file.file_name().unwrap());
            assert!(std::fs::read(&file).unwrap() == std::fs::read(&original).unwrap(), "{}", original.display());
            complete += 1;
        }
    }
    assert!(complete > 0, "no complete segment in {}", directory.path().display());
    for slot in &slots {
        client.query(&format!("select pg_drop_replication_slot('{slot}')"));
    }
    place.version_of("pg_receivewal")
}

pub(super) const RECEIVE_LOG: Client = Client {
    name: "pg_receivewal",
    does: "the log from a slot on; each segment is the server's, byte by byte",
    script: receive_log,
    replication: 1,
    ..Client::OF_POSTGRES
};

#[test]
fn received_segments_are_the_servers() {
    runs_the_same(&RECEIVE_LOG);
}

fn decoded_changes(place: &Place) -> String {
    let receive = |arguments: &[&str]| {
        let tool = place.program("pg_recvlogical").args(&["-d", place.database, "--slot", "changes", "--no-loop"]);
        tool.args(arguments).succeed()
    };
    receive(&["--create-slot", "--plugin", "test_decoding"]);
    let mut client = place.cluster.client(place.database);
    client.query("create table t (a int primary key, b text)");
    client.query("insert into t select i, repeat('x', i) from generate_series(1, 500) i");
    client.query("update t set b = 'changed' where a % 7 = 0");
    client.query("delete from t where a > 400");
    let end = client.value("select pg_current_wal_insert_lsn()");
    let changes = receive(&["--start", "-o", "include-xids=0", "--endpos", &end, "-f", "-"]);
    receive(&["--drop-slot"]);
    assert!(changes.stdout.lines().count() > 600, "{changes:?}");
    place.version_of("pg_recvlogical") + &changes.stdout
}

pub(super) const DECODED_CHANGES: Client = Client {
    name: "pg_recvlogical",
    does: "a logical slot: made, streamed to an end, dropped",
    script: decoded_changes,
    replication: 3,
    ..Client::OF_POSTGRES
};

#[test]
fn logical_decoding_streams_the_same_changes() {
    runs_the_same(&DECODED_CHANGES);
}

fn subscribe(place: &Place) -> String {
    const TABLE: &str = "create table t (id int primary key, body text)";
    const SUM: &str = "select count(*), sum(id), md5(string_agg(body, ',' order by id)) from t";
    let subscriber = Cluster::newest();
    let database = subscriber.database();
    let (mut publisher, mut local) = (place.cluster.client(place.database), subscriber.client(&database));
    publisher.query(&format!("{TABLE}; insert into t select i, md5(i::text) from generate_series(1, 20000) i"));
    publisher.query("create publication p for all tables");
    local.query(TABLE);
    let slot = format!("slot_of_{}_{}", place.database, subscriber.major);
    let connection = place.connection_string();
    local.query(&format!("create subscription {slot} connection '{connection}' publication p with (streaming = on)"));
    let mut arrives = |publisher: &mut crate::support::client::Client| {
        let wanted = publisher.query(SUM);
        let end = now() + PATIENCE;
        while local.query(SUM) != wanted {
            assert!(now() < end, "the subscriber has {:?}, not {wanted:?}", local.query(SUM));
        }
        format!("{wanted:?}\n")
    };
    let mut seen = arrives(&mut publisher);
    publisher.query("update t set body = 'changed' where id % 7 = 0");
    publisher
        .query("delete from t where id > 15000; insert into t select i, 'new' from generate_series(30000, 60000) i");
    seen += &arrives(&mut publisher);
    local.query(&format!("drop subscription {slot}"));
    drop(local);
    subscriber.client("postgres").query(&format!("drop database {database} with (force)"));
    format!("version {}\n{seen}", subscriber.client("postgres").value("show server_version"))
}

pub(super) const SUBSCRIPTION: Client = Client {
    name: "CREATE SUBSCRIPTION",
    does: "logical replication to a server of the newest version, whose subscription names pgvitals: copy of the table, \
           then changes",
    script: subscribe,
    replication: 2,
    ..Client::OF_POSTGRES
};

#[test]
fn a_subscription_through_pgvitals_has_every_row() {
    runs_the_same(&SUBSCRIPTION);
}
