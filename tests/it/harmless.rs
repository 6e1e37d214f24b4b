//! "a fault injected in `session` or `stats` (test-only hook) leaves the traffic intact and shows in a counter" (issue 3,
//! §8). The hook is compiled in by the feature `fault-injection`: `cargo test --features fault-injection`.

use crate::support::client::Client;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

#[track_caller]
fn survives(marker: &str) {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    let mut other = Client::connect(pgvitals.address(), "postgres");
    assert_eq!(client.value(&format!("select 'a' as {marker}")), "a");
    // The connection lives on unmeasured, others are measured as before.
    assert_eq!(client.value("select 'b'"), "b");
    assert_eq!(other.value("select 'c', 1"), "c");
    pgvitals.await_statement("select $1, $2", 1);
    // The other session's worker may be the quicker one.
    pgvitals.await_merge("the panic's count", |pgvitals| {
        (pgvitals.metric("pgvitals_unmeasured_total{reason=\"panic\"}") >= 1.0).then_some(())
    });
}

/// "Whatever panics in measuring, the bytes flow." (docs/transparency.md)
#[test]
fn a_panic_in_the_session_harms_nobody() {
    survives("pgvitals_fault_session");
}

#[test]
fn a_panic_in_the_recorder_harms_nobody() {
    survives("pgvitals_fault_stats");
}
