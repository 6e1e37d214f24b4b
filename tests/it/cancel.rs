//! CancelRequest (PROTOCOL §1): "accepted in plaintext under every `tls.client`, beyond `max_connections`".

use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::SecretKey;

use crate::bytes_of;
use crate::support::address::Address;
use crate::support::client::{Client, query, startup};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Says where it is, then sleeps for longer than anybody waits.
pub(crate) const LONG: &str = "do $$ begin raise notice 'running'; perform pg_sleep(600); end $$";

/// Cancels with this key and waits until the connection is closed: "clients wait for EOF as proof of delivery".
pub(crate) fn cancel(address: &Address, (pid, key): (i32, Vec<u8>)) {
    let mut client = Client::open(address);
    client.send(&bytes_of![CancelRequest::new(pid, SecretKey::Bytes(key.into()))]);
    assert_eq!(client.rest(), b"");
}

/// The statement runs, is cancelled by `how`, and the session lives.
#[track_caller]
fn ends_by(client: &mut Client, how: impl FnOnce()) {
    client.send(&bytes_of![query(LONG)]);
    client.until(b'N');
    how();
    let frames = client.until(b'Z');
    assert_eq!(frames[0].field(b'C').as_deref(), Some("57014"), "{frames:?}");
    assert_eq!(client.value("select 'alive'"), "alive");
}

/// "A cancel request reaches the session that it is meant for." (docs/transparency.md)
#[test]
fn a_key_cancels_its_session_in_every_version_and_protocol() {
    for major in Cluster::majors() {
        let cluster = Cluster::of(major);
        let pgvitals = Pgvitals::before(&cluster.tcp);
        for minor in [0, 2] {
            let mut message = startup(&[("user", "postgres")]);
            message.protocol_number_minor = minor;
            let mut client = Client::start(pgvitals.address(), &message);
            let key = client.key.clone().unwrap();
            // Protocol 3.2 came with PostgreSQL 18, and its keys are longer.
            assert_eq!(key.1.len() > 4, major >= 18 && minor == 2, "PostgreSQL {major}, protocol 3.{minor}");
            ends_by(&mut client, || cancel(pgvitals.address(), key));
        }
        let statement = "do $1";
        let row = pgvitals.await_statement(statement, 2);
        assert_eq!(row.errors, 2, "{row:?}");
    }
}

#[test]
fn a_wrong_key_cancels_nothing_and_is_closed() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    let (pid, key) = client.key.clone().unwrap();
    ends_by(&mut client, || {
        let wrong: Vec<u8> = key.iter().map(|byte| !byte).collect();
        cancel(pgvitals.address(), (pid, wrong));
        cancel(pgvitals.address(), (pid, key));
    });
}

/// "an unknown key (another process on the port, a restart) goes to each resolved address"
#[test]
fn a_key_of_another_instance_reaches_the_server() {
    let cluster = Cluster::any();
    let (one, other) = (Pgvitals::before(&cluster.tcp), Pgvitals::before(&cluster.tcp));
    let mut client = Client::connect(one.address(), "postgres");
    let key = client.key.clone().unwrap();
    ends_by(&mut client, || cancel(other.address(), key));
}

/// "Cancelling works although `max_connections` is reached." (docs/transparency.md)
#[test]
fn cancelling_works_beyond_max_connections() {
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("max-connections", "1").start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    let key = client.key.clone().unwrap();
    ends_by(&mut client, || cancel(pgvitals.address(), key));
}

/// Ends that the server decides on: a time limit fails the statement, an administrator's FATAL the session with it.
#[test]
fn a_statement_timeout_and_a_terminated_backend_are_errors_of_the_statement() {
    let cluster = Cluster::any();
    let pgvitals = Pgvitals::before(&cluster.tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    // The failed transaction takes its limit along: no other statement has to be quick.
    client.query("begin; set local statement_timeout to '100ms'");
    let frames = client.ask(&bytes_of![query("select pg_sleep(600)")]);
    assert_eq!(
        frames.iter().find_map(|frame| (frame.tag == b'E').then(|| frame.field(b'C'))?).as_deref(),
        Some("57014")
    );
    client.query("rollback");

    let (pid, _) = client.key.clone().unwrap();
    client.send(&bytes_of![query(LONG)]);
    client.until(b'N');
    let terminate = format!("select pg_terminate_backend({pid})");
    Tool::postgres("psql", cluster.major).against(&cluster.tcp, "postgres").args(&["-XAtc", &terminate]).succeed();
    assert_eq!(client.frame().unwrap().field(b'C').as_deref(), Some("57P01"));
    assert_eq!(client.frame(), None);
    let row = pgvitals.await_statement("do $1", 1);
    assert_eq!((row.errors, row.aborted), (1, 0), "{row:?}");
}
