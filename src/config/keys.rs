//! The one table of keys. `--help`, `config/pgvitals.toml` and `docs/config.md` are made from it ([`crate::config::render`]).
//!
//! A key `a.b_c` is the environment variable `PGVITALS_A_B_C` and, unless it is a secret, the flag `--a-b-c`.

use super::key::{Key, Kind};
use super::upstream;

/// The keys of a `[[route]]`.
pub const ROUTE: &[&str] = &["listen", "upstream", "server", "monitor.url"];

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

/// The keys of a `[[monitor]]`; `url` also as `url_file`.
pub const MONITOR: &[&str] = &["server", "url"];

/// The keys of an `[[alerts.override]]`.
pub const OVERRIDE: &[&str] = &["kind", "database", "query_hash", "threshold"];

/// The keys of a `[[notify.route]]`.
pub const NOTIFY_ROUTE: &[&str] = &["kind", "severity", "server", "database", "channel"];

/// Every key, in the order in which a reader meets them.
pub const KEYS: &[Key] = &[
    Key::new(
        "listen",
        Kind::Addresses,
        "127.0.0.1:7432",
        "Where applications connect; a path that begins with / is a Unix socket",
    ),
    Key::derived(
        "upstream",
        Kind::Upstream,
        "DATABASE_URL where it is a postgres:// URL, else 127.0.0.1:5432",
        upstream::DEFAULT,
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
        "cron_secret",
        Kind::Secret,
        "none, and then they answer 403",
        "at-least-16-bytes-long",
        "Bearer token of /api/cron/hourly-monitoring and /api/cron/daily-maintenance, for schedulers outside",
    )
    .foreign("CRON_SECRET"),
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
    Key::derived(
        "time_zone",
        Kind::Text,
        "this host's",
        "Europe/Berlin",
        "Where days begin, when jobs run and in which hours nobody wants to be told, as an IANA name or UTC",
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
    Key::derived(
        "unused_days",
        Kind::Count,
        "the second of levels.index",
        "30",
        "For how many days nobody must have used an index until it counts as unused",
    ),
    Key::new("large_index", Kind::Size, "100MiB", "From this size on an unused index is one to drop, and an alert"),
    Key::new(
        "bloat_min_wasted",
        Kind::Size,
        "10MiB",
        "Bloat of which less than this is wasted is no alert; lists show all of it",
    ),
    Key::derived(
        "disk_capacity",
        Kind::Size,
        "none, and then nothing is said of a full disk",
        "500GiB",
        "What the server's disk holds; PostgreSQL can't be asked",
    ),
    Key::new(
        "levels.latency",
        Kind::Levels,
        "100ms,500ms,1s",
        "Where latency levels end: good is below the first, warning up to the second, alert up to the third, critical above",
    ),
    Key::new(
        "levels.bloat",
        Kind::Percents,
        "10,20,50",
        "Where levels of bloat end, in percent: healthy is below the first, monitor up to the second, warning up to the third, critical above",
    ),
    Key::new(
        "levels.index",
        Kind::Ages,
        "7d,30d",
        "Where levels of an index's use end: last used less than the first ago is active, up to the second low_usage, longer ago unused",
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
    Key::derived(
        "monitor.url",
        Kind::Url,
        "store.url when that is the monitored server, else off",
        "postgres://monitor@orders-db:5432/orders",
        "The monitored server, as a role that only reads: what its catalogues say of indexes, bloat and capacity; off asks it nothing",
    ),
    Key::new(
        "collect.when_idle",
        Kind::Choice(&["auto", "always", "never"]),
        "auto",
        "Whether the own scheduler asks a server on which no data statement passed: auto once a day, so that a database that sleeps sleeps on",
    ),
    Key::new(
        "jobs.hourly",
        Kind::Text,
        "0 * * * *",
        "When this process itself looks at the monitored servers: a cron expression in time_zone, or off; an hour at most once",
    ),
    Key::new(
        "jobs.first",
        Kind::Duration,
        "5m",
        "How long after its first statement a process looks at them for the first time, if nobody has in this hour",
    ),
    Key::new(
        "jobs.daily",
        Kind::Text,
        "0 2 * * *",
        "When it itself does the daily maintenance of the store, likewise; a local day once",
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
    Key::new("store.retention.snapshots", Kind::Duration, "90d", "How long what was seen in servers is kept"),
    Key::new("store.retention.alerts", Kind::Duration, "730d", "How long alerts that are over and reports are kept"),
    Key::new("alerts.interval", Kind::Duration, "1m", "How often alerts are judged, while there is something to judge"),
    Key::new("alerts.cooldown", Kind::Duration, "15m", "How long an alert must be quiet until it counts as over"),
    Key::new(
        "alerts.learn",
        Kind::Duration,
        "24h",
        "For how long alerts about a new server's statements open without telling anybody; 0 turns that off",
    ),
    Key::derived(
        "notify.quiet_hours",
        Kind::Text,
        "none",
        "22:00-07:00",
        "Local hours in which only critical alerts are told; the rest waits for their end",
    ),
    Key::derived(
        "notify.link",
        Kind::Text,
        "none, and then messages have no link",
        "https://pgvitals.example.com/",
        "Where people open pgvitals",
    ),
    Key::derived(
        "notify.ca",
        Kind::File,
        "the system's roots",
        "/etc/pgvitals/receivers-ca.crt",
        "Who signed the certificates of Slack, mail server and webhook, PEM",
    ),
    Key::derived(
        "notify.slack.url",
        Kind::Secret,
        "none, and then Slack is told nothing",
        "https://hooks.slack.com/services/T000/B000/XXXX",
        "An incoming webhook of Slack; whoever knows it can write to the channel",
    ),
    Key::derived(
        "notify.smtp.url",
        Kind::Secret,
        "none, and then nobody gets e-mail",
        "smtp://USER:PASSWORD@mail.example.com:587",
        "The mail server: smtp:// uses STARTTLS, smtps:// TLS at once, smtp://…?tls=none neither",
    ),
    Key::derived(
        "notify.smtp.from",
        Kind::Text,
        "none; needed with notify.smtp.url",
        "pgvitals <pgvitals@example.com>",
        "The sender of e-mail",
    ),
    Key::derived(
        "notify.smtp.to",
        Kind::Text,
        "none; needed with notify.smtp.url",
        "dba@example.com, ops@example.com",
        "The receivers of e-mail, with commas",
    ),
    Key::derived(
        "notify.webhook.url",
        Kind::Secret,
        "none",
        "https://ops.example.com/pgvitals",
        "A receiver of alerts and reports as JSON; docs/notify.md has their form",
    ),
    Key::derived(
        "notify.webhook.secret",
        Kind::Secret,
        "none, and then requests are not signed",
        "at-least-16-bytes-long",
        "What requests to notify.webhook.url are signed with",
    ),
];

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
