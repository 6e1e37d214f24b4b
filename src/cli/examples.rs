//! Examples at the end of `--help`.

/// Of pgvitals itself.
pub(super) const ALL: &str = "\
Without a command, pgvitals runs. Every key of the configuration file is a flag of `pgvitals run`.

Examples:
  pgvitals check --upstream db.example.com:5432   what will and won't work
  pgvitals --upstream db.example.com:5432         in front of that server, on 127.0.0.1:7432
  pgvitals top                                    the statements of the one that runs here";

/// Of `run`.
pub(super) const RUN: &str = "\
Examples:
  pgvitals run --upstream db.example.com:5432
  pgvitals run --upstream \"$DATABASE_URL\" --listen 127.0.0.1:7432
  pgvitals run --upstream /var/run/postgresql/.s.PGSQL.5432 --store postgres://pgvitals@db/metrics
  pgvitals run --config /etc/pgvitals.toml

SIGTERM drains, SIGINT ends at once, SIGHUP reads the settings again.";

/// Of `check`.
pub(super) const CHECK: &str = "\
Examples:
  pgvitals check --upstream db.example.com:5432
  pgvitals check --config /etc/pgvitals.toml --format json

It exits 0 if all of it will work, 1 if something won't, 78 if the settings can't be used. An upstream sees nothing but a
connect, the store and the monitored server some questions.";

/// Of `top`.
pub(super) const TOP: &str = "\
Examples:
  pgvitals top                                    the one that listens here; ? shows the keys
  pgvitals top --http 10.0.0.7:7480 --http-token-file token
  pgvitals top --once --sort p95_ms --window 5m   one table, for scripts

On a terminal it is a screen; into a pipe it prints tables, one after the other.";

/// Of `fingerprint`.
pub(super) const FINGERPRINT: &str = "\
Example:
  echo '{\"id\":1,\"sql\":\"select * from t where id = 42\"}' | pgvitals fingerprint";

/// Of `demo`.
pub(super) const DEMO: &str = "\
Example:
  pgvitals demo --store postgres://postgres@127.0.0.1/pgvitals_demo --disk-capacity 240GiB

docs/demo.md says what there is to be found.";
