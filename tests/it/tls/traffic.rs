//! Once TLS stands: the same bytes as without, whoever sends them and however they are cut.

use std::io::{Read, Write};

use super::{before, showing};
use crate::bytes_of;
use crate::support::client::{Client, query, startup, tags};
use crate::support::pgvitals::Setup;
use crate::support::postgres::Cluster;
use crate::transparency::same_through;
use crate::transparency::wire::talk_with;

/// TLS on both legs, with the server's own certificate towards clients.
fn both(cluster: &Cluster) -> Setup {
    showing(before(cluster, "require", "require"), &cluster.pki().server)
}

/// "any split of the stream" (LAYOUT §7): every message, in records of any size.
#[test]
fn every_message_comes_out_as_it_went_in_over_tls() {
    for major in Cluster::majors() {
        let cluster = Cluster::encrypted(major);
        for size in [7, 1000, usize::MAX] {
            same_through(both(cluster), cluster, |address, database| {
                talk_with(Client::open_tls(address, cluster.pki().client_config(&[b"postgresql"])), database, size)
            });
        }
    }
}

fn session(setup: Setup) -> (crate::support::pgvitals::Pgvitals, Client) {
    let pgvitals = setup.start();
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let mut client = Client::open_tls(pgvitals.address(), cluster.pki().client_config(&[]));
    let frames = client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
    assert!(tags(&frames).ends_with('Z'), "{frames:?}");
    (pgvitals, client)
}

/// "TLS legs: … while it is Pending the direction counts as holding" (PROTOCOL §7): a client that reads late gets every
/// byte, and the wait counts as the client's.
#[test]
fn a_client_that_reads_late_gets_every_byte_and_is_what_was_waited_for() {
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let (pgvitals, mut client) = session(both(cluster));
    let sql = "select repeat(md5(i::text), 1000) from generate_series(1, 1000) i";
    client.send(&bytes_of![query(sql)]);
    // 32 MB are more than any socket takes.
    pgvitals.await_merge("a client that is waited for", |pgvitals| {
        let active = pgvitals.performance("metric=active");
        (active["statements"][0]["state"] == "waiting_for_client").then_some(())
    });
    Client::connect(&cluster.unix, "postgres").query("select pg_sleep(1)");
    let frames = client.until(b'Z');
    assert_eq!(
        frames.iter().filter(|frame| frame.tag == b'D').map(|frame| frame.body.len() - 6).sum::<usize>(),
        32_000_000
    );
    let row = pgvitals.await_statement("select repeat(md5(i::text), $1) from generate_series($2, $3) i", 1);
    assert!(row.client_stall_ms > 500.0 && row.rows == 1000, "{row:?}");
}

/// "close_notify = FIN": who half-closes gets his answer.
#[test]
fn a_client_that_half_closes_over_tls_gets_its_answer() {
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let (pgvitals, mut client) = session(showing(before(cluster, "allow", "disable"), &cluster.pki().other));
    client.send(&bytes_of![query("select 'last words' from pg_sleep(0.3)"), query("select 2")]);
    client.stream.half_close().unwrap();
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).unwrap();
    let text = String::from_utf8_lossy(&rest).into_owned();
    assert!(text.contains("last words") && text.ends_with('I'), "{text:?}");
    assert_eq!(pgvitals.await_statement("select $1 from pg_sleep($2)", 1).aborted, 0);
}

/// Both directions at once, in large pieces: COPY out of one session into another, 60 MB, compared by the server.
#[test]
fn large_copies_survive_tls() {
    let cluster = Cluster::encrypted(Cluster::newest().major);
    let (pgvitals, mut client) = session(both(cluster));
    client.query("create table if not exists copied (id int, body text)");
    client.query("truncate copied");
    client.send(&bytes_of![query("copy copied from stdin")]);
    client.until(b'G');
    let line = format!("{}\t{}\n", 7, "x".repeat(990));
    let data = bytes_of![pgwire::messages::copy::CopyData::new(line.repeat(60).into())];
    for _ in 0..1000 {
        client.stream.write_all(&data).unwrap();
    }
    client.send(&bytes_of![pgwire::messages::copy::CopyDone::new()]);
    assert_eq!(client.until(b'Z')[0].command(), "COPY 60000");
    let frames = client.ask(&bytes_of![query("copy copied to stdout")]);
    let bytes: usize = frames.iter().filter(|frame| frame.tag == b'd').map(|frame| frame.body.len()).sum();
    assert_eq!(bytes, line.len() * 60_000);
    assert!(frames.iter().filter(|frame| frame.tag == b'd').all(|frame| frame.body == line.as_bytes()));
    client.query("drop table copied");
    assert_eq!(pgvitals.await_statement("copy copied to stdout", 1).rows, 60_000);
}
