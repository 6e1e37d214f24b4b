//! "Memory has a ceiling that does not depend on traffic, message size, number of distinct statements" (DESIGN §1.4).

use std::io::{Read, Write};

use crate::bytes_of;
use crate::support::client::{Client, query, startup};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::server::Server;

/// "100,000 distinct statements and one 1 GiB row: resident memory stays under 160 MiB" (issue 3, §8). The server is a
/// scripted one: a real one would take gigabytes of its own.
#[test]
fn many_statements_and_one_huge_row_stay_under_the_ceiling() {
    const ROW: u32 = (1 << 30) - 32;
    let server = Server::start(|peer| {
        peer.welcome();
        while let Some(frame) = peer.frame() {
            if frame.body.starts_with(b"select huge") {
                peer.send(&[&b"D"[..], &ROW.to_be_bytes()].concat());
                let zeros = vec![0; 1 << 20];
                let mut left = ROW as usize - 4;
                while left > 0 {
                    let part = left.min(zeros.len());
                    peer.send(&zeros[..part]);
                    left -= part;
                }
            }
            peer.send(b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
        }
    });
    let pgvitals = Pgvitals::before(&server.address);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    for batch in 0..1_000 {
        let statements: Vec<_> = (0..100).map(|i| query(&format!("select 1 as column_{batch}_{i}, 'text'"))).collect();
        let mut bytes = bytes::BytesMut::new();
        statements.iter().for_each(|statement| bytes.extend_from_slice(&bytes_of![statement]));
        client.send(&bytes);
        for _ in 0..100 {
            client.until(b'Z');
        }
    }
    client.send(&bytes_of![query("select huge")]);
    let mut head = [0; 5];
    client.stream.read_exact(&mut head).unwrap();
    let body = std::io::copy(&mut (&mut client.stream).take(u64::from(ROW) - 4), &mut std::io::sink()).unwrap();
    assert_eq!((head[0], body), (b'D', u64::from(ROW) - 4));
    client.until(b'Z');
    // Nothing is lost: what fits no series is in the visible one for all others.
    pgvitals.await_merge("all 100,001 calls", |pgvitals| {
        let calls = pgvitals.performance("metric=summary")["totals"]["calls"].as_u64();
        (calls == Some(100_001)).then_some(())
    });
    #[cfg(target_os = "linux")]
    assert!(pgvitals.memory("VmHWM") < 160 << 20, "{} bytes", pgvitals.memory("VmHWM"));
}

/// "1,000 idle connections cost at most 8 KiB each" (issue 3, §8)
#[test]
#[cfg(target_os = "linux")]
fn idle_connections_cost_little() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/idle.py");
    let python = crate::support::postgres::clients().join("python/bin/python");
    let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut say, mut hear) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut line = String::new();
    hear.read_line(&mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    let pgvitals = Pgvitals::before(&crate::support::address::Address::Tcp(([127, 0, 0, 1], port).into()));
    let mut open = |count: u32| {
        writeln!(say, "{} {count}", pgvitals.address().host_and_port().1).unwrap();
        let mut line = String::new();
        hear.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        pgvitals.memory("VmRSS")
    };
    let warm = open(200);
    let full = open(1_000);
    let each = full.saturating_sub(warm) / 1_000;
    assert!(each <= 8 << 10, "{each} bytes each");
    drop(say);
    child.wait().unwrap();
}

/// "too many connections 53300" (PROTOCOL §8); a place that was left is free again.
#[test]
fn one_connection_too_many_is_told_so() {
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("max-connections", "2").start();
    let first = Client::connect(pgvitals.address(), "postgres");
    let mut second = Client::connect(pgvitals.address(), "postgres");
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert_eq!(frames[0].field(b'C').as_deref(), Some("53300"), "{frames:?}");
    assert_eq!(frames[0].field(b'V').as_deref(), Some("FATAL"));
    assert_eq!(second.value("select 'undisturbed'"), "undisturbed");
    drop(first);
    pgvitals.await_merge("a free place", |pgvitals| {
        (pgvitals.performance("metric=summary")["connections"]["open"] == 1).then_some(())
    });
    assert_eq!(Client::connect(pgvitals.address(), "postgres").value("select 'third'"), "third");
}

/// A statement of 64 MB streams through the lexer: its text is in no buffer.
#[test]
fn a_huge_statement_is_hashed_as_it_streams_by() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    let sql = format!("select length('{}')", "x".repeat(64 << 20));
    assert_eq!(client.value(&sql), (64 << 20).to_string());
    assert_eq!(pgvitals.await_statement("select length($1)", 1).rows, 1);
    #[cfg(target_os = "linux")]
    assert!(pgvitals.memory("VmHWM") < 100 << 20, "{} bytes", pgvitals.memory("VmHWM"));
}
