//! One script, directly and through pgvitals.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::support::address::Address;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::{Output, Tool};
use crate::transparency::same_through;
use crate::truth::counts::{Counts, our_counts, server_counts};

/// How a client reaches its server; both legs are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Plaintext,
    /// With SCRAM, bound to the certificate of the server where the driver can; pgvitals shows the same certificate.
    Tls,
}

/// Which servers it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    Every,
    Newest,
    /// The one that has all of PostgreSQL's programs beside it.
    WithPrograms,
}

/// Software that others wrote, and what it is made to do.
pub(super) struct Client {
    pub(super) name: &'static str,
    /// What its script does, for the table.
    pub(super) does: &'static str,
    /// Runs it, and returns what its user sees; the first line says its version.
    pub(super) script: fn(&Place) -> String,
    /// In plaintext.
    pub(super) servers: Servers,
    /// Whether it can speak TLS; then it does so with the newest of its servers.
    pub(super) tls: bool,
    /// Sessions for replication, at least: they pass, and are not measured.
    pub(super) replication: u64,
}

impl Client {
    /// What most programs of PostgreSQL's have in common.
    pub(super) const OF_POSTGRES: Client = Client {
        name: "",
        does: "",
        script: |_| String::new(),
        servers: Servers::WithPrograms,
        tls: true,
        replication: 0,
    };

    /// What most drivers have in common.
    pub(super) const DRIVER: Client = Client { servers: Servers::Newest, ..Client::OF_POSTGRES };
}

/// Where a script connects to.
pub(super) struct Place<'a> {
    pub(super) address: &'a Address,
    pub(super) database: &'a str,
    pub(super) cluster: &'static Cluster,
    over: Over,
}

impl Place<'_> {
    /// The tool with what it needs in its environment.
    pub(super) fn aim(&self, tool: Tool) -> Tool {
        let tool = tool.against(self.address, self.database);
        match self.over {
            Over::Plaintext => tool,
            Over::Tls => {
                let authority = self.cluster.pki().ca.display().to_string();
                let tool = tool.variable("PGUSER", "scram_user").variable("PGPASSWORD", "secret of scram_user");
                tool.variable("PGSSLMODE", "verify-ca").variable("PGSSLROOTCERT", &authority)
            }
        }
    }

    /// The same for who wants it in one string.
    pub(super) fn connection_string(&self) -> String {
        let (host, port) = self.address.host_and_port();
        let place = format!("host={host} port={port} dbname={}", self.database);
        match self.over {
            Over::Plaintext => format!("{place} user=postgres sslmode=disable"),
            Over::Tls => {
                let authority = self.cluster.pki().ca.display();
                let user = "user=scram_user password=''secret of scram_user''";
                format!("{place} {user} sslmode=verify-ca sslcertmode=disable sslrootcert={authority}")
            }
        }
    }

    /// What a script prints, which must come to its end and say so.
    #[track_caller]
    pub(super) fn prints(&self, tool: Tool) -> String {
        let Output { stdout, stderr, .. } = self.aim(tool).succeed();
        assert!(stdout.starts_with("version ") && stdout.ends_with("done\n"), "{stdout}{stderr}");
        assert!(stdout.contains("counted"), "{stdout}");
        stdout + &stderr
    }
}

/// What each script ends with, one by one: `insert into counted (id) values (…)`.
const COUNTED: u64 = 100;

/// Runs a client with all servers that it meets, over all that it can; its version.
#[track_caller]
pub(super) fn runs_the_same(client: &Client) -> String {
    let newest = Cluster::newest().major;
    let majors = match client.servers {
        Servers::Every => Cluster::majors(),
        Servers::Newest => vec![newest],
        Servers::WithPrograms => vec![Cluster::any().major],
    };
    eprintln!("{}: {}", client.name, client.does);
    let mut version = String::new();
    for major in &majors {
        version = once(client, Cluster::of(*major), Over::Plaintext);
    }
    if client.tls {
        once(client, Cluster::encrypted(*majors.last().unwrap()), Over::Tls);
    }
    version
}

