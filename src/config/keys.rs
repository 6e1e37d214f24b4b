//! The one table of keys. `--help`, `config/pgvitals.toml` and `docs/config.md` are made from it ([`crate::config::render`]).
//!
//! A key `a.b_c` is the environment variable `PGVITALS_A_B_C` and, unless it is a secret, the flag `--a-b-c`.

/// What a value is written like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `HOST:PORT` or a path that begins with `/`.
    Address,
    /// One or several of them.
    Addresses,
    /// As [`Kind::Addresses`], or a `postgres://` URL.
    Upstream,
    /// A number with a unit of time.
    Duration,
    /// Three durations, ascending.
    Levels,
    /// A number with a unit of size.
    Size,
    /// A whole number above zero.
    Count,
    /// A number from 0 to 1.
    Part,
    /// `true` or `false`.
    Switch,
    /// The path of a file.
    File,
    /// A `postgres://` URL, shown without user and password, or `off`; `…_file` names a file that holds it.
    Url,
    /// Text that is never shown; `…_file` names a file that holds it.
    Secret,
}

impl Kind {
    /// What stands for a value in `--help`.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Kind::Text => "TEXT",
            Kind::Choice(_) => "WORD",
            Kind::Address | Kind::Addresses => "ADDRESS",
            Kind::Upstream => "ADDRESS|URL",
            Kind::Url => "URL",
            Kind::Duration => "DURATION",
            Kind::Levels => "DURATION,DURATION,DURATION",
            Kind::Size => "SIZE",
            Kind::Count | Kind::Part => "NUMBER",
            Kind::Switch => "BOOL",
            Kind::File | Kind::Secret => "FILE",
        }
    }

    /// Whether a file may give an array, and flags and environment a list with commas.
    pub const fn is_list(self) -> bool {
        matches!(self, Kind::Addresses | Kind::Upstream | Kind::Levels)
    }
}

/// What holds when nobody said anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// This text, read like any other value.
    Value(&'static str),
    /// Found out at start, as `rule` says; `example` is a valid value.
    Derived {
        /// How it is found out.
        rule: &'static str,
        /// What one could write.
        example: &'static str,
    },
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file; a dot separates table and key.
    pub name: &'static str,
    /// How a value is written.
    pub kind: Kind,
    /// What holds without it.
    pub preset: Preset,
    /// What it does, without a full stop.
    pub help: &'static str,
    /// A shorter name for flag and environment, beside the regular variable.
    pub short: Option<&'static str>,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Self {
        Self { name, kind, preset: Preset::Value(default), help, short: None }
    }

    const fn derived(
        name: &'static str,
        kind: Kind,
        rule: &'static str,
        example: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind, preset: Preset::Derived { rule, example }, help, short: None }
    }

    const fn short(mut self, short: &'static str) -> Self {
        self.short = Some(short);
        self
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether a file can hold its value, to be named under its name with `_file`.
    pub fn has_file(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Url)
    }

    /// The flag without its dashes. A secret's flag names a file: other users of a host can read command lines.
    pub fn flag(&self) -> String {
        let dashed = self.short.unwrap_or(self.name).replace(['.', '_'], "-");
        if self.is_secret() { format!("{dashed}-file") } else { dashed }
    }

    /// The environment variable to name to a reader.
    pub fn variable(&self) -> String {
        variable(self.short.unwrap_or(self.name))
    }
}

/// The environment variable of a key's name.
pub(crate) fn variable(name: &str) -> String {
    format!("PGVITALS_{}", name.to_ascii_uppercase().replace('.', "_"))
}

/// The keys of a `[[route]]`.
pub const ROUTE: &[&str] = &["listen", "upstream", "server"];

/// Keys that hold for every `[[route]]` that doesn't say otherwise.
pub const ROUTE_TLS: &[&str] = &[
    "tls.client",
    "tls.cert",
    "tls.key",
    "tls.client_ca",
    "tls.upstream",
    "tls.upstream_ca",
    "tls.upstream_cert",
    "tls.upstream_key",
    "tls.upstream_negotiation",
];

