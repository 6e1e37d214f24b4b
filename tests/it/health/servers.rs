//! The server as a whole: holders of WAL and of old rows, sessions, calls, and a standby.

use std::path::Path;

use super::{Patient, block_on};
use crate::support::client::Client;
use crate::support::client::startup;
use crate::support::keeper::Keeper;
use crate::support::postgres::{ADVICE, Cluster, free_port, program, programs, run, unprivileged};

#[test]
fn what_holds_wal_and_old_rows_is_named() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        let slot = format!("slot_{}", patient.name);
        client.query(&format!("select pg_create_physical_replication_slot('{slot}', true)"));
        client.query("create table t (id int)");
        client.query("begin; insert into t values (1)");
        client.query(&format!("prepare transaction 'of {}'", patient.name));
        let seen = patient.look();
        let server = &seen.set.server;
        let held = server.slots.iter().find(|one| one.name == slot).unwrap();
        assert_eq!((held.kind.as_str(), held.is_active, held.safe_wal_bytes), ("physical", false, None));
        assert!(held.retained_bytes.is_some_and(|bytes| bytes > 0), "{held:?}");
        assert_eq!((held.wal_status.as_deref(), held.inactive_since.is_some()), (Some("reserved"), major >= 17));
        let prepared = server.prepared.iter().find(|one| one.database == patient.name).unwrap();
        assert_eq!((prepared.gid.clone(), prepared.user.as_str()), (format!("of {}", patient.name), "postgres"));
        assert!(prepared.prepared_at <= seen.set.at && prepared.prepared_at > server.started_at);
        assert_eq!(server.version_number / 10_000, major);
        assert!(server.system_identifier.is_some() && !server.is_standby);
        assert_eq!(server.connections.limit, 1_200);
        let setting = server.settings.iter().find(|setting| setting.name == "autovacuum").unwrap();
        assert_eq!(setting.value, "off");
        client.query(&format!("rollback prepared 'of {}'", patient.name));
        client.query(&format!("select pg_drop_replication_slot('{slot}')"));
    }
}

/// "Calls by user and database (`pg_stat_statements`, top level, since the later of both resets), sessions by user,
/// application and address" (issue 6).
#[test]
fn calls_and_sessions_are_told_by_user() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        let role = format!("app_{}", patient.name);
        client.query(&format!("create role {role} login"));
        let mut parameters = vec![("user", role.as_str()), ("database", patient.name.as_str())];
        parameters.push(("application_name", "shop"));
        let mut app = Client::start(&patient.cluster.tcp, &startup(&parameters));
        (0..5).for_each(|n| drop(app.query(&format!("select {n}"))));
        let seen = patient.look();
        let calls = seen.set.server.calls.as_ref().unwrap();
        let of_app = calls.by.iter().find(|one| one.user == role).unwrap();
        assert_eq!((of_app.database.as_str(), of_app.calls), (patient.name.as_str(), 5));
        assert_eq!(calls.evictions, Some(0));
        assert!(calls.since.is_some_and(|since| since <= seen.set.at));
        let session = seen.set.server.sessions.iter().find(|one| one.user == role).unwrap();
        assert_eq!(
            (session.application.as_str(), session.address.as_deref(), session.sessions),
            ("shop", Some("127.0.0.1"), 1)
        );
        let database = seen.set.databases.iter().find(|one| one.name == patient.name).unwrap();
        assert!(database.is_seen && database.figures.size_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(database.figures.committed > 0 && database.figures.sessions >= 2, "{database:?}");
    }
}

/// "Standby servers" (issue 6): counters there are its own, and statistics of nobody knows which age are not trusted.
#[test]
fn a_standby_is_looked_at_too() {
    for major in Cluster::majors() {
        if !programs()[&major].join("pg_basebackup").is_file() {
            continue;
        }
        let patient = Patient::of(major);
        let mut client = patient.client();
        client.query("create table t as select i as id from generate_series(1, 20000) i");
        client.query("create unlogged table u (id serial)");
        client.query("create index t_id on t (id)");
        client.query("vacuum analyze t");
        let standby = Standby::of(patient.cluster);
        let seen = patient.look_at(&format!("postgres://postgres@127.0.0.1:{}/{}", standby.port, patient.name));
        assert!(seen.set.server.is_standby);
        let figures = &seen.table("t").figures;
        assert_eq!(figures.estimated_tuples, Some(20_000.0));
        assert!(figures.bloat.is_none() && figures.withheld.is_some(), "{figures:?}");
        assert_eq!(seen.index("t_id").figures.scans, 0);
        let here = |missing: &&::pgvitals::snapshot::set::Missing| missing.database.as_ref() == Some(&patient.name);
        assert_eq!(seen.set.missing.iter().find(here), None);
        let receivers = patient.look().set.server.standbys;
        assert!(receivers.iter().any(|one| one.name == "walreceiver" && one.behind_bytes.is_some()), "{receivers:?}");
    }
}

