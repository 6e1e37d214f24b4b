//! What is made from the table of keys: `config/pgvitals.toml` and `docs/config.md`. `make config` writes both.

use std::fmt::Write;

use super::key::{Key, Kind, Preset};
use super::keys::KEYS;
use crate::analyze;
use crate::analyze::kind as alert;

const WIDTH: usize = 110;

const FILE_HEAD: &str = "\
# Settings of pgvitals. Each key is here with its default; remove the # in front of a key to set it.
#
# Flags go over environment variables, these over this file. A key `a.b` is the environment variable PGVITALS_A_B.
# Durations and sizes carry their unit: 500ms, 10s, 8KiB. A secret may be given as a file: http_token_file.
# Read from --config FILE, from $PGVITALS_CONFIG, or from config/pgvitals.toml in the working directory.
";

const ROUTES: &str = "
# Several servers behind one process, instead of listen, upstream and server above: one [[route]] each. Keys of [tls] hold
# for all routes that don't say otherwise.
#[[route]]
#listen = \"127.0.0.1:7433\"
#upstream = \"orders-replica:5432\"
#server = \"orders-replica:5432\"
#tls.upstream = \"verify-full\"
";

const MONITORS: &str = "
# Servers that `pgvitals serve` looks at by itself, by the names that their sidecars write; of all others it knows what
# their sidecars see. As with monitor.url a role that only reads; url_file names a file that holds it. They take the place
# of [monitor] above, whose line has to go.
#[[monitor]]
#server = \"orders-db:5432\"
#url = \"postgres://monitor@orders-db:5432/orders\"
";

const OVERRIDES: &str = "
# Another threshold for some alerts, or none: of a kind, and if need be of one database or one statement.
#[[alerts.override]]
#kind = \"slow_statement\"
#database = \"warehouse\"
#threshold = \"30s\"
";

const NOTIFY_ROUTES: &str = "
# Who hears of what: the first route that fits. What none fits goes to every channel; docs/notify.md has more.
#[[notify.route]]
#severity = \"critical\"
#channel = [\"slack\", \"email\"]
";

