//! Whose certificate is believed: the server's by libpq's rules, a client's by `tls.client_ca`.

use super::{before, outcomes, showing};
use crate::support::address::Address;
use crate::support::client::{Client, startup, tags};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

fn cluster() -> &'static Cluster {
    Cluster::encrypted(Cluster::any().major)
}

/// The server by another name.
fn called(host: &str) -> String {
    let (_, port) = cluster().tcp.host_and_port();
    format!("postgres://{host}:{port}/")
}

/// A session through pgvitals: `None` when it stands, else what its client is told.
fn fails(pgvitals: &Pgvitals) -> Option<String> {
    let mut client = Client::open(pgvitals.address());
    let frames = client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
    if tags(&frames) == "E" {
        return frames[0].field(b'M');
    }
    assert_eq!(client.value("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t");
    None
}

/// "`tls.upstream = disable|prefer|require|verify-ca|verify-full` with CA" (issue 4, §1)
#[test]
fn a_server_is_believed_as_libpq_would() {
    let ca = cluster().pki().ca.display().to_string();
    let stranger = cluster().pki().client.text()[0].clone();
    let check = |mode: &str, ca: Option<&str>, host: &str, expected: Option<&str>| {
        let setup = Setup::default().route_to_url(&called(host)).flag("tls-upstream", mode);
        let setup = ca.into_iter().fold(setup, |setup, ca| setup.flag("tls-upstream-ca", ca));
        let pgvitals = setup.start();
        let failure = fails(&pgvitals);
        match expected {
            None => assert_eq!(failure, None, "{mode} {ca:?} {host}"),
            Some(part) => {
                assert!(failure.as_ref().is_some_and(|text| text.contains(part)), "{mode} {ca:?} {host}: {failure:?}");
                assert_eq!(outcomes(&pgvitals, "upstream", "certificate"), 1);
            }
        }
    };
    check("prefer", None, "127.0.0.1", None);
    check("require", None, "127.0.0.1", None);
    check("require", Some(&ca), "127.0.0.1", None);
    check("require", Some(&stranger), "127.0.0.1", Some("tls.upstream_ca"));
    check("verify-ca", Some(&ca), "127.0.0.1", None);
    check("verify-ca", Some(&stranger), "127.0.0.1", Some("tls.upstream_ca"));
    check("verify-full", Some(&ca), "localhost", None);
    check("verify-full", Some(&ca), "127.0.0.1", Some("name the host"));
    // The system has never heard of this authority.
    check("verify-full", None, "localhost", Some("tls.upstream_ca"));
}

/// "direct negotiation" towards the server: PostgreSQL 17 and later; an older one hears noise.
#[test]
fn tls_to_the_server_may_begin_at_once() {
    for major in Cluster::majors() {
        let cluster = Cluster::encrypted(major);
        let pgvitals = before(cluster, "disable", "require").flag("tls-upstream-negotiation", "direct").start();
        assert_eq!(fails(&pgvitals).is_none(), major >= 17, "PostgreSQL {major}");
    }
}

/// "Cancel over TLS when the upstream leg is" (PROTOCOL §1): a server that takes only TLS gets the request, too.
#[test]
fn what_is_cancelled_is_cancelled_over_tls() {
    let ca = cluster().pki().ca.display().to_string();
    let setup = Setup::default().route_to_url(&(called("localhost") + "?sslmode=verify-full&sslrootcert=" + &ca));
    let pgvitals = setup.start();
    let before = outcomes(&pgvitals, "upstream", "completed");
    let psql = Tool::postgres("psql", cluster().major).against(pgvitals.address(), "postgres");
    let script = "set statement_timeout to '60s'; select pg_sleep(0.01)";
    assert_eq!(psql.args(&["-XAtqc", script]).succeed().stdout, "\n");
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.send(&crate::bytes_of![crate::support::client::query(
        "do $$ begin raise notice 'running'; perform pg_sleep(600); end $$"
    )]);
    client.until(b'N');
    let (pid, key) = client.key.clone().unwrap();
    let mut cancel = Client::open(pgvitals.address());
    let key = pgwire::messages::startup::SecretKey::Bytes(key.into());
    cancel.send(&crate::bytes_of![pgwire::messages::cancel::CancelRequest::new(pid, key)]);
    assert_eq!(cancel.rest(), b"");
    assert_eq!(client.until(b'Z')[0].field(b'C').as_deref(), Some("57014"));
    assert_eq!(outcomes(&pgvitals, "upstream", "completed"), before + 3, "two sessions and the request");
}

/// psql with TLS to pgvitals: whether it gets in, and what it says if not.
fn psql(address: &Address, variables: &[(&str, &str)]) -> Result<String, String> {
    let tool = Tool::postgres("psql", cluster().major).against(address, "postgres");
    let tool = variables.iter().fold(tool, |tool, (name, value)| tool.variable(name, value));
    let output = tool.args(&["-XAtc", "select 'in'"]).run();
    if output.code == Some(0) { Ok(output.stdout) } else { Err(output.stderr) }
}

/// "optional client CA": with one, a client that uses TLS has to show a certificate that it has signed.
#[test]
fn clients_can_be_asked_for_a_certificate() {
    let pki = cluster().pki();
    let ca = pki.ca.display().to_string();
    let pgvitals = showing(before(cluster(), "require", "prefer"), &pki.other).flag("tls-client-ca", &ca).start();
    let [cert, key] = pki.client.text();
    let refused = psql(pgvitals.address(), &[("PGSSLMODE", "require"), ("PGSSLCERT", "/none")]).unwrap_err();
    assert!(refused.contains("certificate required"), "{refused}");
    assert_eq!(outcomes(&pgvitals, "client", "certificate"), 1);
    let with = [("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", &ca), ("PGSSLCERT", &cert), ("PGSSLKEY", &key)];
    assert_eq!(psql(pgvitals.address(), &with), Ok("in\n".to_owned()));
}

/// "Turned on without a certificate, a self-signed one is made at start (clients that insist on `sslmode=require`)"
#[test]
fn without_a_certificate_sslmode_require_works_and_verify_does_not() {
    let pgvitals = before(cluster(), "allow", "disable").start();
    assert_eq!(psql(pgvitals.address(), &[("PGSSLMODE", "require")]), Ok("in\n".to_owned()));
    let ca = cluster().pki().ca.display().to_string();
    let refused = psql(pgvitals.address(), &[("PGSSLMODE", "verify-ca"), ("PGSSLROOTCERT", &ca)]).unwrap_err();
    assert!(refused.contains("certificate verify failed"), "{refused}");
    assert_eq!(outcomes(&pgvitals, "client", "alert"), 1, "libpq says why it left");
}

/// "certificates reloaded … when the files change": sessions stay, new ones see the new certificate.
#[test]
fn a_new_certificate_is_shown_once_its_file_has_changed() {
    let (pki, directory) = (cluster().pki(), tempfile::tempdir().unwrap());
    let both = |name: &str| {
        let pair = pki.sign(name, &["localhost", name]);
        [pair.cert, pair.key].map(|path| std::fs::read_to_string(path).unwrap()).concat()
    };
    let file = directory.path().join("tls.pem");
    std::fs::write(&file, both("first.example")).unwrap();
    let pgvitals = before(cluster(), "allow", "disable").flag("tls-cert", &file.display().to_string()).start();
    let ca = pki.ca.display().to_string();
    let (_, port) = pgvitals.address().host_and_port();
    let named = |host: &str| {
        let conninfo =
            format!("host={host} hostaddr=127.0.0.1 port={port} dbname=postgres sslmode=verify-full sslrootcert={ca}");
        let psql = Tool::postgres("psql", cluster().major).args(&["-XAt", "-d", &conninfo, "-c", "select 'in'"]);
        psql.run().code == Some(0)
    };
    assert!(named("first.example") && !named("second.example"));
    let mut session = Client::open_tls(pgvitals.address(), pki.client_config(&[]));
    session.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
    std::fs::write(&file, both("second.example")).unwrap();
    pgvitals
        .keeper
        .log
        .await_line("the new certificate", |line| line.contains("certificates have changed").then_some(()));
    assert!(named("second.example") && !named("first.example"));
    assert_eq!(session.value("select 'alive'"), "alive");
    // Whoever can't wait says so.
    std::fs::write(&file, both("third.example")).unwrap();
    let sent = std::process::Command::new("kill").arg("-HUP").arg(pgvitals.keeper.pid.to_string()).status().unwrap();
    assert!(sent.success());
    pgvitals.keeper.log.await_line("the reload", |line| line.contains("settings reloaded").then_some(()));
    assert!(named("third.example") && !named("second.example"));
    std::fs::write(&file, "nonsense").unwrap();
    pgvitals.keeper.log.await_line("the bad file", |line| line.contains("the old ones stay").then_some(()));
    assert!(named("third.example"));
}

/// "a bad file" at start: exit code, as of other settings that can't be used, and advice.
#[test]
fn a_file_that_cannot_be_read_ends_the_start_with_advice() {
    let certificate = ["--tls-client", "allow", "--tls-cert", "/nowhere/tls.pem"];
    let roots = ["--tls-upstream", "verify-full", "--tls-upstream-ca", "/nowhere/tls.pem"];
    for (flags, key) in [(certificate, "`tls.cert`"), (roots, "`tls.upstream_ca` or `sslrootcert`")] {
        let run = Tool::pgvitals().args(&["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        let output = run.args(&flags).run();
        assert_eq!(output.code, Some(78), "{output:?}");
        let told = format!(
            "pgvitals: {key}: cannot read /nowhere/tls.pem: No such file or directory (os error 2); pgvitals' user must be \
             able to read it\n"
        );
        assert_eq!(output.stderr, told);
    }
}
