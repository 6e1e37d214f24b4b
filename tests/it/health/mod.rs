//! The health of databases, seen on real servers: [`estimates`] of bloat against what pgstattuple finds, [`kinds`] of
//! indexes and tables, [`servers`] as a whole, [`rights`] that are missing, [`busy`] ones, [`rounds`] in the store, one [`object`] of them over a time,
//! [`advice`] that follows.

mod advice;
mod busy;
mod estimates;
mod kinds;
mod object;
mod rights;
mod rounds;
mod servers;

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use ::pgvitals::collect::collector::Collector;
use ::pgvitals::collect::settings::{Settings, WhenIdle};
use ::pgvitals::pgclient::target::Target;
use ::pgvitals::snapshot::index::Index;
use ::pgvitals::snapshot::set::Set;
use ::pgvitals::snapshot::table::Table;
use ::pgvitals::tls::settings::Upstream;
use tokio::runtime::{Builder, Runtime};

use crate::bytes_of;
use crate::support::client::{Client, query, startup};
use crate::support::postgres::Cluster;

/// Servers of these tests' own: who looks at one looks into all its databases.
static CLUSTERS: LazyLock<Mutex<BTreeMap<u32, &'static Cluster>>> = LazyLock::new(Mutex::default);

fn cluster(major: u32) -> &'static Cluster {
    CLUSTERS.lock().unwrap().entry(major).or_insert_with(|| Cluster::own(major))
}

/// A database of a test's own, to be looked at.
struct Patient {
    cluster: &'static Cluster,
    name: String,
}

impl Patient {
    fn of(major: u32) -> Self {
        let cluster = cluster(major);
        Self { cluster, name: cluster.database() }
    }

    fn client(&self) -> Client {
        self.cluster.client(&self.name)
    }

    /// A round as the superuser.
    fn look(&self) -> Seen {
        self.look_as("postgres")
    }

    /// A round as this role.
    fn look_as(&self, role: &str) -> Seen {
        let (host, port) = self.cluster.tcp.host_and_port();
        self.look_at(&format!("postgres://{role}@{host}:{port}/{}", self.name))
    }

    fn look_at(&self, url: &str) -> Seen {
        let target = Target::new(url, Upstream::default()).unwrap().also_standbys();
        let collector = Collector::new(Settings {
            server: "db:5432".to_owned(),
            target,
            own_schema: "pgvitals".to_owned(),
            when_idle: WhenIdle::Auto,
        });
        Seen { set: block_on(collector.collect()).unwrap(), database: self.name.clone() }
    }
}

/// What was seen; of the test's database.
struct Seen {
    set: Set,
    database: String,
}

impl Seen {
    #[track_caller]
    fn table(&self, name: &str) -> &Table {
        let mut found = self.set.tables.iter().filter(|table| table.names.database == self.database);
        found
            .find(|table| table.names.table == name)
            .unwrap_or_else(|| panic!("no table {name}: {:?}", self.set.missing))
    }

    #[track_caller]
    fn index(&self, name: &str) -> &Index {
        let mut found = self.indexes();
        found
            .find(|index| index.names.index == name)
            .unwrap_or_else(|| panic!("no index {name}: {:?}", self.set.missing))
    }

    fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.set.indexes.iter().filter(|index| index.names.database == self.database)
    }

    /// What is missing of the test's database or of the whole server.
    fn missing(&self, what: &str) -> Option<&::pgvitals::snapshot::set::Missing> {
        self.set
            .missing
            .iter()
            .find(|missing| missing.what == what && missing.database.as_ref().is_none_or(|name| *name == self.database))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A client of the database as some role.
fn client_as(patient: &Patient, role: &str) -> Client {
    Client::start(&patient.cluster.unix, &startup(&[("user", role), ("database", &patient.name)]))
}

/// The SQLSTATE that a statement fails with.
#[track_caller]
fn sqlstate(client: &mut Client, sql: &str) -> String {
    let frames = client.ask(&bytes_of![query(sql)]);
    let error = frames.iter().find(|frame| frame.tag == b'E');
    error.unwrap_or_else(|| panic!("{sql} succeeded")).field(b'C').unwrap()
}