struct Standby {
    port: u16,
    _keeper: Keeper,
}

impl Standby {
    /// A copy of the cluster that has caught up.
    fn of(cluster: &Cluster) -> Self {
        let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let user = unprivileged(directory.path());
        let (data, port) = (directory.path().join("data"), free_port());
        let (host, from) = cluster.tcp.host_and_port();
        let mut copy = std::process::Command::new(program("pg_basebackup", cluster.major));
        copy.args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--username=postgres"]);
        copy.arg(format!("--host={host}")).arg(format!("--port={from}")).arg("--pgdata").arg(&data);
        run(&mut copy, user);
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", directory.path().display()),
            "max_connections=1200".to_owned(),
            "max_prepared_transactions=8".to_owned(),
            "max_wal_senders=8".to_owned(),
            "fsync=off".to_owned(),
            "wal_level=logical".to_owned(),
            "shared_preload_libraries=pg_stat_statements".to_owned(),
        ];
        let server = programs()[&cluster.major].join("postgres");
        let mut command = vec![server.display().to_string(), "-D".to_owned(), data.display().to_string()];
        command.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        let keeper = Keeper::start(directory, "QUIT", user, &command);
        keeper.log.await_line("ready", |line| line.contains("ready to accept read-only connections").then_some(()));
        keeper.log.await_line("streaming", |line| line.contains("started streaming WAL").then_some(()));
        Self { port, _keeper: keeper }
    }
}

/// Only a server that isn't there is an error: what it doesn't say is missing.
#[test]
fn a_server_that_is_away_is_an_error() {
    use ::pgvitals::collect::collector::Collector;
    use ::pgvitals::collect::settings::{Settings, WhenIdle};
    use ::pgvitals::pgclient::target::Target;
    use ::pgvitals::tls::settings::Upstream;
    let target = Target::new("postgres://nobody@127.0.0.1:1/x", Upstream::default()).unwrap();
    let settings =
        Settings { server: "db".to_owned(), target, own_schema: "pgvitals".to_owned(), when_idle: WhenIdle::Never };
    let said = block_on(Collector::new(settings).collect()).unwrap_err().to_string();
    assert!(said.contains("127.0.0.1:1/x"), "{said}");
}

/// "Pooler-safe": each question is a transaction, and nothing stays behind it.
#[test]
fn a_pooler_may_stand_in_between() {
    let patient = Patient::of(Cluster::any().major);
    let mut client = patient.client();
    client.query("create table t as select i as id from generate_series(1, 20000) i");
    client.query("create index t_id on t (id)");
    client.query("select pg_stat_force_next_flush()");
    client.query("analyze t");
    let directory = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
    let user = unprivileged(directory.path());
    let (file, listen) = (directory.path().join("pgbouncer.ini"), free_port());
    let (host, port) = patient.cluster.tcp.host_and_port();
    let settings = format!(
        "[databases]\n* = host={host} port={port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\n\
         unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n"
    );
    std::fs::write(&file, settings).unwrap();
    let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
    let command = [program.expect(ADVICE).to_owned(), file.display().to_string()];
    let keeper = Keeper::start(directory, "TERM", user, &command);
    keeper.log.await_line("process up", |line| line.contains("process up").then_some(()));
    let url = format!("postgres://postgres@127.0.0.1:{listen}/{}", patient.name);
    let (direct, pooled) = (patient.look(), patient.look_at(&url));
    assert_eq!(pooled.table("t").figures.bloat, direct.table("t").figures.bloat);
    assert_eq!(pooled.index("t_id").definition, direct.index("t_id").definition);
    assert!(
        pooled.set.missing.iter().all(|missing| missing.database.as_ref() != Some(&patient.name)),
        "{:?}",
        pooled.set.missing
    );
}
