//! A database with pgvitals' schema survives `pg_upgrade`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::address::Address;
use crate::support::client::Client;
use crate::support::keeper::{Keeper, User};
use crate::support::postgres::{ADVICE, programs, run, unprivileged};
use crate::support::tool::Tool;

/// Programs of two versions between which a cluster can be upgraded: the old ones, the new ones.
fn versions() -> (PathBuf, PathBuf) {
    let all = programs();
    let has = |dir: &Path, names: &[&str]| names.iter().all(|name| dir.join(name).is_file());
    let new = all.iter().rev().find(|(_, dir)| has(dir, &["pg_upgrade", "pg_dumpall", "pg_restore", "vacuumdb"]));
    let (newest, new) = new.unwrap_or_else(|| panic!("no pg_upgrade at hand: {ADVICE}"));
    let old = all.iter().find(|(major, dir)| *major < newest && has(dir, &["pg_controldata", "pg_resetwal", "pg_ctl"]));
    let (_, old) = old.unwrap_or_else(|| panic!("nothing older than {newest} that can be upgraded: {ADVICE}"));
    (old.clone(), new.clone())
}

/// A cluster in `directory`, made without starting it.
fn initdb(programs: &Path, directory: &Path, user: Option<User>) {
    let mut command = Command::new(programs.join("initdb"));
    command.args(["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust", "-D"]);
    run(command.arg(directory), user);
}

/// Runs a cluster until it is dropped; its socket lies beside it.
fn serve(programs: &Path, data: &Path, user: Option<User>) -> (Keeper, Address) {
    let sockets = data.parent().unwrap().display().to_string();
    let program = programs.join("postgres").display().to_string();
    let settings =
        ["listen_addresses=".to_owned(), "fsync=off".to_owned(), format!("unix_socket_directories={sockets}")];
    let mut command = vec![program, "-D".to_owned(), data.display().to_string()];
    command.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    let scratch = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
    unprivileged(scratch.path());
    let keeper = Keeper::start(scratch, "INT", user, &command);
    keeper.log.await_line("ready", |line| line.contains("ready to accept connections").then_some(()));
    (keeper, Address::Unix(data.parent().unwrap().join(".s.PGSQL.5432")))
}

/// "a database with pgvitals' schema survives `pg_upgrade` between two versions at hand" (issue 5), and answers as before.
#[test]
fn the_tables_survive_pg_upgrade() {
    let (old, new) = versions();
    let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
    let user = unprivileged(directory.path());
    let data = ["old", "new"].map(|name| directory.path().join(name));
    initdb(&old, &data[0], user);
    initdb(&new, &data[1], user);

    let (server, address) = serve(&old, &data[0], user);
    let url = format!("postgres:///postgres?user=postgres&host={}", directory.path().display());
    Tool::pgvitals().args(&["migrate", "--store", &url]).succeed();
    let mut client = Client::connect(&address, "postgres");
    client.query("insert into pgvitals.services (service) values ('orders')");
    client.query(
        "insert into pgvitals.instances (boot, instance, service_id, version, started_at)
         values (gen_random_uuid(), 'pod', 1, '0', now())",
    );
    client.query(
        "insert into pgvitals.query_stats
         select s, now() - m * interval '7 minutes', 1, 1, 1, 1, 0, 0, 1, 1, 3, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0,
             array[s * 100, 9000], array[2, 1]
         from generate_series(1, 40) s, generate_series(1, 40) m",
    );
    client.query("select pgvitals.roll_up_hour(date_trunc('hour', now() - interval '2 hours', 'UTC'))");
    let ask = |client: &mut Client| {
        client.query(
            "select sum(calls), pgvitals.percentile(0.5, buckets_us, counts), max(bucket)
             from pgvitals.query_stats_at('-infinity', 'infinity')",
        )
    };
    let before = ask(&mut client);
    drop((client, server));

    let mut upgrade = Command::new(new.join("pg_upgrade"));
    upgrade.arg("-b").arg(&old).arg("-B").arg(&new).arg("-d").arg(&data[0]).arg("-D").arg(&data[1]);
    upgrade.arg("-U").arg("postgres").arg("-s").arg(directory.path()).env("TMPDIR", directory.path());
    upgrade.env_remove("PGHOST").env_remove("PGPORT");
    run(upgrade.current_dir(directory.path()), user);

    let (_server, address) = serve(&new, &data[1], user);
    let mut client = Client::connect(&address, "postgres");
    assert_eq!(ask(&mut client), before);
    assert_eq!(client.value("select count(*) from pgvitals.maintain() where action <> 'made'"), "0");
    client.query("select pgvitals.roll_up_hour(date_trunc('hour', now() - interval '3 hours', 'UTC'))");
    assert_eq!(ask(&mut client)[0][0], before[0][0]);
}
