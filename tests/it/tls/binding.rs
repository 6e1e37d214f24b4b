//! Who can authenticate how: every method, over all four combinations of TLS on the legs, with every `channel_binding`,
//! by real libpq. `docs/channel-binding.md` is what came out; `make channel-binding` writes it.

use std::fmt::Write;
use std::path::Path;

use super::{before, showing};
use crate::support::address::Address;
use crate::support::client::{Client, startup};
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// How a server is to be convinced, and by whom.
const METHODS: [(&str, &str); 5] = [
    ("scram-sha-256", "scram_user"),
    ("md5", "md5_user"),
    ("password", "password_user"),
    ("cert", "cert_user"),
    ("trust", "postgres"),
];
const BINDINGS: [&str; 3] = ["disable", "prefer", "require"];

/// Which legs are encrypted, and whose certificate the client sees.
struct Legs {
    title: &'static str,
    /// Which of the instances.
    instance: usize,
    sslmode: &'static str,
}

const LEGS: [Legs; 5] = [
    Legs { title: "plaintext, plaintext", instance: 0, sslmode: "disable" },
    Legs { title: "TLS, plaintext", instance: 0, sslmode: "require" },
    Legs { title: "plaintext, TLS", instance: 1, sslmode: "disable" },
    Legs { title: "TLS, TLS, another certificate", instance: 1, sslmode: "require" },
    Legs { title: "TLS, TLS, the server's certificate", instance: 2, sslmode: "require" },
];

/// Upstream in plaintext; encrypted with another certificate towards clients; encrypted with the same one.
fn instances(cluster: &Cluster) -> [Pgvitals; 3] {
    let pki = cluster.pki();
    let [cert, key] = pki.client.text();
    let encrypted =
        || before(cluster, "allow", "require").flag("tls-upstream-cert", &cert).flag("tls-upstream-key", &key);
    [
        showing(before(cluster, "allow", "disable"), &pki.other).start(),
        showing(encrypted(), &pki.other).start(),
        showing(encrypted(), &pki.server).start(),
    ]
}

/// One try: `Ok`, or what psql says.
fn connects(
    cluster: &Cluster,
    major: u32,
    address: &Address,
    user: &str,
    legs: &Legs,
    binding: &str,
) -> Result<(), String> {
    let [cert, key] = cluster.pki().client.text();
    let psql = Tool::postgres("psql", major).against(address, "postgres");
    let psql = psql.variable("PGUSER", user).variable("PGPASSWORD", &format!("secret of {user}"));
    let psql = psql.variable("PGSSLMODE", legs.sslmode).variable("PGCHANNELBINDING", binding);
    let psql = if user == "cert_user" { psql.variable("PGSSLCERT", &cert).variable("PGSSLKEY", &key) } else { psql };
    let output = psql.args(&["-XAtc", "select current_user"]).run();
    if output.code == Some(0) {
        assert_eq!(output.stdout, format!("{user}\n"));
        return Ok(());
    }
    // Where it failed is not what failed.
    let text = output.stderr.trim().replace("psql: error: ", "");
    let (_, reason) = text.split_once(" failed: ").unwrap_or(("", &text));
    Err(reason.replace('\n', " ").split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every outcome, by method, binding and legs.
fn outcomes(cluster: &Cluster, psql: u32) -> Vec<Vec<Result<(), String>>> {
    let instances = instances(cluster);
    let rows = METHODS.iter().flat_map(|method| BINDINGS.iter().map(move |binding| (method, binding)));
    let outcome = |user: &str, binding: &str, legs: &Legs| {
        connects(cluster, psql, instances[legs.instance].address(), user, legs, binding)
    };
    rows.map(|((_, user), binding)| LEGS.iter().map(|legs| outcome(user, binding, legs)).collect()).collect()
}

/// "a table in `docs/channel-binding.md` made by the test that runs it" (issue 4, §1)
/// "Channel binding holds where client and server see the same certificate." (docs/transparency.md)
#[test]
fn the_table_of_channel_binding_is_what_libpq_does() {
    let newest = Cluster::newest().major;
    let found = outcomes(Cluster::encrypted(newest), newest);
    let text = document(&found);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/channel-binding.md");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/channel-binding.md is not what came out; `make channel-binding` writes:\n{text}");

    // Another libpq and another server say it in other words, and agree.
    let oldest = Cluster::any().major;
    let agreed = outcomes(Cluster::encrypted(oldest), oldest);
    for (row, (new, old)) in found.iter().zip(&agreed).enumerate() {
        let which = |cells: &[Result<(), String>]| cells.iter().map(Result::is_ok).collect::<Vec<_>>();
        assert_eq!(which(new), which(old), "row {row}: PostgreSQL {newest} says {new:?}, {oldest} says {old:?}");
    }
}

fn document(found: &[Vec<Result<(), String>>]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    let mut table = format!(
        "| method | `channel_binding` | {} |\n|---|---|{}\n",
        LEGS.iter().map(|legs| legs.title).collect::<Vec<_>>().join(" | "),
        "---|".repeat(LEGS.len())
    );
    let rows = METHODS.iter().flat_map(|(method, _)| BINDINGS.iter().map(move |binding| (method, binding)));
    for ((method, binding), cells) in rows.zip(found) {
        write!(table, "| `{method}` | `{binding}` |").unwrap();
        for cell in cells {
            match cell {
                Ok(()) => table.push_str(" works |"),
                Err(reason) => {
                    let known = reasons.iter().position(|other| other == reason).unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    });
                    write!(table, " no ({}) |", known + 1).unwrap();
                }
            }
        }
        table.push('\n');
    }
    let mut text = HEAD.to_owned() + &table + "\nWhat psql says:\n\n";
    for (number, reason) in reasons.iter().enumerate() {
        writeln!(text, "{}. {reason}", number + 1).unwrap();
    }
    text + TAIL
}

