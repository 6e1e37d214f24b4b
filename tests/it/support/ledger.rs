//! A load that notices a transaction that is lost or done twice, whatever happens to sessions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::address::Address;
use super::client::{Client, End, query};
use super::postgres::Cluster;
use crate::bytes_of;

const CLIENTS: usize = 8;

/// A table that clients book in: who is not sure whether an entry is there looks before he books it again.
pub(crate) struct Ledger<'a> {
    address: &'a Address,
    database: &'a str,
    /// Entries of one session; then its client connects anew.
    entries: u64,
    next: AtomicU64,
    closed: AtomicBool,
}

/// What a client went through.
enum Tale {
    /// The entry is there: acknowledged, or found.
    Booked { id: u64, found: bool },
    /// The session, or the attempt to have one, ended; whether its COMMIT had been sent.
    Ended { end: End, committing: bool },
}

impl<'a> Ledger<'a> {
    /// A new one in the database, booked in over `address`.
    pub(crate) fn new(cluster: &Cluster, address: &'a Address, database: &'a str, entries: u64) -> Self {
        cluster.client(database).query("create table ledger (id bigint)");
        Self { address, database, entries, next: AtomicU64::new(0), closed: AtomicBool::new(false) }
    }

    /// Clients book until `meanwhile` is over.
    pub(crate) fn booked_while(&self, meanwhile: impl FnOnce(&mut Heard)) -> Heard {
        let (tell, told) = sync_channel(1 << 20);
        let mut heard = Heard { told, booked: Vec::new(), found: 0, ends: BTreeMap::new() };
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let tell = tell.clone();
                scope.spawn(move || self.book(&tell));
            }
            drop(tell);
            // Whatever goes wrong there, the clients must not book for ever.
            let _close = Close(&self.closed);
            meanwhile(&mut heard);
        });
        while let Ok(tale) = heard.told.try_recv() {
            heard.take(tale);
        }
        heard
    }

    /// One client's life.
    fn book(&self, tell: &SyncSender<Tale>) {
        let mut session = None;
        let mut entries = 0;
        while !self.closed.load(Relaxed) {
            let id = self.next.fetch_add(1, Relaxed);
            let mut found = false;
            while let Err((end, committing)) = self.enter(&mut session, id) {
                session = None;
                tell.send(Tale::Ended { end, committing }).unwrap();
                found = committing && self.find(&mut session, id);
                if found {
                    break;
                }
            }
            tell.send(Tale::Booked { id, found }).unwrap();
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

struct Close<'a>(&'a AtomicBool);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// What all clients told.
pub(crate) struct Heard {
    told: Receiver<Tale>,
    booked: Vec<u64>,
    /// Entries whose acknowledgement was lost.
    pub(crate) found: usize,
    /// Ends of sessions, by what they looked like.
    pub(crate) ends: BTreeMap<String, u64>,
}

impl Heard {
    /// Listens to this many more entries.
    #[track_caller]
    pub(crate) fn listen(&mut self, entries: usize) {
        let until = self.booked.len() + entries;
        while self.booked.len() < until {
            let tale = self.told.recv().expect("clients that book");
            self.take(tale);
        }
    }

    fn take(&mut self, tale: Tale) {
        match tale {
            Tale::Booked { id, found } => {
                self.booked.push(id);
                self.found += usize::from(found);
            }
            Tale::Ended { end, committing } => {
                let when = if committing { ", its COMMIT sent" } else { "" };
                *self.ends.entry(format!("{end}{when}")).or_default() += 1;
            }
        }
    }

    /// COMMITs that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        (self.booked.len() - self.found) as u64
    }

    /// Each entry is there exactly once, and no other.
    #[track_caller]
    pub(crate) fn agrees_with(&self, cluster: &Cluster, database: &str) {
        let rows = cluster.client(database).query("select id from ledger order by id");
        let there: Vec<u64> = rows.iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect();
        let lost: Vec<_> = self.booked.iter().filter(|id| there.binary_search(id).is_err()).collect();
        let doubled: Vec<_> = there.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(lost.is_empty() && doubled.is_empty(), "lost: {lost:?}, doubled: {doubled:?}, after {:?}", self.ends);
        assert_eq!(there.len(), self.booked.len(), "entries that nobody booked");
    }
}
