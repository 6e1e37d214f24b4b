//! Durations against what the client measured. No assertion depends on how fast the machine is: what pgvitals says lies
//! between the time that the server is known to have slept and the time that the client waited.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::bytes_of;
use crate::support::client::{Client, extended, flush, query, sync};
use crate::support::clock::now;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

/// The canonical text of every sleep here.
const SLEEP: &str = "select pg_sleep($1)";

/// "2 significant digits or better" (DESIGN §4)
const PRECISION: f64 = 0.01;

fn sleep(millis: u64) -> String {
    format!("select pg_sleep({})", Duration::from_millis(millis).as_secs_f64())
}

fn millis(since: Instant) -> f64 {
    now().duration_since(since).as_secs_f64() * 1e3
}

/// A session through a pgvitals of its own.
fn session() -> (Pgvitals, Client) {
    let cluster = Cluster::any();
    let pgvitals = Pgvitals::before(&cluster.tcp);
    let client = Client::connect(pgvitals.address(), "postgres");
    (pgvitals, client)
}

#[track_caller]
fn between(what: &str, low: f64, value: f64, high: f64) {
    let (least, most) = (low * (1.0 - PRECISION), high * (1.0 + PRECISION));
    assert!((least..=most).contains(&value), "{what}: {value} is not in {least}..={most}");
}

/// "known sleeps: P50/P95/P99 within the histogram's precision of what the client measured" (issue 3, §8)
#[test]
fn percentiles_of_known_sleeps_are_true() {
    let (pgvitals, mut client) = session();
    let sleeps: Vec<u64> = (1..=100).map(|i| (i * 37) % 101).collect();
    let mut waited = Vec::new();
    for (i, length) in sleeps.iter().enumerate() {
        let begin = now();
        if i % 2 == 0 {
            client.query(&sleep(*length));
        } else {
            let seconds = Duration::from_millis(*length).as_secs_f64().to_string();
            client.ask(&[extended("select pg_sleep($1)", &[&seconds]), bytes_of![sync()]].concat());
        }
        waited.push(millis(begin));
    }
    let row = pgvitals.await_statement(SLEEP, 100);
    let mut slept: Vec<f64> = sleeps.iter().map(|length| *length as f64).collect();
    slept.sort_by(f64::total_cmp);
    waited.sort_by(f64::total_cmp);
    for (rank, what, value) in [(50, "p50", row.p50_ms), (95, "p95", row.p95_ms), (99, "p99", row.p99_ms)] {
        between(what, slept[rank - 1], value, waited[rank - 1]);
    }
    between("max", slept[99], row.max_ms, waited[99]);
    between("total", slept.iter().sum(), row.total_ms, waited.iter().sum());
    assert_eq!((row.rows, row.errors, row.batched), (100, 0, 0));
}

/// "ten sleeps in a pipeline, each with its own Sync or Flush, count ten single sleeps" (issue 3, §8). All are sent in one
/// write. Each waits for a lock first, which goes when the client has the answer before: so no two answers come in one
/// read, however slow the machine is.
#[test]
fn sleeps_in_a_pipeline_with_syncs_count_alone() {
    for (between_them, behind) in [(bytes_of![sync()], BytesMut::new()), (bytes_of![flush()], bytes_of![sync()])] {
        let (pgvitals, mut client) = session();
        let mut gate = Cluster::any().client("postgres");
        let (pid, _) = client.key.clone().unwrap();
        gate.query(&format!("select pg_advisory_lock({pid}, i) from generate_series(1, 10) i"));
        let mut pipeline = BytesMut::new();
        for i in 1..=10 {
            pipeline.extend_from_slice(&extended(&format!("select pg_advisory_lock({pid}, {i}), pg_sleep(0.1)"), &[]));
            pipeline.extend_from_slice(&between_them);
        }
        pipeline.extend_from_slice(&behind);
        let begin = now();
        client.send(&pipeline);
        // Each begins where the one before it ended: after its sleep, and before its answer was here.
        let (mut earliest, mut longest) = (0.0, Vec::new());
        for i in 1..=10 {
            let released = millis(begin);
            gate.query(&format!("select pg_advisory_unlock({pid}, {i})"));
            client.until(b'C');
            longest.push(millis(begin) - earliest);
            earliest = released + 100.0;
        }
        client.until(b'Z');
        let waited = millis(begin);
        longest.sort_by(f64::total_cmp);
        let row = pgvitals.await_statement("select pg_advisory_lock($1, $2), pg_sleep($3)", 10);
        assert_eq!((row.batched, row.rows), (0, 10));
        between("total", 1_000.0, row.total_ms, waited);
        between("p50", 100.0, row.p50_ms, longest[4]);
        between("max", 100.0, row.max_ms, longest[9]);
    }
}

