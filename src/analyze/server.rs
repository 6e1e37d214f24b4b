//! A server's vital signs in a snapshot: connections, ids that run out, sequences, replication slots.

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::holder::{self, Holder};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Kind;
use crate::base::units::WallTime;
use crate::snapshot::holder::Slot;
use crate::snapshot::sequence::Sequence;
use crate::snapshot::server::Connections;
use crate::snapshot::set::Set;

/// Transaction ids and multixacts are compared modulo 2^32, so that half of it can lie between two.
pub const IDS: f64 = (1u64 << 31) as f64;

/// A slot that held so much back loses WAL, or fills the disk, whoever reads from it.
const SLOT_ALWAYS_BYTES: u64 = 64 << 30;

/// Of what a sequence can hand out, how much is gone in percent; `None` when it can't end, was never used, or can't be read.
pub fn sequence_used_percent(sequence: &Sequence) -> Option<f64> {
    if sequence.is_cycle {
        return None;
    }
    // From where it began: what lies before that is no room that it would ever use.
    let whole = (i128::from(sequence.limit) - i128::from(sequence.start)).abs();
    let used = i128::from(sequence.last_value?) - i128::from(sequence.start);
    let used = if sequence.increment < 0 { -used } else { used };
    Some(if whole == 0 { 100.0 } else { 100.0 * used.max(0) as f64 / whole as f64 })
}

/// How many values a sequence still has; `None` as above.
pub fn sequence_left(sequence: &Sequence) -> Option<u64> {
    if sequence.is_cycle {
        return None;
    }
    let left = i128::from(sequence.limit) - i128::from(sequence.last_value?);
    let left = if sequence.increment < 0 { -left } else { left };
    let steps = left.max(0) / i128::from(sequence.increment.unsigned_abs().max(1));
    Some(u64::try_from(steps).unwrap_or(u64::MAX))
}

/// Connections in use of those that applications can have, in percent.
pub fn connections_percent(connections: &Connections) -> f64 {
    let limit = connections.limit.saturating_sub(connections.reserved).max(1);
    100.0 * connections.used as f64 / limit as f64
}

impl Judge<'_> {
    /// Everything of a snapshot that is about the server, not about its tables and indexes.
    pub fn server(&self, set: &Set) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.connections(set));
        findings.extend(self.wraparound(set));
        findings.extend(self.sequences(set));
        findings.extend(set.server.slots.iter().filter_map(|slot| self.slot(set.at, slot)));
        findings
    }

    fn connections(&self, set: &Set) -> Option<Finding> {
        let connections = &set.server.connections;
        let percent = connections_percent(connections);
        self.finding(Kind::ConnectionSaturation, Subject::server(), set.at, percent, |shown, bound| {
            let idle = connections.idle_in_transaction;
            format!(
                "{} of {} connections are in use ({shown}, more than {bound}), {idle} of them idle in transaction; pool \
                 connections, or look for sessions that are never closed",
                connections.used,
                connections.limit.saturating_sub(connections.reserved)
            )
        })
    }

    fn wraparound(&self, set: &Set) -> Vec<Finding> {
        let mut findings = Vec::new();
        for database in &set.databases {
            let tables = || set.tables.iter().filter(|table| table.key.database == database.oid);
            let (xids, multixacts) = (database.figures.xid_age, database.figures.multixact_age);
            let ages = [
                (xids, "transaction ids", tables().max_by_key(|table| table.figures.xid_age)),
                (multixacts, "multixacts", tables().max_by_key(|table| table.figures.multixact_age)),
            ];
            for (age, what, oldest) in ages {
                let percent = 100.0 * age as f64 / IDS;
                let subject = Subject::of(&database.name, what);
                findings.extend(self.finding(Kind::Wraparound, subject, set.at, percent, |shown, _| {
                    let table = oldest.map_or_else(String::new, |table| {
                        format!(", most of all in {}.{}", table.names.schema, table.names.table)
                    });
                    let holder = holder::oldest(set).map_or_else(
                        || "vacuum the oldest tables, with VACUUM (FREEZE)".to_owned(),
                        |Holder { what, statement, .. }| format!("{what} holds vacuum back: {statement}"),
                    );
                    let name = &database.name;
                    format!("{name} has used {shown} of its {what}{table}; at 100 % the server stops; {holder}")
                }));
            }
        }
        findings
    }

    fn sequences(&self, set: &Set) -> Vec<Finding> {
        let sequences =
            set.databases.iter().flat_map(|database| database.sequences.iter().map(move |one| (database, one)));
        let findings = sequences.filter_map(|(database, sequence)| {
            let name = format!("{}.{}", sequence.schema, sequence.name);
            let percent = sequence_used_percent(sequence)?;
            let subject = Subject::of(&database.name, &name);
            self.finding(Kind::SequenceExhaustion, subject, set.at, percent, |shown, _| {
                let left = sequence_left(sequence).unwrap_or_default();
                let column = sequence.column.as_ref().map_or_else(String::new, |column| {
                    let (table, name, of) = (&column.table, &column.column, &column.data_type);
                    format!(" for {table}.{name} ({of})")
                });
                format!("{name} in {} has used {shown} of its values{column}; {left} are left", database.name)
            })
        });
        findings.collect()
    }

    fn slot(&self, at: WallTime, slot: &Slot) -> Option<Finding> {
        let subject = Subject::named(&slot.name);
        let retained = slot.retained_bytes.unwrap_or_default();
        let remedy =
            format!("read from it, or SELECT pg_drop_replication_slot({})", crate::analyze::quote::literal(&slot.name));
        if let Some(status @ ("unreserved" | "lost")) = slot.wal_status.as_deref() {
            let message =
                format!("replication slot {} is {status}: who reads from it must begin anew; {remedy}", slot.name);
            return self.critical(Kind::ReplicationSlot, subject, at, retained as f64, message);
        }
        if slot.is_active && retained < SLOT_ALWAYS_BYTES {
            return None;
        }
        self.finding(Kind::ReplicationSlot, subject, at, retained as f64, |shown, _| {
            let state = if slot.is_active { "is far behind" } else { "is used by nobody" };
            format!("replication slot {} {state} and holds back {shown} of WAL; {remedy}", slot.name)
        })
    }
}
