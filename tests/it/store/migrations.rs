//! `pgvitals migrate`.

use ::pgvitals::store::script::{MIGRATIONS, VERSION};

use super::Store;
use crate::support::clock::{PATIENCE, now};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// "Migrations: ordered, checksummed, `pg_advisory_xact_lock`" (STORE §4); fifty sidecars that start at once migrate once.
#[test]
fn fifty_processes_that_migrate_at_once_do_it_once() {
    let store = Store::empty(Cluster::newest());
    let said: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    let output = store.migrate("postgres", &[]);
                    assert_eq!(output.code, Some(0), "{output:?}");
                    output.stdout
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let made = said.iter().filter(|text| text.contains("made, version")).count();
    let nothing = said.iter().filter(|text| text.contains("nothing to do")).count();
    assert_eq!((made, nothing), (1, 49), "{said:?}");
    assert_eq!(store.superuser().value("select count(*) from pgvitals.migrations"), MIGRATIONS.len().to_string());
}

/// Every server at hand takes the tables, and a second migration finds nothing to do.
#[test]
fn each_major_version_takes_the_tables() {
    for major in Cluster::majors() {
        let store = Store::on(Cluster::of(major));
        let again = store.migrate("postgres", &[]);
        assert!(again.stdout.contains("nothing to do"), "PostgreSQL {major}: {again:?}");
        let mut reader = store.reader();
        for question in [
            "select count(*) from pgvitals.statement_latency",
            "select count(*) from pgvitals.top_statements_24h",
            "select count(*) from pgvitals.latency(now() - interval '1 day', now(), '5 minutes')",
            "select count(*) from pgvitals.heatmap(now() - interval '1 day', now(), '1 hour')",
            "select count(*) from pgvitals.query_stats_at(now() - interval '1 day', now())",
            "select count(*) from pgvitals.long_executions(now() - interval '1 day', now(), 0)",
            "select count(*) from pgvitals.failing_statements(now() - interval '1 day', now(), 1)",
            "select count(*) from pgvitals.busy_statements('db', now(), 9)",
            "select count(*) from pgvitals.statement_hours('db', '{}', now() - interval '1 day', now())",
        ] {
            assert_eq!(reader.value(question), "0", "PostgreSQL {major}: {question}");
        }
    }
}

/// What is printed is what is run: psql makes a store with it that has nothing left to do.
#[test]
fn the_printed_script_makes_the_same_store() {
    let cluster = Cluster::any();
    let store = Store::empty(cluster);
    let script = Tool::pgvitals().args(&["migrate", "--print"]).succeed().stdout;
    let psql = Tool::postgres("psql", cluster.major).against(&cluster.tcp, &store.database);
    psql.args(&["-XqAt", "-v", "ON_ERROR_STOP=1"]).input(&script).succeed();
    let status = store.migrate("postgres", &["--status"]).stdout;
    assert!(status.contains(&format!("version {VERSION}, this program's is {VERSION}")), "{status}");
    assert!(!status.contains("pending"), "{status}");
    assert!(store.migrate("postgres", &[]).stdout.contains("nothing to do"));
}

/// "A role without DDL rights gets a clear message" (issue 5), and `check` says the same before anything runs.
#[test]
fn a_role_without_rights_is_told_what_to_run() {
    let store = Store::empty(Cluster::newest());
    store.superuser().query("create role nobody_special login");
    let output = store.migrate("nobody_special", &[]);
    assert_eq!(output.code, Some(1));
    for text in ["permission denied", "42501", "`pgvitals migrate --store URL`", "--print", "--single-role"] {
        assert!(output.stderr.contains(text), "{text}: {output:?}");
    }
    let url = store.url("nobody_special");
    let check = Tool::pgvitals().args(&["check", "--http", "127.0.0.1:0", "--store", &url]).run();
    assert!(check.stdout.contains("role `nobody_special` may not make them"), "{check:?}");
    assert!(check.stdout.contains("GRANT pgvitals_writer TO nobody_special"), "{check:?}");
}

