//! Pipelines, errors in them, ends in the middle (PROTOCOL §3, §4, §7).

use crate::bytes_of;
use crate::support::client::{Client, bind, execute, extended, parse, query, sync, tags};
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;
use crate::support::server::Server;

fn session() -> (Pgvitals, Client) {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let client = Client::connect(pgvitals.address(), "postgres");
    (pgvitals, client)
}

/// "From the ErrorResponse of an extended message to the next Sync, every message but Terminate owes nothing, Query and
/// FunctionCall included": statements skipped "are not calls: `statements_discarded_total{reason}`"
#[test]
fn what_an_error_skips_is_no_call() {
    let (pgvitals, mut client) = session();
    let pipeline = [
        extended("select 'before'", &[]),
        extended("select 1 / 0", &[]),
        extended("select 'skipped', 1", &[]),
        bytes_of![query("select 'skipped', 2, 3"), sync()],
        extended("select 'behind', 4, 5, 6", &[]),
        bytes_of![sync()],
    ];
    let bytes = pipeline.concat();
    client.send(&bytes);
    // A division of constants fails as early as Bind.
    assert_eq!(tags(&client.until(b'Z')), "12DC1EZ");
    assert_eq!(tags(&client.until(b'Z')), "12DCZ");
    let behind = pgvitals.await_statement("select $1, $2, $3, $4", 1);
    assert_eq!((behind.rows, behind.errors), (1, 0));
    let failed = pgvitals.await_statement("select $1 / $2", 1);
    assert_eq!(failed.errors, 1);
    assert!(pgvitals.statements("").iter().all(|row| !row.query.starts_with("select $1, $2, $3") || row.calls == 1));
    let discarded = pgvitals.metric("pgvitals_statements_discarded_total{reason=\"skipped\"}");
    assert!(discarded >= 1.0, "{discarded}");
    // What never ran was sent all the same.
    assert_eq!(pgvitals.metric("pgvitals_network_bytes_total{direction=\"in\"}"), bytes.len() as f64);
}

/// "Statements that fail inside a multi-statement message: those after it never ran and are not counted." (issue 3, §3)
#[test]
fn statements_behind_an_error_in_a_message_are_no_calls() {
    let (pgvitals, mut client) = session();
    let frames = client.ask(&bytes_of![query("select 1; select 2/0; select 3, 3; select 4, 4")]);
    assert_eq!(tags(&frames), "TDCEZ");
    assert_eq!(pgvitals.await_statement("select $1 / $2", 1).errors, 1);
    assert_eq!(pgvitals.await_statement("select $1", 1).errors, 0);
    assert!(pgvitals.statements("").iter().all(|row| row.query != "select $1, $2"));
    assert_eq!(pgvitals.metric("pgvitals_statements_discarded_total{reason=\"behind_error\"}"), 2.0);
}

/// "A row-limited portal is one call: duration is the sum of its fetches." "`rows`: command tag, plus DataRows of fetches
/// that ended in PortalSuspended."
#[test]
fn a_portal_fetched_in_parts_is_one_call() {
    let (pgvitals, mut client) = session();
    client.query("begin");
    let open = bytes_of![parse("", "select generate_series(1, 10)"), bind("p", "", &[]), execute("p", 4), sync()];
    assert_eq!(tags(&client.ask(&open)), "12DDDDsZ");
    assert_eq!(tags(&client.ask(&bytes_of![execute("p", 4), sync()])), "DDDDsZ");
    assert_eq!(tags(&client.ask(&bytes_of![execute("p", 4), sync()])), "DDCZ");
    client.query("commit");
    assert_eq!(pgvitals.await_statement("select generate_series($1, $2)", 1).rows, 10);
}

/// A thousand statements on the way at once are a thousand calls.
#[test]
fn a_deep_pipeline_is_counted_whole() {
    let (pgvitals, mut client) = session();
    client.ask(&bytes_of![parse("s", "select $1::int"), sync()]);
    let one = bytes_of![bind("", "s", &["7"]), execute("", 0), sync()];
    client.send(&one.repeat(1_000));
    for _ in 0..1_000 {
        client.until(b'Z');
    }
    let row = pgvitals.await_statement("select $1::int", 1_000);
    assert_eq!((row.rows, row.errors), (1_000, 0));
}

