//! Who keeps dead rows alive: the oldest of transactions, prepared transactions, replication slots and standbys.

use crate::analyze::level::DAY;
use crate::analyze::quote::literal;
use crate::snapshot::set::Set;

/// Somebody for whose sake vacuum can't remove rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Who, for people.
    pub what: String,
    /// Transactions that began since its oldest.
    pub age: u64,
    /// What ends it.
    pub statement: String,
}

/// Rows this many transactions old may be needed by anybody; a holder below it does no harm.
pub const HARMLESS: u64 = 10_000;

/// The one that holds the oldest rows.
pub fn oldest(set: &Set) -> Option<Holder> {
    holders(set).into_iter().filter(|holder| holder.age > HARMLESS).max_by_key(|holder| holder.age)
}

/// All that are a day old, whatever they hold: sooner or later they hold everything.
pub fn overdue(set: &Set) -> Vec<Holder> {
    let is_old = |since: crate::base::units::WallTime| set.at.since(since) > DAY;
    let transactions = set.server.transactions.iter().filter(|one| !one.is_vacuum);
    let transactions = transactions.filter(|one| one.began_at.is_some_and(is_old)).map(transaction);
    let prepared = set.server.prepared.iter().filter(|one| is_old(one.prepared_at)).map(prepared);
    transactions.chain(prepared).collect()
}

/// Everybody who holds something.
fn holders(set: &Set) -> Vec<Holder> {
    let server = &set.server;
    let transactions = server.transactions.iter().filter(|one| !one.is_vacuum).map(transaction);
    let prepared = server.prepared.iter().map(prepared);
    let slots = server.slots.iter().filter_map(|slot| {
        let what = format!("replication slot {}", slot.name);
        let statement = format!("SELECT pg_drop_replication_slot({});", literal(&slot.name));
        Some(Holder { what, age: slot.xmin_age?, statement })
    });
    let standbys = server.standbys.iter().filter_map(|standby| {
        let what = format!("standby {} (hot_standby_feedback)", standby.name);
        let statement = "-- end the long query on the standby, or turn hot_standby_feedback off there".to_owned();
        Some(Holder { what, age: standby.xmin_age?, statement })
    });
    transactions.chain(prepared).chain(slots).chain(standbys).collect()
}

fn transaction(one: &crate::snapshot::holder::Transaction) -> Holder {
    let user = one.user.as_deref().unwrap_or("another role");
    let state = one.state.as_deref().unwrap_or("state unknown");
    let who = format!("{user} {}", one.application);
    let what = format!("the transaction of process {} ({}, {state})", one.pid, who.trim_end());
    let statement = format!("SELECT pg_terminate_backend({});", one.pid);
    Holder { what, age: one.xmin_age.unwrap_or_default(), statement }
}

fn prepared(one: &crate::snapshot::holder::Prepared) -> Holder {
    let what = format!("prepared transaction {} of {} in {}", one.gid, one.user, one.database);
    Holder { what, age: one.xid_age, statement: format!("ROLLBACK PREPARED {};", literal(&one.gid)) }
}
