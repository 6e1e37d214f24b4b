//! "`SIGHUP` reload: thresholds, certificates, limits, log level; a bad file leaves the old settings and says so" (issue
//! 4, §2), on a real process.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bytes_of;
use crate::support::address::Address;
use crate::support::client::{Client, bind, execute, parse, startup, sync};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::server::Server;

/// A pgvitals with a configuration file.
struct Case {
    pgvitals: Pgvitals,
    file: PathBuf,
    _server: Option<Server>,
    _directory: TempDir,
}

impl Case {
    /// Before a server that completes whatever it is asked.
    fn start(text: &str) -> Self {
        let server = Server::start(|peer| {
            peer.welcome();
            while peer.frame().is_some() {
                peer.send(b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
            }
        });
        let address = server.address.clone();
        Self { _server: Some(server), ..Self::before(&address, text) }
    }

    fn before(server: &Address, text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pgvitals.toml");
        write(&file, text);
        let pgvitals = Setup::before(server).flag("config", file.to_str().unwrap()).start();
        Self { pgvitals, file, _server: None, _directory: directory }
    }

    /// Writes the file anew and sends SIGHUP; returns when the log has a line with all of these.
    fn reload(&self, text: &str, said: &[&str]) {
        write(&self.file, text);
        let sent = Command::new("kill").arg("-HUP").arg(self.pgvitals.keeper.pid.to_string()).status().unwrap();
        assert!(sent.success());
        let found = |line: &str| said.iter().all(|part| line.contains(part)).then_some(());
        self.pgvitals.keeper.log.await_line(&said.join(" … "), found);
    }

    fn slow(&self) -> usize {
        self.pgvitals.performance("metric=slow_queries&threshold=0")["slow_queries"].as_array().unwrap().len()
    }

    /// Values of this statement's single executions.
    fn samples(&self, column: &str) -> Vec<Value> {
        let statements = self.pgvitals.performance("metric=queries");
        let query = format!("select $1 as {column}");
        let Some(row) = statements["queries"].as_array().unwrap().iter().find(|row| row["query"] == query) else {
            return Vec::new();
        };
        let hash = row["query_hash"].as_str().unwrap();
        let one = self.pgvitals.performance(&format!("metric=query&hash={hash}"));
        one["samples"].as_array().unwrap().iter().map(|sample| sample["parameters"].clone()).collect()
    }

    /// Executes the statement again and again until one is kept as slow.
    fn await_slow(&self, client: &mut Client) {
        self.pgvitals.await_merge("a slow execution", |_| {
            client.query("select a from t");
            (self.slow() > 0).then_some(())
        });
    }
}

/// Runs a statement with a value.
fn bound(client: &mut Client, column: &str, value: &str) {
    let statement = parse("", &format!("select $1 as {column}"));
    client.ask(&bytes_of![statement, bind("", "", &[value]), execute("", 0), sync()]);
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
}

#[test]
fn thresholds_limits_and_the_log_level_change_while_it_runs() {
    let case = Case::start("slow_threshold = '1h'\nmax_connections = 1\nlog = 'info'\n");
    let address = case.pgvitals.address();
    let mut client = Client::connect(address, "postgres");
    client.query("select a from t");
    case.pgvitals.await_statement("select a from t", 1);
    assert_eq!(case.slow(), 0);
    let refused = Client::open(address).begin(&startup(&[("user", "postgres")]));
    assert_eq!(refused[0].field(b'C').as_deref(), Some("53300"));

    let text = "slow_threshold = '1us'\nmax_connections = 2\nlog = 'debug'\n[levels]\nlatency = ['1us', '1h', '2h']\n";
    case.reload(text, &["settings reloaded"]);
    case.await_slow(&mut client);
    let slow = case.pgvitals.performance("metric=slow_queries&threshold=0");
    assert_eq!(slow["slow_queries"][0]["level"], "warning", "{slow:#}");
    drop(Client::connect(address, "postgres"));
    case.pgvitals.keeper.log.await_line("a DEBUG line", |line| line.contains("DEBUG").then_some(()));
}

#[test]
fn a_bad_file_changes_nothing_and_says_what_is_wrong() {
    let case = Case::start("slow_threshold = '1us'\n");
    let mut client = Client::connect(case.pgvitals.address(), "postgres");
    case.reload("slow_threshold = 'soon'\n", &["ERROR", "slow_threshold", "soon", "pgvitals.toml:1"]);
    case.reload("slow_treshold = '1h'\n", &["ERROR", "unknown key", "did you mean `slow_threshold`"]);
    case.await_slow(&mut client);
    case.reload("slow_threshold = '1us'\n", &["settings reloaded"]);
}

#[test]
fn what_waits_for_a_restart_is_named() {
    let case = Case::start("workers = 1\n");
    case.reload("workers = 2\nservice = 'other'\n", &["settings reloaded"]);
    for key in ["workers", "service"] {
        let named = |line: &str| (line.contains("restart") && line.contains(&format!("\"{key}\""))).then_some(());
        case.pgvitals.keeper.log.await_line(key, named);
    }
    Client::connect(case.pgvitals.address(), "postgres").query("select a from t");
    case.pgvitals.await_statement("select a from t", 1);
}

/// "`sample_rate`, `capture_parameters` (on for new connections, off for all)" (docs/config.md)
#[test]
fn samples_and_their_values_come_and_go_while_it_runs() {
    let cluster = Cluster::any();
    let database = cluster.database();
    let case = Case::before(&cluster.tcp, "slow_threshold = '1h'\nsample_rate = 0\n");
    let mut old = Client::connect(case.pgvitals.address(), &database);
    bound(&mut old, "a", "before");
    case.pgvitals.await_statement("select $1 as a", 1);
    assert_eq!(case.samples("a"), Vec::<Value>::new());

    case.reload("slow_threshold = '1h'\nsample_rate = 1\ncapture_parameters = true\n", &["settings reloaded"]);
    let mut new = Client::connect(case.pgvitals.address(), &database);
    case.pgvitals.await_merge("a value", |_| {
        bound(&mut old, "a", "old");
        bound(&mut new, "a", "new");
        case.samples("a").contains(&json!(["new"])).then_some(())
    });
    assert!(!case.samples("a").contains(&json!(["old"])));

    case.reload("slow_threshold = '1h'\nsample_rate = 1\n", &["settings reloaded"]);
    case.pgvitals.await_merge("a sample without its value", |_| {
        bound(&mut new, "b", "later");
        case.samples("b").contains(&Value::Null).then_some(())
    });
    bound(&mut new, "c", "last");
    case.pgvitals.await_statement("select $1 as c", 1);
    assert_eq!(case.samples("c"), [Value::Null]);
}
