//! `docker/compose.yaml`: valid, whole, and its database's first statements make a server that pgvitals can use.

use serde_json::Value;

use super::{documents, path, read};
use crate::support::client::{Client, startup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

const FILE: &str = "docker/compose.yaml";

/// A server of its own on which `init.sql` ran, as the image runs it.
pub(super) fn initialised() -> &'static Cluster {
    let cluster = Cluster::own(Cluster::any().major);
    let script = path("docker/compose/init.sql").display().to_string();
    let psql = Tool::postgres("psql", cluster.major).against(&cluster.tcp, "postgres");
    let psql = ["ORDERS", "PGVITALS", "READER"]
        .iter()
        .fold(psql, |psql, name| psql.variable(&format!("{name}_PASSWORD"), "it's \"secret\""));
    psql.args(&["-q", "-v", "ON_ERROR_STOP=1", "-f", &script]).succeed();
    cluster
}

/// A store's URL on it.
pub(super) fn store_url(cluster: &Cluster) -> String {
    let (host, port) = cluster.tcp.host_and_port();
    format!("postgres://pgvitals@{host}:{port}/monitoring")
}

/// What stands in the file is there, and the image is this version's.
#[test]
fn each_file_and_each_service_that_it_names_is_there() {
    let compose = documents("compose", &[FILE]).remove(0);
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services["pgvitals"]["image"], format!("pgvitals:{}", env!("CARGO_PKG_VERSION")));
    let mut mounts = 0;
    for (name, service) in services {
        for mount in service["volumes"].as_array().into_iter().flatten() {
            let (from, _) = mount.as_str().unwrap().split_once(':').unwrap();
            assert!(path("docker").join(from).exists(), "{name}: {from}");
            mounts += 1;
        }
        for needed in service["depends_on"].as_array().into_iter().flatten() {
            assert!(services.contains_key(needed.as_str().unwrap()), "{name}: {needed}");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} is open to the network at {port}");
        }
    }
    assert!(mounts >= 6, "{mounts}");
    let ours = ["pgvitals", "serve"].map(|name| &services[name]);
    let known = read("docs/config.md");
    for service in ours {
        assert_eq!((&service["read_only"], &service["cap_drop"][0]), (&true.into(), &"ALL".into()));
        for name in service["environment"].as_object().unwrap().keys() {
            assert!(known.contains(&format!("`{name}`")), "{name} is no setting");
        }
    }
}

/// The database that is tried with Compose and with Kubernetes is one.
#[test]
fn the_first_statements_are_the_same_in_kubernetes() {
    let documents = documents("kubernetes", &["docker/k8s/database.yaml"]);
    let map = documents.iter().find(|document| document["kind"] == "ConfigMap").unwrap();
    assert_eq!(map["data"]["init.sql"], Value::from(read("docker/compose/init.sql")));
}

/// The role that they make may make the tables, and Grafana's may read them.
#[test]
fn the_first_statements_make_what_pgvitals_needs() {
    let cluster = initialised();
    Tool::pgvitals().args(&["migrate", "--store", &store_url(cluster)]).succeed();
    let message = startup(&[("user", "pgvitals_reader"), ("database", "monitoring")]);
    let mut reader = Client::start(&cluster.unix, &message);
    assert_eq!(reader.query("select * from pgvitals.top_statements_24h"), Vec::<Vec<_>>::new());
    let mut owner = Client::start(&cluster.unix, &startup(&[("user", "orders"), ("database", "orders")]));
    owner.query("create table of_its_own (id int)");
}
