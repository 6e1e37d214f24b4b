//! The program under test, as a user starts it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::address::{Address, free_address, free_port};
use super::clock::{PATIENCE, now};
use super::http::{self, Answer, Events};
use super::keeper::Keeper;

/// A running pgvitals.
pub(crate) struct Pgvitals {
    /// Where clients connect, one per route.
    pub(crate) listen: Vec<Address>,
    pub(crate) http: SocketAddr,
    pub(crate) keeper: Keeper,
}

/// A row of `metric=queries`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Statement {
    pub(crate) query_hash: String,
    pub(crate) query: String,
    pub(crate) class: String,
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    pub(crate) aborted: u64,
    pub(crate) rows: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) total_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) client_stall_ms: f64,
    pub(crate) batched: u64,
}

/// How to start it, beside one route from a free port to a server.
#[derive(Default)]
pub(crate) struct Setup {
    routes: Vec<(Address, Address)>,
    flags: Vec<String>,
    directory: Option<TempDir>,
}

impl Setup {
    /// One route to this server, from a free port.
    pub(crate) fn before(upstream: &Address) -> Self {
        Self::default().route(Address::Tcp(free_address()), upstream)
    }

    /// A further route.
    pub(crate) fn route(mut self, listen: Address, upstream: &Address) -> Self {
        self.routes.push((listen, upstream.clone()));
        self
    }

    /// A flag with its value.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// The path of a Unix socket to listen on, in the instance's own directory.
    pub(crate) fn socket(&mut self) -> Address {
        Address::Unix(self.directory().join(format!(".s.PGSQL.{}", free_port())))
    }

    fn directory(&mut self) -> PathBuf {
        let make = || tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        self.directory.get_or_insert_with(make).path().to_path_buf()
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(mut self) -> Pgvitals {
        let directory = self.directory();
        let http = free_address();
        let file = directory.join("pgvitals.toml");
        let routes = self.routes.iter().map(|(listen, upstream)| {
            format!("[[route]]\nlisten = \"{listen}\"\nupstream = \"{upstream}\"\nserver = \"{listen}\"\n")
        });
        let mut command = vec![env!("CARGO_BIN_EXE_pgvitals").to_owned(), "run".to_owned()];
        if let [(listen, upstream)] = &self.routes[..] {
            command.extend(["--listen".to_owned(), listen.to_string(), "--upstream".to_owned(), upstream.to_string()]);
        } else {
            std::fs::write(&file, routes.collect::<String>()).unwrap();
            command.extend(["--config".to_owned(), file.display().to_string()]);
        }
        command.extend(["--http".to_owned(), http.to_string(), "--store".to_owned(), "off".to_owned()]);
        command.extend(self.flags);
        let keeper = Keeper::start(self.directory.take().unwrap(), "KILL", None, &command);
        let listen: Vec<Address> = self.routes.into_iter().map(|(listen, _)| listen).collect();
        let wanted = listen.iter().map(ToString::to_string).chain([http.to_string()]);
        for address in wanted {
            let listens = |line: &str| (line.contains(" INFO ") && line.contains(&address)).then_some(());
            keeper.log.await_line(&address, listens);
        }
        Pgvitals { listen, http, keeper }
    }
}

impl Pgvitals {
    /// In front of this server, with all defaults.
    pub(crate) fn before(upstream: &Address) -> Self {
        Setup::before(upstream).start()
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> &Address {
        &self.listen[0]
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        http::get(self.http, path)
    }

    /// `GET /api/performance` with these parameters, which must succeed.
    #[track_caller]
    pub(crate) fn performance(&self, parameters: &str) -> Value {
        let answer = self.get(&format!("/api/performance?{parameters}"));
        assert_eq!(answer.status, 200, "{parameters}: {answer:?}");
        answer.json()
    }

    /// Rows of `metric=queries`, all of them, with what it takes to group or filter them.
    pub(crate) fn statements(&self, parameters: &str) -> Vec<Statement> {
        let mut body = self.performance(&format!("metric=queries&limit=1000{parameters}"));
        serde_json::from_value(body["queries"].take()).unwrap()
    }

    /// Asks at once, and again after each merge, until `find` finds something.
    #[track_caller]
    pub(crate) fn await_merge<T>(&self, what: &str, mut find: impl FnMut(&Self) -> Option<T>) -> T {
        let end = now() + PATIENCE / 3;
        let mut events = Events::subscribe(self.http);
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            let unmeasured = || self.performance("metric=summary")["unmeasured"].clone();
            assert!(now() < end, "never saw {what}: {:#?}, unmeasured {}", self.statements(""), unmeasured());
            events.await_event("live");
        }
    }

    /// The statement with this canonical text, once it has this many calls.
    #[track_caller]
    pub(crate) fn await_statement(&self, query: &str, calls: u64) -> Statement {
        self.await_merge(&format!("{calls} calls of {query}"), |pgvitals| {
            let row = pgvitals.statements("").into_iter().find(|row| row.query == query)?;
            assert!(row.calls <= calls, "more than {calls} calls: {row:#?}");
            (row.calls == calls).then_some(row)
        })
    }

    /// A sample of `/metrics`, with its labels as they stand there; 0 when it isn't there.
    pub(crate) fn metric(&self, sample: &str) -> f64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.and_then(|value| value.split(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    /// A line of `/proc/PID/status` in bytes: `VmRSS`, `VmHWM`.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.keeper.pid)).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        value.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap() * 1024
    }
}
