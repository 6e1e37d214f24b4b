//! `pgvitals check`: what will and won't work with these settings. An upstream sees nothing but a connect, the store some
//! questions about its catalogues.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpStream, UnixStream};

use super::client::runtime;
use super::exit::Failure;
use super::holder;
use crate::collect::examine::examine;
use crate::config::load::Loaded;
use crate::pgclient::connect::Connection;
use crate::proxy::{DrainMode, Route};
use crate::runtime::listen::{Address, Listener};
use crate::snapshot::set::Missing;
use crate::store::examine::{self, Finding};
use crate::tls::settings::{ClientMode, Settings, UpstreamMode};
use crate::tls::store::Store;

/// How a finding turned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Well,
    Note,
    Bad,
}

/// What is said, line by line.
#[derive(Default)]
struct Report(Vec<(Outcome, String)>);

impl Report {
    fn well(&mut self, text: impl Into<String>) {
        self.0.push((Outcome::Well, text.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        self.0.push((Outcome::Note, text.into()));
    }

    fn bad(&mut self, text: impl Into<String>) {
        self.0.push((Outcome::Bad, text.into()));
    }
}

/// Says it; a failure if something won't work.
pub(super) fn run(loaded: &Loaded, mut out: impl Write) -> Result<(), Failure> {
    let mut report = Report::default();
    runtime()?.block_on(look(loaded, &mut report));
    for (outcome, text) in &report.0 {
        let mark = match outcome {
            Outcome::Well => "ok  ",
            Outcome::Note => "note",
            Outcome::Bad => "FAIL",
        };
        writeln!(out, "{mark}  {text}").context("can't write the report")?;
    }
    if report.0.iter().any(|(outcome, _)| *outcome == Outcome::Bad) { Err(Failure::Said) } else { Ok(()) }
}

async fn look(loaded: &Loaded, report: &mut Report) {
    match &loaded.file {
        Some(file) => report.well(format!("settings: {} with environment and flags over it", file.display())),
        None => report.well("settings: environment and flags, no file"),
    }
    for warning in &loaded.warnings {
        report.note(warning.clone());
    }
    let proxy = &loaded.app.proxy;
    for route in &proxy.routes {
        for address in &route.listen {
            listen(address, proxy.reuse_port, report).await;
        }
        upstream(route, proxy.connect_timeout, report).await;
        tls(route, report);
    }
    http(loaded, report).await;
    store(loaded, report).await;
    monitored(loaded, report).await;
    promises(loaded, report);
}

async fn listen(address: &Address, reuse_port: bool, report: &mut Report) {
    match Listener::bind(address, reuse_port).await {
        Ok(_) => report.well(format!("listen {address}: free")),
        Err(error) if error.reason.kind() == std::io::ErrorKind::AddrInUse => {
            report.bad(format!("listen {address}: taken by {}; stop that one, or set `listen`", holder(address).await));
        }
        Err(error) => report.bad(format!("listen {address}: {}", error.reason)),
    }
}

/// Bare connects: a start-up packet would wake a database that sleeps.
async fn upstream(route: &Route, timeout: Duration, report: &mut Report) {
    for address in &route.upstream {
        match tokio::time::timeout(timeout, connect(address)).await {
            Ok(Ok(())) => report.well(format!("upstream {address}: accepts connections, as server `{}`", route.server)),
            Ok(Err(error)) => {
                report.bad(format!("upstream {address}: {error}; is PostgreSQL there, and `upstream` right?"));
            }
            Err(_) => report
                .bad(format!("upstream {address}: no answer within {timeout:?}; a firewall, or `connect_timeout`?")),
        }
    }
}

/// Reads the route's certificates, and says who can connect how.
fn tls(route: &Route, report: &mut Report) {
    let Settings { client, upstream } = &route.tls;
    if let Err(error) = Store::load([&route.tls], &[], &[]) {
        report.bad(format!("TLS of server `{}`: {error}", route.server));
    }
    match (client.mode, &client.cert) {
        (ClientMode::Disable, _) => report.note(
            "tls.client: disable; clients with sslmode=require or stricter can't connect, prefer and disable can",
        ),
        (mode, None) => report
            .note(format!("tls.client: {mode:?}, with a self-signed certificate: it encrypts, and proves nothing")),
        (mode, Some(cert)) => report.well(format!("tls.client: {mode:?}, with {}", cert.display())),
    }
    if client.mode != ClientMode::Disable && upstream.mode != UpstreamMode::Disable {
        report.note(
            "channel binding: clients that use TLS can authenticate with SCRAM only if tls.cert is the server's own, \
             or with channel_binding=disable: docs/channel-binding.md",
        );
    }
    report.well(format!("tls.upstream: {:?}", upstream.mode));
}

async fn connect(address: &Address) -> std::io::Result<()> {
    if let Address::Unix(path) = address {
        return UnixStream::connect(path).await.map(drop);
    }
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for resolved in address.resolve().await? {
        match TcpStream::connect(resolved).await {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn http(loaded: &Loaded, report: &mut Report) {
    let http = &loaded.app.http;
    match Listener::bind(&http.listen, false).await {
        Ok(_) => report.well(format!("http {}: free", http.listen)),
        Err(error) if error.reason.kind() == std::io::ErrorKind::AddrInUse => {
            let holder = holder(&http.listen).await;
            report.note(format!("http {}: taken by {holder}; pgvitals runs without its HTTP side", http.listen));
        }
        Err(error) => {
            report.note(format!("http {}: {}; pgvitals runs without its HTTP side", http.listen, error.reason));
        }
    }
    if !is_local(&http.listen).await && http.token.is_none() {
        report.note(
            "http_token: none, and http is not on loopback: /metrics, /healthz and /readyz answer, the API answers 401",
        );
    }
}

async fn holder(address: &Address) -> String {
    match address.resolve().await.ok().and_then(|found| found.first().copied()) {
        Some(address) => holder::of(address),
        None => "another process".to_owned(),
    }
}

/// Connects, and looks at tables and rights.
async fn store(loaded: &Loaded, report: &mut Report) {
    let Some(store) = &loaded.app.store else {
        return report.note("store: off; statistics stay in memory, and are gone with the process");
    };
    let target = &store.target;
    let client = match Connection::open(target).await {
        Ok(client) => client,
        Err(error) => {
            return report.bad(format!("store: {error}; pgvitals runs without its tables until that is right"));
        }
    };
    report.well(format!("store {target}: connected"));
    let findings = examine::examine(&client, &store.schema).await;
    let findings = findings.unwrap_or_else(|error| vec![Finding::Bad(format!("store: {error}"))]);
    for finding in findings {
        match finding {
            Finding::Well(text) => report.well(text),
            Finding::Note(text) => report.note(text),
            Finding::Bad(text) => report.bad(text),
        }
    }
}

/// Asks each monitored server what the role may see.
async fn monitored(loaded: &Loaded, report: &mut Report) {
    if loaded.app.collect.is_empty() {
        report.note("monitor.url: none; indexes, bloat and capacity stay unknown");
    }
    for settings in &loaded.app.collect {
        let target = &settings.target;
        match examine(settings).await {
            Err(error) => report.bad(format!("monitor {target}: {error}; pgvitals runs without what is seen there")),
            Ok(missing) => {
                report.well(format!("monitor {target}: server `{}` can be asked", settings.server));
                for Missing { database, why, remedy, .. } in missing {
                    let place = database.map_or_else(String::new, |database| format!(", database {database}"));
                    let remedy = remedy.map_or_else(String::new, |sql| format!("; an owner could run `{sql}`"));
                    report.note(format!("monitor {target}{place}: {why}{remedy}"));
                }
            }
        }
    }
    if loaded.app.http.cron_secret.is_none() {
        report.note("CRON_SECRET: none; /api/cron/… answers 403, the own scheduler runs the jobs");
    }
}

async fn is_local(address: &Address) -> bool {
    let found = address.resolve().await.unwrap_or_default();
    found.iter().all(|address| address.ip().is_loopback())
}

/// What follows from the settings for those who connect.
fn promises(loaded: &Loaded, report: &mut Report) {
    let (proxy, http) = (&loaded.app.proxy, &loaded.app.http);
    report.well(format!("statistics: service `{}`, instance `{}`, in memory", http.service, http.instance));
    report.well("authentication: password, md5, SCRAM, LDAP, RADIUS, PAM and OAuth pass unchanged");
    report.note("authentication: peer, ident, cert and address rules of pg_hba.conf see pgvitals, not the client");
    if proxy.drain_mode == DrainMode::Clients {
        report.well(format!("SIGTERM: serves until no client is connected, at most {:?}", proxy.drain_timeout));
    } else {
        report.well(format!("SIGTERM: ends each session with its transaction, at most {:?}", proxy.drain_timeout));
    }
}