/// "ten behind one Sync sum to the true total and are all `batched`" (issue 3, §8)
#[test]
fn sleeps_behind_one_sync_share_the_true_total() {
    let (pgvitals, mut client) = session();
    let sleeps = extended(&sleep(100), &[]).repeat(10);
    let begin = now();
    client.ask(&[&sleeps[..], &bytes_of![sync()]].concat());
    let waited = millis(begin);
    let row = pgvitals.await_statement(SLEEP, 10);
    assert_eq!((row.batched, row.rows), (10, 10));
    between("total", 1_000.0, row.total_ms, waited);
    between("p50", row.total_ms / 10.0, row.p50_ms, row.total_ms / 10.0);
}

/// Every multi-statement Query is such a batch (PROTOCOL §5).
#[test]
fn sleeps_in_one_message_share_the_true_total() {
    let (pgvitals, mut client) = session();
    let begin = now();
    client.query(&vec![sleep(100); 5].join("; "));
    let waited = millis(begin);
    let row = pgvitals.await_statement(SLEEP, 5);
    assert_eq!(row.batched, 5);
    between("total", 500.0, row.total_ms, waited);
}

/// "a slow reader's wait is in `client_stall`, not charged to the server" (issue 3, §8). "An estimate …, never subtracted
/// from duration" (PROTOCOL §5): what is left of the duration without it is the server's part.
#[test]
fn a_slow_readers_wait_is_in_client_stall() {
    let (pgvitals, mut client) = session();
    let mut timer = Cluster::any().client("postgres");
    // Far more than the sockets' buffers hold.
    let sql = "select repeat('x', 1000) from generate_series(1, 100000)";
    let begin = now();
    client.send(&bytes_of![query(sql)]);
    client.frame().unwrap();
    pgvitals.await_merge("a statement that waits for its client", |pgvitals| {
        let active = pgvitals.performance("metric=active");
        (active["statements"][0]["state"] == "waiting_for_client").then_some(())
    });
    // From here on all buffers are full.
    let pause = now();
    timer.query(&sleep(1_000));
    let paused = millis(pause);
    client.until(b'Z');
    let waited = millis(begin);
    let row = pgvitals.await_statement("select repeat($1, $2) from generate_series($3, $4)", 1);
    between("duration", paused, row.max_ms, waited);
    between("stall", paused, row.client_stall_ms, row.total_ms);
    between("the server's part", 0.0, row.total_ms - row.client_stall_ms, waited - paused);
    assert_eq!(row.rows, 100_000);
    assert!(row.bytes_out > 100_000_000 && row.bytes_in == 5 + sql.len() as u64 + 1, "{row:?}");
}

/// "spans in which pgvitals held bytes that the client leg didn't take" (PROTOCOL §5): a reader that keeps up has none.
#[test]
fn a_quick_reader_has_no_stall() {
    let (pgvitals, mut client) = session();
    client.query(&sleep(300));
    assert_eq!(pgvitals.await_statement(SLEEP, 1).client_stall_ms, 0.0);
}
