//! The program under test, as a user starts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::address::{ANY_PORT, Address};
use super::clock::{PATIENCE, now};
use super::http::{self, Answer, Events};
use super::keeper::Keeper;
use super::postgres::clients;

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
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    pub(crate) aborted: u64,
    pub(crate) rows: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) total_ms: f64,
    #[serde(deserialize_with = "zero_without_calls")]
    pub(crate) max_ms: f64,
    #[serde(deserialize_with = "zero_without_calls")]
    pub(crate) p50_ms: f64,
    #[serde(deserialize_with = "zero_without_calls")]
    pub(crate) p95_ms: f64,
    #[serde(deserialize_with = "zero_without_calls")]
    pub(crate) p99_ms: f64,
    pub(crate) client_stall_ms: f64,
    pub(crate) batched: u64,
}

/// What has no calls yet, prepared at most, has null for these.
fn zero_without_calls<'de, D: serde::Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(value).map(Option::unwrap_or_default)
}

/// How to start it: routes, flags.
#[derive(Default)]
pub(crate) struct Setup {
    routes: Vec<(Address, String)>,
    flags: Vec<String>,
    launcher: Vec<String>,
    serves: bool,
    file: String,
    directory: Option<TempDir>,
}

impl Setup {
    /// One route to this server, from a free port.
    pub(crate) fn before(upstream: &Address) -> Self {
        Self::default().route(ANY_PORT, upstream)
    }

    /// A further route; its server's name is `server-` and its place, counted from 0.
    pub(crate) fn route(mut self, listen: Address, upstream: &Address) -> Self {
        self.routes.push((listen, upstream.to_string()));
        self
    }

    /// One route to what this text means, from a free port.
    pub(crate) fn route_to_url(mut self, upstream: &str) -> Self {
        self.routes.push((ANY_PORT, upstream.to_owned()));
        self
    }

    /// `pgvitals serve` on this store, without a proxy.
    pub(crate) fn serving(store: &str) -> Self {
        Self { serves: true, ..Self::default() }.flag("store", store)
    }

    /// Lines of the configuration file of one that has no routes there.
    pub(crate) fn file(mut self, lines: &str) -> Self {
        self.file.push_str(lines);
        self
    }

    /// A flag with its value.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// A flag that has none.
    pub(crate) fn switch(mut self, name: &str) -> Self {
        self.flags.push(format!("--{name}"));
        self
    }

    /// Started with listening sockets by name, as systemd does it; `{name}` in an address or a flag stands for where
    /// one is bound.
    pub(crate) fn activated(mut self, sockets: &[(&str, &Address)]) -> Self {
        let python = clients().join("python/bin/python").to_string_lossy().into_owned();
        self.launcher = vec![python, "-Ic".to_owned(), include_str!("activator.py").to_owned()];
        self.launcher.extend(sockets.iter().map(|(name, address)| format!("{name}={address}")));
        self.launcher.push("--".to_owned());
        self
    }

    /// Under `strace`, which writes its summary to the log when it is told to end.
    pub(crate) fn traced(mut self) -> Self {
        self.launcher = ["strace", "-f", "-c"].map(str::to_owned).to_vec();
        self
    }

    /// The path of a Unix socket to listen on, in the instance's own directory.
    pub(crate) fn socket(&mut self) -> Address {
        Address::Unix(self.directory().join(".s.PGSQL.5432"))
    }

    fn directory(&mut self) -> PathBuf {
        let make = || tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        self.directory.get_or_insert_with(make).path().to_path_buf()
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> Pgvitals {
        let routes = self.routes.len();
        let keeper = self.launch();
        // It says where it listens, the routes in their order, HTTP at last.
        let http = keeper.log.await_line("http", |line| told(line, " http address=")?.parse().ok());
        let text = keeper.log.text();
        let listen: Vec<_> = text.lines().filter_map(|line| told(line, " listening address=")).map(parsed).collect();
        assert!(listen.len() >= routes, "{text}");
        Pgvitals { listen, http, keeper }
    }

    /// Starts it in vain: the line that says so in these words.
    #[track_caller]
    pub(crate) fn fail(self, words: &str) -> String {
        let keeper = self.launch();
        keeper.log.await_line(words, |line| line.contains(words).then(|| line.to_owned()))
    }

    fn launch(mut self) -> Keeper {
        let directory = self.directory();
        let file = directory.join("pgvitals.toml");
        let routes = self.routes.iter().enumerate().map(|(place, (listen, upstream))| {
            format!("[[route]]\nlisten = \"{listen}\"\nupstream = \"{upstream}\"\nserver = \"server-{place}\"\n")
        });
        let mut command = self.launcher;
        command.extend([env!("CARGO_BIN_EXE_pgvitals"), if self.serves { "serve" } else { "run" }].map(str::to_owned));
        if let [(listen, upstream)] = &self.routes[..] {
            command.extend(["--listen".to_owned(), listen.to_string(), "--upstream".to_owned(), upstream.clone()]);
        } else {
            self.file.extend(routes);
        }
        if !self.file.is_empty() {
            std::fs::write(&file, &self.file).unwrap();
            command.extend(["--config".to_owned(), file.display().to_string()]);
        }
        if !self.flags.iter().any(|flag| flag == "--http") {
            command.extend(["--http", "127.0.0.1:0"].map(str::to_owned));
        }
        if !self.flags.iter().any(|flag| flag == "--store") {
            command.extend(["--store", "off"].map(str::to_owned));
        }
        command.extend(self.flags);
        Keeper::start(self.directory.take().unwrap(), "KILL", None, &command)
    }
}

/// The word behind `mark` in a line of the log.
fn told<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split(' ').next()
}

/// An address as pgvitals writes it.
fn parsed(text: &str) -> Address {
    text.parse().map_or_else(|_| Address::Unix(text.into()), Address::Tcp)
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

    /// Sends it this signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.keeper.pid.to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// The log up to a line with these words, past or to come.
    #[track_caller]
    pub(crate) fn log_until(&self, words: &str) -> String {
        self.keeper.log.await_line(words, |line| line.contains(words).then_some(()));
        self.keeper.log.text()
    }

    /// Waits for the phase of this name.
    #[track_caller]
    pub(crate) fn await_phase(&self, name: &str) {
        let to = format!("to={name}");
        self.keeper.log.await_line(&to, |line| line.contains(&to).then_some(()));
    }

    /// A line of `/proc/PID/status` in bytes: `VmRSS`, `VmHWM`.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.keeper.pid)).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        value.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap() * 1024
    }
}
