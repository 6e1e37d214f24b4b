//! "Rolling restart under load (two processes on one port, `SO_REUSEPORT`) with clients that reconnect: no transaction
//! lost, none doubled, counts exact over both." (issue 4, §2)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::bytes_of;
use crate::cancel::{cancel, ends_by};
use crate::support::address::{ANY_PORT, Address};
use crate::support::client::{Client, End, query};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::truth::counts::{Counts, our_counts, server_counts};

const CLIENTS: usize = 8;
/// Processes that are replaced while the clients go on.
const ROUNDS: usize = 4;
/// Transactions between the events of a round.
const TRANSACTIONS: usize = 200;

/// A ledger that clients book in: who is not sure whether an entry is there looks before he books it again.
struct Ledger<'a> {
    address: &'a Address,
    database: &'a str,
    /// Entries of one session; then its client connects anew.
    entries: u64,
    next: AtomicU64,
    closed: AtomicBool,
}

/// What a client went through.
#[derive(Debug)]
enum Tale {
    /// The entry was acknowledged, or found.
    Booked(u64),
    /// The session, or the attempt to have one, ended; whether its COMMIT had been sent.
    Ended { end: End, committing: bool },
}

impl Ledger<'_> {
    /// One client's life.
    fn book(&self, tell: &SyncSender<Tale>) {
        let mut session = None;
        let mut entries = 0;
        while !self.closed.load(Relaxed) {
            let id = self.next.fetch_add(1, Relaxed);
            while let Err((end, committing)) = self.enter(&mut session, id) {
                session = None;
                tell.send(Tale::Ended { end, committing }).unwrap();
                if committing && self.find(&mut session, id) {
                    break;
                }
            }
            tell.send(Tale::Booked(id)).unwrap();
            entries += 1;
            if entries % self.entries == 0 {
                session = None;
            }
        }
    }

    /// One transaction. An error tells whether its COMMIT was sent.
    fn enter(&self, session: &mut Option<Client>, id: u64) -> Result<(), (End, bool)> {
        let insert = format!("insert into ledger values ({id})");
        let statements = [("begin", false), (&insert[..], false), ("commit", true)];
        for (sql, committing) in statements {
            let client = self.session(session).map_err(|end| (end, false))?;
            let frames = client.try_ask(&bytes_of![query(sql)]).map_err(|end| (end, committing))?;
            assert!(frames.iter().all(|frame| frame.tag != b'E'), "{sql}: {frames:?}");
        }
        Ok(())
    }

    /// Whether the entry is there; asked until there is an answer.
    fn find(&self, session: &mut Option<Client>, id: u64) -> bool {
        let sql = format!("select id from ledger where id = {id}");
        loop {
            let asked = self.session(session).and_then(|client| client.try_ask(&bytes_of![query(&sql)]));
            match asked {
                Ok(frames) => return frames.iter().any(|frame| frame.tag == b'D'),
                Err(_) => *session = None,
            }
        }
    }

    fn session<'s>(&self, session: &'s mut Option<Client>) -> Result<&'s mut Client, End> {
        let client = match session.take() {
            Some(client) => client,
            None => Client::try_connect(self.address, self.database)?,
        };
        Ok(session.insert(client))
    }
}

/// What all clients told.
#[derive(Default)]
struct Heard {
    booked: Vec<u64>,
    /// Ends of sessions, by what they looked like.
    ends: BTreeMap<String, u64>,
}

impl Heard {
    /// Listens to this many more entries.
    fn listen(&mut self, told: &Receiver<Tale>, entries: usize) {
        let until = self.booked.len() + entries;
        while self.booked.len() < until {
            self.take(told.recv().unwrap());
        }
    }

    fn take(&mut self, tale: Tale) {
        match tale {
            Tale::Booked(id) => self.booked.push(id),
            Tale::Ended { end, committing } => {
                *self.ends.entry(format!("{end}, committing: {committing}")).or_default() += 1
            }
        }
    }
}

/// A process on `address`, which others share.
fn process(address: Address, mode: &str) -> Pgvitals {
    let setup = Setup::default().route(address, &Cluster::any().tcp).switch("reuse-port");
    setup.flag("drain-mode", mode).flag("drain-timeout", "600s").start()
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
    cluster.client(database).query("create table ledger (id bigint)");
    let reset = "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname";
    cluster.client("postgres").query(&format!("{reset} = '{database}'"));
    let mut serving = process(ANY_PORT, mode);
    let address = &serving.address().clone();
    let ledger = &Ledger { address, database, entries, next: AtomicU64::new(0), closed: AtomicBool::new(false) };
    let (tell, told) = sync_channel(1 << 20);
    let mut heard = Heard::default();
    // Old processes with the session that keeps each, and so its counts; in another database, so that it is in none.
    let mut old = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let tell = tell.clone();
            scope.spawn(move || ledger.book(&tell));
        }
        drop(tell);
        for _ in 0..ROUNDS {
            let mut keeper = Client::connect(address, "postgres");
            keeper.query("begin");
            heard.listen(&told, TRANSACTIONS);
            let next = process(address.clone(), mode);
            heard.listen(&told, TRANSACTIONS);
            serving.signal("TERM");
            let closed = |line: &str| line.contains("others serve this address").then_some(());
            serving.keeper.log.await_line("a closed listener", closed);
            heard.listen(&told, TRANSACTIONS);
            old.push((std::mem::replace(&mut serving, next), keeper));
        }
        ledger.closed.store(true, Relaxed);
        told.iter().for_each(|tale| heard.take(tale));
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
    let rows = cluster.client(database).query("select id from ledger order by id");
    let there: Vec<u64> = rows.iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect();
    heard.booked.sort_unstable();
    assert_eq!(there, heard.booked, "entries that were lost or doubled");
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
    assert!(ends.keys().eq(["told 57P01, committing: false"]), "{ends:?}");
}

/// "requests to cancel": the new process doesn't know the key, and carries it to the server all the same.
#[test]
fn a_session_of_the_old_process_is_cancelled_through_the_new_one() {
    let old = process(ANY_PORT, "transactions");
    let mut client = Client::connect(old.address(), "postgres");
    let key = client.key.clone().unwrap();
    client.query("begin");
    let _new = process(old.address().clone(), "transactions");
    old.signal("TERM");
    old.await_phase("Draining");
    ends_by(&mut client, || cancel(old.address(), key));
    client.is_told_of_the_end();
    old.await_phase("Stopped");
}
