//! "Rolling restart under load (two processes on one port, `SO_REUSEPORT`) with clients that reconnect: no transaction
//! lost, none doubled, counts exact over both." (issue 4, §2)

use std::collections::BTreeMap;

use crate::bytes_of;
use crate::cancel::{LONG, cancel};
use crate::support::address::{ANY_PORT, Address};
use crate::support::client::{Client, query};
use crate::support::ledger::Ledger;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::truth::counts::{Counts, our_counts, server_counts};

/// Processes that are replaced while the clients go on.
const ROUNDS: usize = 4;
/// Transactions between the events of a round.
const TRANSACTIONS: usize = 200;

/// A process on `address`, which others share.
fn process(address: Address, mode: &str) -> Pgvitals {
    let setup = Setup::default().route(address, &Cluster::any().tcp).switch("reuse-port");
    setup.flag("drain-mode", mode).flag("drain-timeout", "600s").start()
}

/// Waits until it has left its address to the others.
#[track_caller]
fn await_closed(process: &Pgvitals) {
    let closed = |line: &str| line.contains("others serve this address").then_some(());
    process.keeper.log.await_line("a closed listener", closed);
}

/// Adds what this process counted in the database.
fn add(counts: &mut Counts, pgvitals: &Pgvitals, database: &str) {
    for (hash, ((calls, rows), text)) in our_counts(pgvitals, &format!("&database={database}")) {
        let entry = counts.entry(hash).or_insert(((0, 0), text));
        entry.0.0 += calls;
        entry.0.1 += rows;
    }
}

/// Processes follow each other under load; what the clients saw beside their entries.
fn roll(mode: &str, entries: u64) -> BTreeMap<String, u64> {
    let cluster = Cluster::any();
    let database = &cluster.database();
    let mut serving = process(ANY_PORT, mode);
    let address = &serving.address().clone();
    let ledger = Ledger::new(cluster, address, database, entries);
    let reset = "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname";
    cluster.client("postgres").query(&format!("{reset} = '{database}'"));
    // Old processes with the session that keeps each, and so its counts; in another database, so that it is in none.
    let mut old = Vec::new();
    let heard = ledger.booked_while(|heard| {
        for _ in 0..ROUNDS {
            let mut keeper = Client::connect(address, "postgres");
            keeper.query("begin");
            heard.listen(TRANSACTIONS);
            let next = process(address.clone(), mode);
            heard.listen(TRANSACTIONS);
            serving.signal("TERM");
            await_closed(&serving);
            heard.listen(TRANSACTIONS);
            old.push((std::mem::replace(&mut serving, next), keeper));
        }
    });
    let mut server = server_counts(cluster, database, 1);
    server.retain(|_, (_, text)| !text.contains("pg_stat_statements_reset"));
    serving.await_merge(&format!("as much as the server: {server:#?}"), |serving| {
        let mut ours = Counts::new();
        let processes = old.iter().map(|(process, _)| process).chain([serving]);
        processes.for_each(|process| add(&mut ours, process, database));
        let all = |counts: &Counts| counts.values().map(|((calls, _), _)| calls).sum::<u64>();
        assert!(all(&ours) <= all(&server), "ours {ours:#?} are more than the server's {server:#?}");
        (all(&ours) == all(&server)).then(|| assert_eq!(ours, server))
    });
    for (process, mut keeper) in old {
        keeper.query("commit");
        drop(keeper);
        process.await_phase("Stopped");
    }
    heard.agrees_with(cluster, database);
    assert_eq!(serving.metric("pgvitals_panics_total"), 0.0);
    heard.ends
}

#[test]
fn a_process_follows_another_and_clients_that_reconnect_see_no_end() {
    let ends = roll("clients", 3);
    assert!(ends.is_empty(), "{ends:?}");
}

/// "Processes that share a port follow each other without a lost, doubled or doubtful transaction." (docs/transparency.md)
#[test]
fn behind_a_balancer_sessions_are_told_between_their_transactions_and_no_commit_is_in_doubt() {
    let ends = roll("transactions", 1_000_000);
    assert!(ends.keys().eq(["told 57P01"]), "{ends:?}");
}

/// "requests to cancel": the new process doesn't know the key, and carries it to the server all the same.
#[test]
fn a_session_of_the_old_process_is_cancelled_through_the_new_one() {
    let old = process(ANY_PORT, "transactions");
    let mut client = Client::connect(old.address(), "postgres");
    let key = client.key.clone().unwrap();
    client.query("begin");
    client.send(&bytes_of![query(LONG)]);
    client.until(b'N');
    let _new = process(old.address().clone(), "transactions");
    old.signal("TERM");
    await_closed(&old);
    cancel(old.address(), key);
    let frames = client.until(b'Z');
    assert_eq!(frames[0].field(b'C').as_deref(), Some("57014"), "{frames:?}");
    client.query("rollback");
    client.is_told_of_the_end();
    old.await_phase("Stopped");
}
