//! `make demo`: a private PostgreSQL, a month of a made-up shop in its monitoring tables, pgvitals in front of it,
//! applications that use it, and what pgvitals sees.
//!
//! Reading order: [`cluster`] the server, [`process`] children that never outlive the demo, [`schema`] what is in the
//! databases, [`workload`] the applications, one file each. It ends with Ctrl-C, or after `DEMO_SECONDS`.

#![allow(clippy::print_stdout)] // What it prints is for whoever watches.

mod cluster;
mod process;
mod schema;
mod workload;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use cluster::Cluster;
use process::Process;

/// Where the HTTP side is, unless that port is taken.
const HTTP_PORT: u16 = 7480;
/// What the made-up shop's disk holds.
const DISK: &str = "240GiB";
/// What schedulers outside send; a secret elsewhere.
const CRON_SECRET: &str = "demo-cron-secret";
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let seconds = match std::env::var("DEMO_SECONDS") {
        Ok(text) => Some(text.parse().context("DEMO_SECONDS is not a number of seconds")?),
        Err(_) => None,
    };
    let directory = tempfile::Builder::new().prefix("pgvitals-demo-").tempdir()?;
    let started = Notify::new();
    tokio::select! {
        result = demo(directory.path(), &started) => result,
        ended = end(seconds, &started) => ended,
    }?;
    println!("\ndone: everything is stopped and removed");
    Ok(())
}

/// Runs until something breaks. Dropping it stops what it started, in the reverse order.
async fn demo(directory: &Path, started: &Notify) -> anyhow::Result<()> {
    println!("starting PostgreSQL in {}", directory.display());
    let cluster = Cluster::start(directory).await?;
    schema::create(&cluster).await?;

    let pgvitals = binary()?;
    let store = format!("postgres://postgres@127.0.0.1:{}/shop", cluster.port);
    println!("playing a month of a made-up shop into its monitoring tables");
    let mut month = ours(&pgvitals, directory)?;
    month.args(["demo", "--store", &store, "--disk-capacity", DISK]);
    let log = directory.join("month.log");
    let mut month = Process::spawn(&mut month, &log)?;
    while month.is_running() {
        sleep(Duration::from_millis(100)).await;
    }
    if !month.has_succeeded() {
        bail!("pgvitals demo: {}", process::tail(&log));
    }

    let (listen, http) = (process::free_port(0)?, process::free_port(HTTP_PORT)?);
    let http = format!("127.0.0.1:{http}");
    let log = directory.join("pgvitals.log");
    let mut command = ours(&pgvitals, directory)?;
    command.arg("run").args(["--http", &http, "--slow-threshold", "100ms"]);
    command.args(["--listen", &format!("127.0.0.1:{listen}")]);
    command.args(["--upstream", &format!("127.0.0.1:{}", cluster.port)]);
    command.args(["--store", &store, "--disk-capacity", DISK]);
    command.env("CRON_SECRET", CRON_SECRET);
    let mut proxy = Process::spawn(&mut command, &log)?;
    answers(&pgvitals, directory, &http, &mut proxy).await.with_context(|| process::tail(&log))?;

    println!("\n  http://{http}/#/overview?server=demo&range=7d\n");
    println!("What is wrong with this shop's database? Its month was made up; this machine's own minutes are below.\n");
    println!("PostgreSQL {} on port {}, pgvitals in front of it on port {listen}", cluster.version, cluster.port);
    println!("  psql -h 127.0.0.1 -p {listen} -U web shop      your own statements join in");
    println!("  http://{http}/                                 the dashboard, of what runs here");
    println!("  http://{http}/api/performance?metric=queries   JSON");
    println!("  http://{http}/metrics                          for Prometheus");
    println!("  http://{http}/api/performance?metric=bloat     what is seen of tables and indexes; to look again:");
    println!("  curl -H 'Authorization: Bearer {CRON_SECRET}' http://{http}/api/cron/hourly-monitoring");
    println!("  select * from pgvitals.top_statements_24h      in shop, once the first minute is over");
    println!("Ctrl-C stops and removes everything.\n");
    let _applications = workload::start(listen);
    started.notify_one();

    let interval = if std::io::IsTerminal::is_terminal(&std::io::stdout()) { "2" } else { "5" };
    let mut top = ours(&pgvitals, directory)?;
    top.arg("top").args(["--http", &http, "--interval", interval, "--limit", "20"]);
    let mut top = Process::adopt(top.spawn()?);
    loop {
        sleep(Duration::from_millis(200)).await;
        if !proxy.is_running() {
            bail!("pgvitals has ended\n{}", process::tail(&log));
        }
        if !top.is_running() {
            bail!("pgvitals top has ended");
        }
    }
}

/// The time since applications started is over, or somebody wants the end.
async fn end(seconds: Option<u64>, started: &Notify) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let over = async {
        match seconds {
            Some(seconds) => {
                started.notified().await;
                sleep(Duration::from_secs(seconds)).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Waits until the HTTP side answers.
async fn answers(pgvitals: &Path, directory: &Path, http: &str, proxy: &mut Process) -> anyhow::Result<()> {
    let asked = async {
        while proxy.is_running() {
            let mut check = ours(pgvitals, directory)?;
            if check.args(["healthcheck", "--http", http]).stderr(Stdio::null()).status()?.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("pgvitals has ended")
    };
    timeout(PATIENCE, asked).await.context("pgvitals does not answer")?
}

/// pgvitals without the settings of whoever runs the demo.
fn ours(pgvitals: &Path, directory: &Path) -> anyhow::Result<Command> {
    let empty = directory.join("pgvitals.toml");
    std::fs::write(&empty, "")?;
    let mut command = Command::new(pgvitals);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PGVITALS_")) {
        command.env_remove(name);
    }
    command.env("PGVITALS_CONFIG", empty).env_remove("CRON_SECRET");
    Ok(command)
}

/// The program beside this one: `target/<profile>/examples/demo`, `target/<profile>/pgvitals`.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().and_then(Path::parent).map(|directory| directory.join("pgvitals"));
    beside.filter(|path| path.is_file()).context("pgvitals is not built: run `make demo`, or `cargo build` before")
}