/// Every key, in the order in which a reader meets them.
pub const KEYS: &[Key] = &[
    Key::new(
        "listen",
        Kind::Addresses,
        "127.0.0.1:7432",
        "Where applications connect; a path that begins with / is a Unix socket",
    ),
    Key::new(
        "upstream",
        Kind::Upstream,
        "127.0.0.1:5432",
        "The PostgreSQL server; several addresses are tried in order. Of a postgres:// URL only host, port and sslmode matter",
    ),
    Key::new("http", Kind::Address, "127.0.0.1:7480", "Where API, metrics and health answer"),
    Key::derived(
        "http_token",
        Kind::Secret,
        "none, and then the API answers 401 unless it is on loopback",
        "at-least-16-bytes-long",
        "Bearer token of the API",
    ),
    Key::derived(
        "server",
        Kind::Text,
        "host:port of the upstream; for loopback and sockets with this host's own name",
        "orders-db:5432",
        "The monitored server's name in statistics",
    ),
    Key::derived(
        "service",
        Kind::Text,
        "OTEL_SERVICE_NAME, else this host's name without its pod suffix",
        "orders",
        "The application that this instance belongs to",
    ),
    Key::derived("workers", Kind::Count, "one a core of the cgroup, at most 4", "2", "Threads that move bytes"),
    Key::new("max_connections", Kind::Count, "10000", "Client connections at a time; more are refused with 53300"),
    Key::new("startup_timeout", Kind::Duration, "10s", "How long a client may take to send its start-up packet"),
    Key::new("connect_timeout", Kind::Duration, "10s", "How long connecting to the upstream may take"),
    Key::new(
        "reuse_port",
        Kind::Switch,
        "false",
        "Listen with SO_REUSEPORT: processes share the port, and one that got SIGTERM leaves it to the others at once",
    ),
    Key::new(
        "drain_mode",
        Kind::Choice(&["clients", "transactions"]),
        "clients",
        "After SIGTERM: clients serves on until no client is connected; transactions refuses new sessions and ends each one with its transaction",
    ),
    Key::new("drain_timeout", Kind::Duration, "25s", "How long draining may take; the rest is ended with 57P01"),
    Key::new("slow_threshold", Kind::Duration, "500ms", "Executions that take at least this long are kept one by one"),
    Key::new(
        "sample_rate",
        Kind::Part,
        "0",
        "The part of all executions that is kept one by one as well, whatever they took: 0.01 is each hundredth by chance, 1 all",
    ),
    Key::new(
        "capture_parameters",
        Kind::Switch,
        "false",
        "Whether executions that are kept one by one have their bind values: they are secrets, and leave the process with them",
    ),
    Key::new("max_series", Kind::Count, "10000", "Series in memory; what does not fit is counted as (other)"),
    Key::new("max_query_text", Kind::Size, "8KiB", "How much of a statement's canonical text is kept"),
    Key::new("log", Kind::Text, "info", "What to log: a level, or target=level pairs with commas; to stderr"),
    Key::new("log_format", Kind::Choice(&["text", "json"]), "text", "How log lines are written"),
    Key::new(
        "levels.latency",
        Kind::Levels,
        "100ms,500ms,1s",
        "Where latency levels end: good is below the first, warning up to the second, alert up to the third, critical above",
    ),
    Key::new(
        "tls.client",
        Kind::Choice(&["disable", "allow", "require"]),
        "disable",
        "Whether clients may or must use TLS; docs/channel-binding.md says what that means for their authentication",
    ),
    Key::derived(
        "tls.cert",
        Kind::File,
        "a self-signed certificate, made at start when tls.client is on",
        "/etc/pgvitals/tls.crt",
        "The certificate that clients see, and those between it and its root, PEM; read again when it changes, as all these files are",
    ),
    Key::derived("tls.key", Kind::File, "the key in tls.cert", "/etc/pgvitals/tls.key", "The key of tls.cert, PEM"),
    Key::derived(
        "tls.client_ca",
        Kind::File,
        "none, and no certificate is asked for",
        "/etc/pgvitals/clients-ca.crt",
        "Who signed clients' certificates, PEM; a client that uses TLS must then show one. The server does not see it",
    ),
    Key::new(
        "tls.upstream",
        Kind::Choice(&["disable", "prefer", "require", "verify-ca", "verify-full"]),
        "prefer",
        "TLS to the server, as libpq's sslmode; an sslmode in the upstream's URL says the same",
    ),
    Key::derived(
        "tls.upstream_ca",
        Kind::File,
        "the system's roots, where tls.upstream verifies",
        "/etc/pgvitals/server-ca.crt",
        "Who signed the server's certificate, PEM; with it, require verifies as verify-ca does",
    ),
    Key::derived(
        "tls.upstream_cert",
        Kind::File,
        "none",
        "/etc/pgvitals/client.crt",
        "The certificate that the server sees of every session, PEM",
    ),
    Key::derived(
        "tls.upstream_key",
        Kind::File,
        "the key in tls.upstream_cert",
        "/etc/pgvitals/client.key",
        "The key of tls.upstream_cert, PEM",
    ),
    Key::new(
        "tls.upstream_negotiation",
        Kind::Choice(&["postgres", "direct"]),
        "postgres",
        "direct begins TLS at once, one round trip earlier; PostgreSQL 17 and later, with tls.upstream at least require",
    ),
    Key::new(
        "store.url",
        Kind::Url,
        "off",
        "The database of the monitoring tables, as postgres://USER@HOST/DATABASE; off keeps statistics in memory only",
    )
    .short("store"),
    Key::new(
        "store.schema",
        Kind::Text,
        "pgvitals",
        "The schema of the monitoring tables; roles are named after it, as in pgvitals_writer",
    ),
    Key::new(
        "store.flush_interval",
        Kind::Duration,
        "10s",
        "How often closed minutes, slow statements and errors are written",
    ),
    Key::derived(
        "store.spool_dir",
        Kind::File,
        "none, and then minutes wait in memory while the store is away",
        "/var/lib/pgvitals",
        "A directory for a journal of what is not yet in the store",
    ),
    Key::new("store.spool_max", Kind::Size, "1GiB", "What the journal may take"),
    Key::new(
        "store.max_size",
        Kind::Size,
        "10GiB",
        "What the tables may take; above it minutes are kept shorter, 6h at least, then nothing is written",
    ),
    Key::new(
        "store.idle_close",
        Kind::Duration,
        "5s",
        "How long a connection to the store stays open after a write; with a longer store.flush_interval the next write would not find it, and it is closed at once",
    ),
    Key::derived(
        "store.retention.minutes",
        Kind::Duration,
        "2d, or 6h from 50 live instances on",
        "2d",
        "How long figures by the minute are kept",
    ),
    Key::new("store.retention.hours", Kind::Duration, "60d", "How long figures by the hour are kept"),
    Key::new("store.retention.days", Kind::Duration, "730d", "How long figures by the day are kept"),
    Key::new("store.retention.slow", Kind::Duration, "14d", "How long single executions are kept"),
    Key::new("store.retention.errors", Kind::Duration, "60d", "How long errors and figures by tag are kept"),
];

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