/// `--single-role`: where roles can't be made, one owns, writes and reads; and it is remembered.
#[test]
fn a_single_role_owns_writes_and_reads() {
    let store = Store::empty(Cluster::newest());
    let mut admin = store.superuser();
    admin.query("create role only_one login");
    admin.query(&format!("grant create on database {} to only_one", store.database));
    let output = store.migrate("only_one", &["--single-role", "--store-schema", "stats"]);
    assert!(output.stdout.contains("schema stats") && output.stdout.contains("made"), "{output:?}");
    let owner = "select nspowner::regrole::text from pg_namespace where nspname = 'stats'";
    assert_eq!(admin.value(owner), "only_one");
    let mut one = store.client("only_one");
    assert_eq!(one.value("select count(*) from stats.query_stats"), "0");
    assert_eq!(one.value("select count(*) from stats.maintain()"), "0", "all partitions are there");
    assert!(store.migrate("only_one", &["--store-schema", "stats"]).stdout.contains("nothing to do"));
    admin.query("create role passer_by login");
    assert_eq!(super::sqlstate(&mut store.client("passer_by"), "select stats.maintain()"), "42501");
}

/// "an older binary that is at least `min_writer` goes on" (STORE §4), one below it is told to be updated, and a text
/// that was changed is named.
#[test]
fn an_older_program_goes_on_as_long_as_the_store_lets_it() {
    let store = Store::on(Cluster::newest());
    let mut admin = store.superuser();
    admin.query("update pgvitals.meta set schema_version = 99");
    assert!(store.migrate("postgres", &[]).stdout.contains("nothing to do"));
    admin.query("update pgvitals.meta set min_writer = 98");
    let refused = store.migrate("postgres", &[]);
    assert!(refused.stderr.contains("wants programs that know version 98"), "{refused:?}");
    admin.query("update pgvitals.meta set min_writer = 1");
    admin.query("update pgvitals.migrations set checksum = 'x' where version = 2");
    let refused = store.migrate("postgres", &[]);
    assert!(refused.stderr.contains("0002_percentile was applied"), "{refused:?}");
}

/// A newer program whose role may not change the tables is told so before it waits for somebody who may.
#[test]
fn check_says_who_has_to_migrate() {
    let store = Store::on(Cluster::newest());
    store.superuser().query(&format!("update pgvitals.meta set schema_version = {}", VERSION - 1));
    let check = |role: &str| {
        Tool::pgvitals().args(&["check", "--http", "127.0.0.1:0", "--store", &store.url(role)]).run().stdout
    };
    let said = check("pgvitals_writer");
    assert!(said.contains(&format!("role `pgvitals_writer` may not bring it to {VERSION}")), "{said}");
    let said = check("postgres");
    assert!(said.contains(&format!("pgvitals brings it to {VERSION}")), "{said}");
}

/// "`check` and the first flush name such a table with its `ALTER TABLE`" (STORE §4).
#[test]
fn check_names_rights_and_row_level_security() {
    let store = Store::on(Cluster::newest());
    let check = |role: &str| {
        Tool::pgvitals().args(&["check", "--http", "127.0.0.1:0", "--store", &store.url(role)]).run().stdout
    };
    let said = check("pgvitals_writer");
    assert!(said.contains("role `pgvitals_writer` may write\n"), "{said}");
    assert!(said.contains("GRANT pgvitals_reader TO pgvitals_writer"), "{said}");
    store.superuser().query("alter table pgvitals.query_stats enable row level security");
    let said = check("pgvitals_writer");
    assert!(said.contains("ALTER TABLE pgvitals.query_stats DISABLE ROW LEVEL SECURITY"), "{said}");
    let said = check("pgvitals_reader");
    assert!(said.contains("FAIL  role `pgvitals_reader` may not write"), "{said}");
}

/// "Migrations: ordered" (STORE §4), also where another database of the server is in the middle of its own: roles are the
/// whole server's, and whoever makes the same ones waits longer than a lock may take.
#[test]
fn a_migration_outlasts_another_database_that_makes_the_same_roles() {
    let store = Store::empty(Cluster::newest());
    let mut other = store.superuser();
    other.query("begin; create role outlasted_owner nologin");
    let waiting = "select coalesce(max(xact_start)::text, '') from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%outlasted_owner%' and pid <> pg_backend_pid()";
    let output = std::thread::scope(|scope| {
        let migrating = scope.spawn(|| store.migrate("postgres", &["--store-schema", "outlasted"]));
        let mut watcher = store.superuser();
        let mut tries = std::collections::BTreeSet::new();
        let deadline = now() + PATIENCE;
        while tries.len() < 2 && !migrating.is_finished() {
            assert!(now() < deadline, "{tries:?}");
            tries.extend(Some(watcher.value(waiting)).filter(|start| !start.is_empty()));
        }
        other.query("rollback");
        migrating.join().unwrap()
    });
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("made, version"), "{output:?}");
}