/// "ReadyForQuery is the resynchronisation point … Only broken framing is permanent.": what was sent ahead of a server that
/// waits, more of it than is followed, costs its own statements alone.
#[test]
fn a_session_that_owed_too_much_is_measured_again() {
    const AHEAD: usize = 1 << 18;
    let cluster = Cluster::any();
    let database = cluster.database();
    let mut blocker = cluster.client(&database);
    blocker.query("select pg_advisory_lock(7)");
    let pgvitals = Pgvitals::before(&cluster.tcp);
    let mut client = Client::connect(pgvitals.address(), &database);
    client.send(&bytes_of![query("select pg_advisory_lock(7)")]);
    client.send(&bytes_of![sync()].repeat(AHEAD));
    let overrun = "pgvitals_unmeasured_total{reason=\"pipeline_full\"}";
    pgvitals.await_merge("more than is followed", |pgvitals| (pgvitals.metric(overrun) > 0.0).then_some(()));
    blocker.query("select pg_advisory_unlock(7)");
    for _ in 0..=AHEAD {
        client.until(b'Z');
    }
    assert_eq!(client.value("select 'seen again'"), "seen again");
    assert_eq!(pgvitals.await_statement("select $1", 1).rows, 1);
    let lost = "pgvitals_samples_dropped_total{reason=\"opaque\"}";
    assert_eq!((pgvitals.metric(overrun), pgvitals.metric(lost)), (1.0, 1.0), "the statement that waited for the lock");
    assert!(pgvitals.metric("pgvitals_mismatches_total") == 0.0);
}

/// "FIN goes on after held bytes, and the other direction runs on": a client that half-closes gets its answer.
/// "A side that ends its direction still gets what the other has to say." (docs/transparency.md)
#[test]
fn a_client_that_half_closes_gets_its_answer() {
    let (pgvitals, mut client) = session();
    client.send(&bytes_of![query("select 'last', repeat('x', 1000000)")]);
    client.stream.half_close().unwrap();
    assert_eq!(tags(&client.until(b'Z')), "TDCZ");
    assert_eq!(client.frame(), None);
    // "a client that half-closed and got its answer isn't" aborted (PROTOCOL §4).
    assert_eq!(pgvitals.await_statement("select $1, repeat($2, $3)", 1).aborted, 0);
}

/// "the connection's loss while it is incomplete (`aborted`…)" (PROTOCOL §4), "RST on one leg resets the other at once"
/// (§7): however long the server would have gone on.
/// "A reset on one side is a reset on the other." (docs/transparency.md)
#[test]
fn a_client_that_is_lost_aborts_its_statement() {
    let (pgvitals, mut client) = session();
    client.send(&bytes_of![query("do $$ begin raise notice 'on'; perform pg_sleep(600); end $$")]);
    client.until(b'N');
    let (pid, _) = client.key.clone().unwrap();
    client.stream.reset().unwrap();
    let row = pgvitals.await_statement("do $1", 1);
    assert_eq!((row.aborted, row.errors), (1, 0), "{row:?}");
    all_closed(&pgvitals);
    // The server itself would notice when it next writes.
    Cluster::any().client("postgres").query(&format!("select pg_terminate_backend({pid})"));
}

/// A client that closes sends FIN, as one that half-closes does: "FIN goes on … and the other direction runs on" (PROTOCOL
/// §7). The server's answer comes, so the call is complete; that nobody reads it ends the session.
#[test]
fn a_client_that_closes_without_waiting_has_its_statement_completed() {
    let (pgvitals, mut client) = session();
    client.send(&bytes_of![query("do $$ begin raise notice 'on'; perform pg_sleep(0.5); end $$")]);
    client.until(b'N');
    drop(client);
    let row = pgvitals.await_statement("do $1", 1);
    assert_eq!((row.aborted, row.errors), (0, 0), "{row:?}");
    assert!(row.max_ms >= 500.0, "{row:?}");
    all_closed(&pgvitals);
}

#[track_caller]
fn all_closed(pgvitals: &Pgvitals) {
    pgvitals.await_merge("no open connection", |pgvitals| {
        (pgvitals.performance("metric=summary")["connections"]["open"] == 0).then_some(())
    });
}

/// "either side vanishing at any byte" (DESIGN §3)
#[test]
fn a_server_that_vanishes_at_any_byte_ends_the_session() {
    let answer = b"T\0\0\0\x1a\0\x01?\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0D\0\0\0\x0b\0\x01\0\0\0\x011C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
    let cuts = [0, 1, 4, 5, 20, 27, 28, 33, 39, 40, 47, 53, 54, 58];
    let servers = cuts.map(|cut| {
        Server::start(move |peer| {
            peer.welcome();
            if peer.until(b'Q').is_some() {
                peer.send(&answer[..cut]);
            }
        })
    });
    for (server, cut) in servers.iter().zip(cuts) {
        let pgvitals = Pgvitals::before(&server.address);
        let mut client = Client::connect(pgvitals.address(), "postgres");
        client.send(&bytes_of![query("select 1")]);
        assert_eq!(client.rest(), &answer[..cut], "every byte that came goes on");
        let row = pgvitals.await_statement("select $1", 1);
        assert_eq!(row.errors, 0);
        // CommandComplete ends with the byte before ReadyForQuery begins.
        assert_eq!(row.aborted, u64::from(cut < answer.len() - 6), "cut at {cut}: {row:?}");
    }
}
