//! COPY in both directions, failing on either side (PROTOCOL §3, §4).

use bytes::Bytes;
use pgwire::messages::copy::{CopyData, CopyDone, CopyFail};

use crate::bytes_of;
use crate::support::client::{Client, extended, query, sync, tags};
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

fn data(text: &str) -> CopyData {
    CopyData::new(Bytes::copy_from_slice(text.as_bytes()))
}

/// A session with a table `t (id int primary key)` in a database of its own.
fn session() -> (Pgvitals, Client) {
    let cluster = Cluster::any();
    let database = cluster.database();
    cluster.client(&database).query("create table t (id int primary key)");
    let pgvitals = Pgvitals::before(&cluster.tcp);
    let client = Client::connect(pgvitals.address(), &database);
    (pgvitals, client)
}

#[test]
fn rows_of_copies_are_those_of_the_command_tag() {
    let (pgvitals, mut client) = session();
    let mut lines = bytes_of![query("copy t from stdin")];
    for id in 0..1_000 {
        lines.extend_from_slice(&bytes_of![data(&format!("{id}\n"))]);
    }
    lines.extend_from_slice(&bytes_of![CopyDone::new()]);
    assert_eq!(client.ask(&lines)[1].command(), "COPY 1000");
    let frames = client.ask(&bytes_of![query("copy t to stdout")]);
    assert_eq!(frames.iter().filter(|frame| frame.tag == b'd').count(), 1_000);

    let put = pgvitals.await_statement("copy t from stdin", 1);
    assert_eq!((put.rows, put.errors), (1_000, 0));
    assert_eq!(put.bytes_in, lines.len() as u64, "Query, CopyData and CopyDone, headers included");
    let got = pgvitals.await_statement("copy t to stdout", 1);
    assert_eq!((got.rows, got.errors), (1_000, 0));
    assert!(got.bytes_out > 1_000 * 5, "{got:?}");
}

#[test]
fn a_copy_that_fails_on_either_side_is_one_failed_call() {
    let (pgvitals, mut client) = session();
    let bad_row = client.ask(&bytes_of![query("copy t from stdin"), data("x\n"), data("2\n"), CopyDone::new()]);
    assert_eq!(tags(&bad_row), "GEZ");
    let given_up = client.ask(&bytes_of![query("copy t from stdin"), data("1\n"), CopyFail::new("enough".into())]);
    assert_eq!(tags(&given_up), "GEZ");
    assert_eq!(given_up[1].field(b'C').as_deref(), Some("57014"));
    assert_eq!(client.value("select count(*) from t"), "0");
    let row = pgvitals.await_statement("copy t from stdin", 2);
    assert_eq!((row.errors, row.rows, row.aborted), (2, 0, 0));
    pgvitals.await_statement("select count(*) from t", 1);
}

/// "after CopyInResponse, Sync and Flush before CopyDone/CopyFail owe nothing (libpq sends `P B D E S | d c S`)"
#[test]
fn syncs_during_a_copy_owe_nothing() {
    let (pgvitals, mut client) = session();
    for round in 0..3 {
        client.send(&[extended("copy t from stdin", &[]), bytes_of![sync()]].concat());
        client.until(b'G');
        client.send(&bytes_of![data(&format!("{round}\n")), CopyDone::new(), sync()]);
        assert_eq!(tags(&client.until(b'Z')), "CZ");
        // Whatever comes next is told apart from the COPY.
        assert_eq!(client.value("select 1"), "1");
    }
    assert_eq!(pgvitals.await_statement("copy t from stdin", 3).rows, 3);
    assert_eq!(pgvitals.await_statement("select $1", 3).rows, 3);
    assert!(pgvitals.metric("pgvitals_mismatches_total") == 0.0);
}

/// "If ErrorResponse ends the COPY, the Syncs sent between CopyInResponse and CopyDone/CopyFail *may* have been swallowed"
#[test]
fn syncs_around_a_failed_copy_do_not_shift_what_follows() {
    let (pgvitals, mut client) = session();
    for _ in 0..3 {
        client.send(
            &[extended("copy t from stdin", &[]), bytes_of![sync(), data("x\n"), CopyDone::new(), sync()]].concat(),
        );
        client.until(b'E');
        client.until(b'Z');
        assert_eq!(client.value("select 'behind'"), "behind");
    }
    let row = pgvitals.await_statement("copy t from stdin", 3);
    assert_eq!((row.errors, row.rows), (3, 0));
    let behind = pgvitals.await_statement("select $1", 3);
    assert_eq!((behind.errors, behind.rows), (0, 3));
}

/// "(a ReadyForQuery that follows at once takes one of them unless a Sync is owed for sure in front …)": several Syncs
/// behind a COPY that has swallowed one, in one write with what comes next.
#[test]
fn syncs_in_a_row_behind_a_failed_copy_do_not_shift_what_follows() {
    let (pgvitals, mut client) = session();
    client.send(&[extended("copy t from stdin", &[]), bytes_of![sync()]].concat());
    client.until(b'G');
    client.send(&bytes_of![data("1\n"), CopyFail::new("enough".into())]);
    client.until(b'E');
    client.send(&bytes_of![sync(), sync(), sync(), query("select 'first', 1"), query("select 'second'")]);
    assert_eq!(tags(&(0..5).flat_map(|_| client.until(b'Z')).collect::<Vec<_>>()), "ZZZTDCZTDCZ");
    assert_eq!(client.value("select 'third', 2, 3"), "third");
    for (query, calls) in [("copy t from stdin", 1), ("select $1, $2", 1), ("select $1", 1), ("select $1, $2, $3", 1)] {
        let row = pgvitals.await_statement(query, calls);
        assert_eq!((row.rows, row.errors), if query.starts_with("copy") { (0, 1) } else { (1, 0) }, "{query}");
    }
    assert!(pgvitals.metric("pgvitals_mismatches_total") == 0.0);
}
