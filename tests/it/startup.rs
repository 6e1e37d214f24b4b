//! PROTOCOL §1: what lies before a session, from friends and from others.

use std::io::{Read, Write};

use crate::bytes_of;
use crate::support::client::{Client, startup, tags};
use crate::support::clock::{PATIENCE, now};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

use pgwire::messages::startup::{GssEncRequest, SslRequest};

/// A pgvitals in front of any server, and a connection on which nothing was said.
fn open() -> (Pgvitals, Client) {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let client = Client::open(pgvitals.address());
    (pgvitals, client)
}

fn answer(client: &mut Client) -> char {
    let mut byte = [0];
    client.stream.read_exact(&mut byte).unwrap();
    char::from(byte[0])
}

/// "`SSLRequest` is answered by `tls.client` (`disable` → `N` …); `GSSENCRequest` → `N`; each once, in either order."
#[test]
fn encryption_is_declined_in_either_order() {
    let ssl = || bytes_of![SslRequest::new()];
    let gss = || bytes_of![GssEncRequest::new()];
    for requests in [vec![ssl()], vec![gss()], vec![ssl(), gss()], vec![gss(), ssl()]] {
        let (_pgvitals, mut client) = open();
        for request in &requests {
            client.send(request);
            assert_eq!(answer(&mut client), 'N');
        }
        let frames = client.begin(&startup(&[("user", "postgres")]));
        assert_eq!(tags(&frames[frames.len() - 2..]), "KZ");
        assert_eq!(client.value("select 42"), "42");
    }
}

/// "each once": who asks again is closed.
#[test]
fn a_second_request_for_encryption_ends_the_connection() {
    let (pgvitals, mut client) = open();
    client.send(&bytes_of![SslRequest::new()]);
    assert_eq!(answer(&mut client), 'N');
    client.send(&bytes_of![SslRequest::new()]);
    assert_eq!(client.rest(), b"");
    is_counted(&pgvitals);
}

/// "bytes that lie behind `SSLRequest`/`GSSENCRequest` before our answer … close the connection (CVE-2021-23214, -23222)"
#[test]
fn bytes_behind_a_request_for_encryption_end_the_connection() {
    let (pgvitals, mut client) = open();
    client.send(&bytes_of![SslRequest::new(), startup(&[("user", "postgres")])]);
    assert!(matches!(&client.rest()[..], b"" | b"N"), "no session may come of it");
    is_counted(&pgvitals);
}

/// "A packet over 10,000 bytes … closes silently and is counted, as PostgreSQL does."
#[test]
fn oversized_and_senseless_packets_are_closed_silently() {
    let long = "x".repeat(11_000);
    let packets: [&[u8]; 5] = [
        &bytes_of![startup(&[("user", "postgres"), ("application_name", &long[..9_000])])],
        b"\0\0\x27\x11\0\x03\0\0user\0",
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"\0\0\0\x03",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    for (i, packet) in packets.iter().enumerate() {
        let (pgvitals, mut client) = open();
        client.send(packet);
        if i == 0 {
            // Long, but no longer than PostgreSQL takes.
            assert_eq!(client.until(b'Z').last().map(|frame| frame.tag), Some(b'Z'));
            continue;
        }
        assert_eq!(client.rest(), b"", "{}", packet.escape_ascii());
        is_counted(&pgvitals);
    }
}

/// "none complete within `startup_timeout` (from accept, TLS included), closes silently and is counted"
#[test]
fn a_start_up_that_never_completes_is_closed() {
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("startup-timeout", "2s").start();
    let mut silent = Client::open(pgvitals.address());
    let mut slow = Client::open(pgvitals.address());
    let begin = now();
    let packet = bytes_of![startup(&[("user", "postgres")])];
    slow.send(&packet[..3]);
    assert_eq!((silent.rest(), slow.rest()), (vec![], vec![]));
    assert!(begin.elapsed() < PATIENCE / 2);
    is_counted(&pgvitals);
    // Who is in time stays beyond the timeout.
    let mut client = Client::connect(pgvitals.address(), "postgres");
    assert_eq!(client.value("select 'alive' from pg_sleep(2.2)"), "alive");
}

/// A failed start-up shows, whatever the reason was.
#[track_caller]
fn is_counted(pgvitals: &Pgvitals) {
    pgvitals.await_merge("a failed start-up", |pgvitals| {
        let body = pgvitals.performance("metric=summary");
        let unmeasured = pgvitals.metric("pgvitals_unmeasured_total{reason=\"startup_packet\"}");
        (body["connections"]["failed"].as_u64() > Some(0) || unmeasured > 0.0).then_some(())
    });
}

/// A start-up that trickles in byte by byte is as good as any other.
#[test]
fn a_start_up_may_come_byte_by_byte() {
    let (_pgvitals, mut client) = open();
    for byte in bytes_of![startup(&[("user", "postgres")])] {
        client.stream.write_all(&[byte]).unwrap();
    }
    client.until(b'Z');
    assert_eq!(client.value("select 1"), "1");
}

/// Statements may lie right behind the start-up, as drivers that trust their server send them.
#[test]
fn a_statement_may_follow_the_start_up_at_once() {
    let (pgvitals, mut client) = open();
    client.send(&bytes_of![startup(&[("user", "postgres")]), crate::support::client::query("select 'early'")]);
    client.until(b'Z');
    assert_eq!(tags(&client.until(b'Z')), "TDCZ");
    assert_eq!(pgvitals.await_statement("select $1", 1).rows, 1);
}
