//! A PostgreSQL server of the demo's own, in its temporary directory.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls};

use crate::PATIENCE;
use crate::process::{Process, free_port, tail};

/// A running server; it stops when this is dropped.
pub(crate) struct Cluster {
    /// On 127.0.0.1.
    pub(crate) port: u16,
    /// As `server_version` says it.
    pub(crate) version: String,
    _server: Process,
}

/// Who runs the server: PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Makes a cluster below `directory`, on a free port.
    pub(crate) async fn start(directory: &Path) -> anyhow::Result<Self> {
        let programs = programs()?;
        let user = unprivileged(directory)?;
        let (data, log) = (directory.join("data"), directory.join("postgres.log"));
        let mut initdb = run_as(user, &programs.join("initdb"), directory);
        initdb.arg("-D").arg(&data).args(["--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        let made = initdb.arg("--locale=C").output().context("can't run initdb")?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        let port = free_port(0)?;
        let mut postgres = run_as(user, &programs.join("postgres"), directory);
        postgres.arg("-D").arg(&data).arg("-p").arg(port.to_string()).arg("-k").arg(directory);
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]);
        let mut server = Process::spawn(&mut postgres, &log)?;
        let ready = async {
            while server.is_running() {
                if let Ok(client) = connect(port, "postgres").await {
                    return Ok(client);
                }
                sleep(Duration::from_millis(50)).await;
            }
            bail!("PostgreSQL has ended\n{}", tail(&log))
        };
        let client = timeout(PATIENCE, ready).await.context("PostgreSQL does not answer")??;
        let version = client.query_one("show server_version", &[]).await?.get(0);
        Ok(Self { port, version, _server: server })
    }

    /// A superuser's connection, not through pgvitals.
    pub(crate) async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        connect(self.port, database).await
    }
}

async fn connect(port: u16, database: &str) -> anyhow::Result<Client> {
    let how = format!("host=127.0.0.1 port={port} user=postgres dbname={database}");
    let (client, connection) = tokio_postgres::connect(&how, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The newest of what is installed; Debian's programs lie outside PATH.
fn programs() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    debian.sort();
    let places = debian.into_iter().rev().chain(std::env::split_paths(&path));
    let mut found = places.filter(|place| place.join("initdb").exists() && place.join("postgres").exists());
    found.next().context("no PostgreSQL server is installed: run `make demo`, or put initdb and postgres into PATH")
}

/// Hands `directory` to a user who may run a server, when this one may not.
fn unprivileged(directory: &Path) -> anyhow::Result<Option<User>> {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?;
    // The directory was just made, so its owner is whoever runs this.
    if std::fs::metadata(directory)?.uid() != 0 {
        return Ok(None);
    }
    let user = ["postgres", "nobody"].into_iter().find_map(account).context("no user postgres or nobody")?;
    chown(directory, Some(user.uid), Some(user.gid))?;
    Ok(Some(user))
}

fn account(name: &str) -> Option<User> {
    let id = |flag| {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some(User { uid: id("-u")?, gid: id("-g")? })
}

fn run_as(user: Option<User>, program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    if let Some(User { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}
