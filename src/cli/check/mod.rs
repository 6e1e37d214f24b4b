//! `pgvitals check`: what will and won't work with these settings. An upstream sees nothing but a connect, the store some
//! questions about its catalogues.

mod report;

#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpStream, UnixStream};

use self::report::Report;
use super::client::runtime;
use super::colour::When;
use super::exit::Failure;
use super::holder;
use crate::collect::error::Error;
use crate::collect::examine::examine;
use crate::config::load::Loaded;
use crate::pgclient::connect::Connection;
use crate::proxy::{DrainMode, Route};
use crate::runtime::listen::{Address, Listener};
use crate::snapshot::set::Missing;
use crate::store::examine::{self, Finding};
use crate::tls::settings::{ClientMode, Settings, UpstreamMode};
use crate::tls::store::Store;

/// How to say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Options {
    /// As data.
    pub(super) json: bool,
    /// Whether in colour.
    pub(super) color: When,
}

/// Says it; a failure if something won't work.
pub(super) fn run(loaded: &Loaded, options: Options, mut out: impl Write) -> Result<(), Failure> {
    let mut report = Report::default();
    runtime()?.block_on(look(loaded, &mut report));
    let is_coloured = options.color.is_wanted(std::io::stdout().is_terminal(), |name| std::env::var(name).ok());
    let text = if options.json { report.json()? } else { report.text(is_coloured) };
    out.write_all(text.as_bytes()).context("can't write the report")?;
    if report.is_bad() { Err(Failure::Said) } else { Ok(()) }
}

async fn look(loaded: &Loaded, report: &mut Report) {
    report.about("settings");
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
    report.about("listen");
    match Listener::bind(address, reuse_port).await {
        Ok(_) => report.well(format!("listen {address}: free")),
        Err(error) if error.reason.kind() == std::io::ErrorKind::AddrInUse => {
            report.bad(format!("listen {address}: taken by {}; stop that one, or set `listen`", holder(address).await));
        }
        Err(error) => {
            let what = "set `listen` to an address of this machine, with a port above 1023";
            report.bad(format!("listen {address}: {}; {what}", error.reason));
        }
    }
}

/// Bare connects: a start-up packet would wake a database that sleeps.
async fn upstream(route: &Route, timeout: Duration, report: &mut Report) {
    report.about("upstream");
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
    report.about("tls");
    let Settings { client, upstream } = &route.tls;
    let files = Store::load([&route.tls], &[], &[]);
    if let Err(error) = &files {
        report.bad(format!("TLS of server `{}`: {error}", route.server));
    }
    let mode = word(client.mode);
    match (client.mode, &client.cert) {
        (ClientMode::Disable, _) => report.note(
            "tls.client: disable, so clients that say sslmode=require or stricter can't connect; for those set it to allow",
        ),
        (_, None) => report.note(format!(
            "tls.client: {mode}, with a self-signed certificate: it encrypts, and proves nothing; for clients that \
             verify, set tls.cert and tls.key"
        )),
        (_, Some(cert)) if files.is_ok() => report.well(format!("tls.client: {mode}, with {}", cert.display())),
        (_, Some(_)) => {}
    }
    if client.mode != ClientMode::Disable && upstream.mode != UpstreamMode::Disable {
        report.note(
            "channel binding: clients that use TLS can authenticate with SCRAM only if tls.cert is the server's own; \
             others have to say channel_binding=disable: docs/channel-binding.md",
        );
    }
    report.well(format!("tls.upstream: {}", word(upstream.mode)));
}

/// A mode as it is written in settings: `VerifyFull` is `verify-full`.
fn word(mode: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for c in format!("{mode:?}").chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(c.to_lowercase());
    }
    word
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
    report.about("http");
    let http = &loaded.app.http;
    match Listener::bind(&http.listen, false).await {
        Ok(_) => report.well(format!("http {}: free", http.listen)),
        Err(error) if error.reason.kind() == std::io::ErrorKind::AddrInUse => {
            let holder = holder(&http.listen).await;
            report.note(format!(
                "http {}: taken by {holder}, so pgvitals runs without its HTTP side; stop that one, or set `http`",
                http.listen
            ));
        }
        Err(error) => {
            report.note(format!(
                "http {}: {}, so pgvitals runs without its HTTP side; set `http` to an address of this machine",
                http.listen, error.reason
            ));
        }
    }
    if !is_local(&http.listen).await && http.token.is_none() {
        report.note(
            "http_token: none, and http is not on loopback: /metrics, /healthz and /readyz answer, the API answers 401; \
             set PGVITALS_HTTP_TOKEN or http_token_file",
        );
    }
    if http.cron_secret.is_none() {
        report.note(
            "CRON_SECRET: none, so /api/cron/… answers 403 and the own scheduler runs the jobs; set it if another one \
             is to start them",
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
    report.about("store");
    let Some(store) = &loaded.app.store else {
        return report.note(
            "store: off, so statistics stay in memory and are gone with the process; set `store.url` to keep them",
        );
    };
    let target = &store.target;
    let client = match Connection::open(target).await {
        Ok(client) => client,
        Err(error) => {
            let remedy = remedy(error.code(), "store.url");
            return report.bad(format!("store: {error}; {remedy} (until then pgvitals runs without its tables)"));
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

/// What to do about a connection that a server refused with this SQLSTATE, or that nobody took.
fn remedy(code: Option<&str>, key: &str) -> String {
    match code {
        Some("28P01" | "28000") => format!("look at user and password in `{key}`, and at the server's pg_hba.conf"),
        Some("3D000") => format!("create that database, or name another one in `{key}`"),
        Some("53300") => "the server has no connection left; raise its max_connections, or end some".to_owned(),
        _ => format!("is PostgreSQL there, and `{key}` right?"),
    }
}

/// Asks each monitored server what the role may see.
async fn monitored(loaded: &Loaded, report: &mut Report) {
    report.about("monitor");
    if loaded.app.collect.is_empty() {
        report.note(
            "monitor.url: none, so indexes, bloat and capacity stay unknown; set it to a role that may look at the \
             server: docs/health.md",
        );
    }
    for settings in loaded.app.collect.iter().chain(&loaded.app.monitors) {
        let target = &settings.target;
        match examine(settings).await {
            Err(error) => {
                let remedy = remedy(error.code(), "monitor.url");
                // Where there is no connection, the error says whereto.
                let at = if matches!(error, Error::Connect(_)) { String::new() } else { format!(" {target}") };
                report.bad(format!("monitor{at}: {error}; {remedy} (until then nothing is seen there)"));
            }
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
}

async fn is_local(address: &Address) -> bool {
    let found = address.resolve().await.unwrap_or_default();
    found.iter().all(|address| address.ip().is_loopback())
}

/// What follows from the settings for those who connect.
fn promises(loaded: &Loaded, report: &mut Report) {
    report.about("promises");
    let (proxy, http) = (&loaded.app.proxy, &loaded.app.http);
    report.well(format!("statistics: service `{}`, instance `{}`, in memory", http.service, http.instance));
    report.well("authentication: password, md5, SCRAM, LDAP, RADIUS, PAM and OAuth pass unchanged");
    report.note(
        "authentication: peer, ident, cert and address rules of pg_hba.conf see pgvitals, not the client; where such \
         rules matter, name pgvitals' address in them, or use passwords",
    );
    if proxy.drain_mode == DrainMode::Clients {
        report.well(format!("SIGTERM: serves until no client is connected, at most {:?}", proxy.drain_timeout));
    } else {
        report.well(format!("SIGTERM: ends each session with its transaction, at most {:?}", proxy.drain_timeout));
    }
}