/// Directly and through pgvitals; its version.
#[track_caller]
fn once(client: &Client, cluster: &'static Cluster, over: Over) -> String {
    let setup = Setup::before(&cluster.tcp);
    let setup = match over {
        Over::Plaintext => setup,
        Over::Tls => {
            let [cert, key] = cluster.pki().server.text();
            let setup = setup.flag("tls-client", "require").flag("tls-upstream", "require");
            setup.flag("tls-cert", &cert).flag("tls-key", &key)
        }
    };
    let seen = RefCell::default();
    let pgvitals = same_through(setup, cluster, |address, database| {
        let said = (client.script)(&Place { address, database, cluster, over });
        seen.replace((database.to_owned(), said.clone()));
        said
    });
    let (database, seen): (String, String) = seen.into_inner();
    if seen.contains("counted") {
        is_counted(client, &pgvitals);
        agrees_with_the_server(client, cluster, &pgvitals, &database);
    }
    is_measured(client, &pgvitals);
    let first = seen.lines().next().unwrap_or_default();
    first.strip_prefix("version ").unwrap_or_else(|| panic!("{}: no version in {first:?}", client.name)).to_owned()
}

/// "pgvitals' own counts are checked where the client's statement count is known": its inserts are as many calls with a row
/// each, none failed, whatever text the driver made of them.
#[track_caller]
fn is_counted(client: &Client, pgvitals: &Pgvitals) {
    let what = format!("{COUNTED} inserts of {}", client.name);
    pgvitals.await_merge(&what, |pgvitals| {
        let rows = pgvitals.statements("").into_iter();
        let inserts: Vec<_> = rows.filter(|row| row.query.starts_with("insert into counted(id) values (")).collect();
        let sum = |field: fn(&crate::support::pgvitals::Statement) -> u64| inserts.iter().map(field).sum::<u64>();
        assert!(sum(|row| row.calls) <= COUNTED, "{what}: {inserts:#?}");
        (sum(|row| row.calls) == COUNTED).then(|| {
            assert_eq!(sum(|row| row.rows), COUNTED, "{what}: {inserts:#?}");
            assert_eq!(sum(|row| row.errors + row.aborted), 0, "{what}: {inserts:#?}");
        })
    });
}

/// Nothing went by unmeasured but replication.
#[track_caller]
fn is_measured(client: &Client, pgvitals: &Pgvitals) {
    let unmeasured = pgvitals.await_merge(&format!("{} sessions for replication", client.replication), |pgvitals| {
        let unmeasured = pgvitals.performance("metric=summary")["unmeasured"].take();
        (unmeasured["replication"].as_u64()? >= client.replication).then_some(unmeasured)
    });
    let allowed = |reason: &str| reason == "replication" && client.replication > 0;
    let mut others = unmeasured.as_object().unwrap().iter().filter(|(reason, _)| !allowed(reason));
    assert!(others.all(|(_, count)| count == 0), "{}: unmeasured {unmeasured}", client.name);
}

/// "`calls - errors - aborted` of data statements equals `calls` of pg_stat_statements" (PROTOCOL §4): as many of each kind.
/// One of the server's statements may be two of ours: it tells constants by their type, where we have nothing but the text.
#[track_caller]
fn agrees_with_the_server(client: &Client, cluster: &Cluster, pgvitals: &Pgvitals, database: &str) {
    let server = by_kind(&server_counts(cluster, database, 1));
    pgvitals.await_merge(&format!("as many calls of {} as the server: {server:?}", client.name), |pgvitals| {
        let ours = by_kind(&our_counts(pgvitals, &format!("&database={database}")));
        assert!(ours.iter().all(|(kind, calls)| *calls <= server[kind]), "{}: {ours:?}, {server:?}", client.name);
        (ours == server).then_some(())
    });
}

/// Calls of data statements, by their first word.
fn by_kind(counts: &Counts) -> BTreeMap<&'static str, u64> {
    const KINDS: [&str; 4] = ["select ", "insert ", "update ", "delete "];
    let calls =
        |kind: &str| counts.values().filter(|(_, text)| text.starts_with(kind)).map(|((calls, _), _)| calls).sum();
    KINDS.map(|kind| (kind, calls(kind))).into()
}