/// `config/pgvitals.toml`: every key, commented, with its default.
pub fn file() -> String {
    let mut out = FILE_HEAD.to_owned();
    let mut table = "";
    for key in KEYS {
        let (prefix, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if prefix != table {
            table = prefix;
            write(&mut out, format_args!("\n[{table}]\n"));
        }
        out.push('\n');
        comment(&mut out, key.help);
        if let Kind::Choice(words) = key.kind {
            comment(&mut out, &format!("One of: {}", words.join(", ")));
        }
        let value = match key.preset {
            Preset::Value(value) => value,
            Preset::Derived { rule, example } => {
                comment(&mut out, &format!("Default: {rule}"));
                example
            }
        };
        write(&mut out, format_args!("#{name} = {}\n", literal(key.kind, value)));
        if key.has_file() {
            write(&mut out, format_args!("#{name}_file = \"/run/secrets/{name}\"\n"));
        }
    }
    out.push_str(ROUTES);
    out.push_str(MONITORS);
    out.push_str(OVERRIDES);
    out.push_str(NOTIFY_ROUTES);
    out
}

/// A sentence in comment lines of at most [`WIDTH`] bytes.
fn comment(out: &mut String, sentence: &str) {
    let mut line = "#".to_owned();
    for word in sentence.split(' ') {
        if line.len() + word.len() + 2 > WIDTH {
            write(out, format_args!("{line}\n"));
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    write(out, format_args!("{line}.\n"));
}

/// `docs/config.md`: the same as a table.
pub fn document() -> String {
    let mut out = "\
# Settings

Made from the table in `src/config/keys.rs` by `make config`.

Flags go over environment variables, these over the file, the file over defaults. The file is named by `--config FILE` or
`PGVITALS_CONFIG`, else it is `config/pgvitals.toml` in the working directory if there is one. Unknown keys are errors
that name the nearest known key. Durations and sizes carry their unit (`500ms`, `10s`, `8KiB`). Lists are arrays in the
file, and have commas between their parts in flags and environment.

SIGHUP reads all of it again. `max_connections`, `startup_timeout`, `connect_timeout`, `drain_timeout`, `slow_threshold`,
`sample_rate`, `capture_parameters` (on for new connections, off for all), `max_series`, `levels.latency` and `log` hold from
then on, and the files of certificates are read again; a changed value of any other key waits for a restart, and a log line
names the key. If anything is wrong, nothing changes, and the log says what is wrong.

| key | default | environment | flag | |
|---|---|---|---|---|
"
    .to_owned();
    for key in KEYS {
        let (default, help) = (default_cell(key), key.help);
        let (name, environment, flag) = (key.name, key.variable(), key.flag());
        write(&mut out, format_args!("| `{name}` | {default} | `{environment}` | `--{flag}` | {help} |\n"));
        if key.has_file() {
            let flag = if key.is_secret() { format!("`--{flag}`") } else { "none".to_owned() };
            let environment = format!("{environment}_FILE");
            write(
                &mut out,
                format_args!("| `{name}_file` | none | `{environment}` | {flag} | A file that holds `{name}` |\n"),
            );
        }
    }
    out.push_str(DOCUMENT_TAIL);
    for kind in alert::Kind::ALL {
        let bounds = kind.usual(&analyze::Settings::default());
        let (first, critical) = (kind.unit().show(bounds.first), kind.unit().show(bounds.critical));
        write(&mut out, format_args!("| `{kind}` | {} | {first} | {critical} |\n", kind.meaning()));
    }
    out.push_str("\n`off` as the threshold means no such alert.\n");
    out
}

const DOCUMENT_TAIL: &str = "
One process can serve several routes. They are written in the file, instead of `listen`, `upstream` and `server` above;
keys of `[tls]` hold for all routes that don't say otherwise:

```toml
[[route]]
listen = \"127.0.0.1:7432\"
upstream = \"orders:5432\"

[[route]]
listen = [\"127.0.0.1:7433\", \"/run/pgvitals/.s.PGSQL.7433\"]
upstream = \"postgres://billing-1,billing-2/?sslmode=verify-full&sslrootcert=/etc/billing-ca.crt\"
server = \"billing\"
tls.client = \"allow\"
```

`upstream` may be the `postgres://` or `postgresql+driver://` URL that the application has. Hosts, ports and what it says
of TLS (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslnegotiation`) are read; user, password, database and the rest
stay the application's, and are never shown.

`pgvitals serve` looks at servers by itself where it is told how; all others their sidecars look at
([fleet.md](fleet.md)):

```toml
[[monitor]]
server = \"orders-db:5432\"                    # as its sidecars call it
url_file = \"/run/secrets/orders-monitor\"    # or url
```

Alerts have thresholds of their own. One or several `[[alerts.override]]` change them, for a kind, for one database of
it, or for one statement; the most precise one holds. The threshold beyond which an alert is critical moves in proportion.
Slow statements are judged from `slow_threshold` on: a lower threshold needs that to be as low.

```toml
[[alerts.override]]
kind = \"slow_statement\"
database = \"warehouse\"
threshold = \"30s\"

[[alerts.override]]
kind = \"slow_statement\"
query_hash = \"7609165d94c8f1be\"
threshold = \"off\"
```

| kind | what is compared | alert beyond | critical beyond |
|---|---|---|---|
";

fn default_cell(key: &Key) -> String {
    match key.preset {
        Preset::Value(value) => format!("`{value}`"),
        Preset::Derived { rule, .. } => rule.to_owned(),
    }
}

/// The value as TOML writes it.
fn literal(kind: Kind, value: &str) -> String {
    match kind {
        Kind::Count | Kind::Part | Kind::Switch => value.to_owned(),
        Kind::Percents => format!("[{}]", value.replace(',', ", ")),
        Kind::Levels | Kind::Ages => {
            format!("[{}]", value.split(',').map(|part| format!("{part:?}")).collect::<Vec<_>>().join(", "))
        }
        _ => format!("{value:?}"),
    }
}

/// Writing to a `String` can't fail.
fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_default();
}