const HEAD: &str = "\
# TLS, authentication and channel binding

Made by the test `the_table_of_channel_binding_is_what_libpq_does` with real libpq and a real server; `make
channel-binding` writes it anew.

PostgreSQL's SCRAM can bind a password's proof to the TLS connection that it travels in: to the server's certificate, whose
hash is part of the proof. A client that sees another certificate than the server has proves something else, and is refused.
That is what channel binding is for, and pgvitals stands in the middle. So where it can't hold, pgvitals takes
`SCRAM-SHA-256-PLUS` out of the server's offer; where client and server see the same certificate, it holds end to end and
stays.

The columns: TLS between client and pgvitals, TLS between pgvitals and server. libpq's default is
`channel_binding=prefer`. For `cert`, `tls.upstream_cert` holds that user's certificate.

";

const TAIL: &str = "
## Ways out

A client that uses TLS, and whose server has TLS with another certificate, can't use SCRAM with libpq's default. The error
that it sees, or pgvitals' log where the client leaves without a word, names three ways out:

1. **The same certificate**: give pgvitals the server's certificate and key (`tls.cert`, `tls.key`). Everything works, with
   `channel_binding=require` too.
2. **A plaintext client leg**: `sslmode=disable` to a pgvitals on loopback or on a Unix socket, as a sidecar is used. The
   leg to the server stays encrypted. This is the default: `tls.client` is `disable`.
3. **`channel_binding=disable`** at the client.

`channel_binding=require` works with the first alone. Managed databases put it into the URLs that they hand out: take it out
of the URL that points to pgvitals, and let `tls.upstream = \"verify-full\"` make sure of the server instead.

## What a proxy can't pass on

- Client certificates: the server sees pgvitals' (`tls.upstream_cert`), the same for every session. `cert` and
  `clientcert=verify-full` in `pg_hba.conf`, `pg_stat_ssl` and `sslinfo` therefore speak of pgvitals. Clients' own
  certificates are checked against `tls.client_ca`, and not compared with the user's name.
- `peer`, `ident`, address rules of `pg_hba.conf`, `inet_client_addr()` and `pg_stat_activity.client_addr` see pgvitals.
- GSSAPI needs the server's name, and GSSAPI encryption is declined.

## What is checked

`tls.upstream` means what libpq's `sslmode` does: `prefer` (the default) and `require` encrypt and trust any server,
`verify-ca` wants a certificate that `tls.upstream_ca` or the system's roots have signed, `verify-full` also the host's name
in it (subjectAltName; the common name where there is none). A self-signed certificate may be its own root. Certificates
must be of version 3; `prefer` goes on without TLS where a handshake fails. Over Unix sockets there is no TLS on either leg.
";

/// "The error that the person sees says which of three ways out to take" (issue 4, §1); who leaves without a word is logged.
#[test]
fn who_cannot_bind_is_told_the_ways_out() {
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let [_, other, _] = instances(cluster);
    let legs = &LEGS[3];
    let newest = cluster.major;
    let said = connects(cluster, newest, other.address(), "scram_user", legs, "prefer").unwrap_err();
    for part in ["channel binding", "HINT", "tls.cert", "sslmode=disable", "channel_binding=disable"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    connects(cluster, newest, other.address(), "scram_user", legs, "require").unwrap_err();
    let names_them = |line: &str| (line.contains("channel_binding=disable") && line.contains("left")).then_some(());
    other.keeper.log.await_line("the ways out", names_them);
    // What else the server refuses, it refuses in its own words.
    let mut client = Client::open_tls(other.address(), cluster.pki().client_config(&[]));
    let frames = client.begin(&startup(&[("user", "postgres"), ("database", "not_there")]));
    assert_eq!(frames.last().unwrap().field(b'H'), None, "{frames:?}");
}
