//! The monitoring tables, on real servers: [`migrations`], [`rights`], [`percentile`], [`once`] (each execution is read
//! once), a wrong [`clock`], [`partitions`], [`upgrade`], [`connecting`], [`questions`] (docs/sql.md).

mod changes;
mod clock;
mod connecting;
mod fleet;
pub(crate) mod idle;
mod migrations;
mod once;
mod outage;
mod pages;
mod partitions;
mod percentile;
mod pooler;
mod proof;
mod questions;
mod reading;
mod reference;
mod rights;
mod samples;
mod size;
mod spooling;
mod upgrade;
pub(crate) mod writing;

use crate::support::client::{Client, startup};
use crate::support::postgres::Cluster;
use crate::support::tool::{Output, Tool};

/// A database with pgvitals' tables.
pub(crate) struct Store {
    pub(crate) cluster: &'static Cluster,
    database: String,
}

impl Store {
    /// Made by `pgvitals migrate`, with roles, in a database of its own.
    #[track_caller]
    pub(crate) fn on(cluster: &'static Cluster) -> Self {
        let store = Self::empty(cluster);
        let output = store.migrate("postgres", &[]);
        assert_eq!(output.code, Some(0), "{output:?}");
        store
    }

    /// A database without them.
    pub(crate) fn empty(cluster: &'static Cluster) -> Self {
        Self { cluster, database: cluster.database() }
    }

    /// Where it is, for this role.
    pub(crate) fn url(&self, role: &str) -> String {
        let (host, port) = self.cluster.tcp.host_and_port();
        format!("postgres://{role}@{host}:{port}/{}", self.database)
    }

    /// `pgvitals migrate` as this role.
    fn migrate(&self, role: &str, arguments: &[&str]) -> Output {
        Tool::pgvitals().args(&["migrate", "--store", &self.url(role)]).args(arguments).run()
    }

    fn client(&self, role: &str) -> Client {
        Client::start(&self.cluster.unix, &startup(&[("user", role), ("database", &self.database)]))
    }

    pub(crate) fn superuser(&self) -> Client {
        self.client("postgres")
    }

    fn writer(&self) -> Client {
        self.client("pgvitals_writer")
    }

    fn reader(&self) -> Client {
        self.client("pgvitals_reader")
    }
}

/// The SQLSTATE that a statement fails with.
#[track_caller]
fn sqlstate(client: &mut Client, sql: &str) -> String {
    use crate::bytes_of;
    use crate::support::client::query;
    let frames = client.ask(&bytes_of![query(sql)]);
    let error = frames.iter().find(|frame| frame.tag == b'E');
    error.unwrap_or_else(|| panic!("{sql} succeeded")).field(b'C').unwrap()
}

/// One service, its instances `1..=count`, and the series `1..=4` of statements `h1` to `h4`.
fn furnish(store: &Store, count: u32) {
    let mut writer = store.writer();
    writer.query("insert into pgvitals.services (service) values ('orders')");
    writer.query(&format!(
        "insert into pgvitals.instances (boot, instance, service_id, version, started_at)
         select gen_random_uuid(), 'pod-' || i, 1, '0', now() from generate_series(1, {count}) i"
    ));
    writer.query(
        "insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version)
         select 'h' || i, 'select ' || i, 'select', 'data', '', 1 from generate_series(1, 4) i on conflict do nothing",
    );
    writer.query(
        "insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
         select i, 'db:5432', 'h' || i, 'shop', 'app', 'web' from generate_series(1, 4) i on conflict do nothing",
    );
}
