//! `docker/compose.yaml`: valid, whole, and its database's first statements make a server that pgvitals can use.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

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
            let is_there = path("docker").join(from).exists() || compose["volumes"].get(from).is_some();
            assert!(is_there, "{name}: {from}");
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

/// The tables are in the server that Compose stops: pgvitals ends before it and writes its last minute, and what the images
/// would keep in volumes without a name is kept in ones with a name, or not at all.
#[test]
fn what_is_measured_outlives_down() {
    let services = documents("compose", &[FILE]).remove(0)["services"].take();
    for ours in ["pgvitals", "serve"] {
        assert_eq!(services[ours]["depends_on"], serde_json::json!(["postgres"]), "{ours} ends first");
    }
    for (name, kept, place) in [
        ("postgres", "volumes", "data:/var/lib/postgresql/data"),
        ("application", "tmpfs", "/var/lib/postgresql/data"),
        ("prometheus", "volumes", "prometheus:/prometheus"),
    ] {
        assert!(services[name][kept].as_array().unwrap().contains(&place.into()), "{name}: {}", services[name]);
    }
}

/// Who is told to end and does not is killed after its grace, of which nothing is left for the pgvitals behind it: the shell
/// that stands in for an application asks for signals, for process 1 gets no others, and does not wait for its program.
#[test]
fn the_applications_end_when_they_are_told_to() {
    let compose = documents("compose", &[FILE]).remove(0);
    let command = compose["services"]["application"]["command"][2].as_str().unwrap().replace("$$", "$");
    let deployment = documents("kubernetes", &["docker/k8s/sidecar.yaml"]).remove(0);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    for script in [&*command, container["args"][0].as_str().unwrap()] {
        let dir = tempfile::tempdir().unwrap();
        let pgbench = dir.path().join("pgbench");
        std::fs::write(&pgbench, "#!/bin/sh\ncase $* in *--initialize*) ;; *) echo $$; exec sleep 20 ;; esac\n")
            .unwrap();
        std::fs::set_permissions(&pgbench, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).env("PATH", path).env("DATABASE_URL", "").stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut program = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut program).unwrap();
        let kill = |pid: &str| Command::new("kill").arg(pid).status().unwrap().success();
        assert!(kill(&shell.id().to_string()));
        let status = shell.wait().unwrap();
        assert!(kill(program.trim()), "it waited for its program to end");
        assert_eq!(status.code(), Some(0), "{script}");
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
