//! What to do, in one list: what averts a standstill first, then what saves most.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::bloat::{Bloated, Cause};
use crate::analyze::days::DayFigures;
use crate::analyze::explain::explain;
use crate::analyze::holder;
use crate::analyze::indexes::{self, IndexUse, Status};
use crate::analyze::kind::{Kind, Unit};
use crate::analyze::level::{Bloat, Use};
use crate::analyze::redundant::{Redundancy, Redundant};
use crate::snapshot::relation::Key;
use crate::snapshot::set::Set;

/// What it saves.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Saves {
    /// It averts a standstill.
    pub standstill: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// Time of the server, in ms a day.
    pub ms_per_day: f64,
}

/// One thing to do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recommendation {
    /// What kind of thing: `drop_index`, `vacuum`…
    pub kind: String,
    /// To what, as an alert names it.
    pub subject: String,
    /// The database to run it in.
    pub database: Option<String>,
    /// What it saves.
    pub saves: Saves,
    /// Why, as a sentence.
    pub evidence: String,
    /// What to run; `None` where it takes thought.
    pub statement: Option<String>,
    /// What undoes it.
    pub undo: Option<String>,
    /// What can go wrong.
    pub risk: String,
}

/// What recommendations are made of.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The last snapshot.
    pub set: &'a Set,
    /// Use of its indexes.
    pub uses: &'a [IndexUse<'a>],
    /// Its redundant indexes.
    pub redundant: &'a [Redundant<'a>],
    /// Its tables' and indexes' bloat.
    pub bloated: &'a [Bloated<'a>],
    /// What is beyond a threshold.
    pub findings: &'a [Finding],
    /// Statements that got slower.
    pub worse: &'a [DayFigures<'a>],
    /// Less wasted than this is left alone.
    pub bloat_min_wasted_bytes: u64,
    /// What all statements take a day, to tell how much a saving is.
    pub total_ms_per_day: f64,
}

/// The list, the most important first.
pub fn recommend(facts: &Facts<'_>) -> Vec<Recommendation> {
    let mut list = Vec::new();
    let mut gone: BTreeSet<Key> = BTreeSet::new();
    list.extend(standstills(facts));
    list.extend(facts.uses.iter().filter_map(|one| unused(one, &mut gone)));
    for index in indexes::invalid(facts.set) {
        gone.insert(index.key);
        list.push(invalid(index));
    }
    // What stands for another must stay itself.
    let unused_ones = gone.clone();
    let redundant = facts.redundant.iter().filter(|one| !unused_ones.contains(&one.by.key));
    list.extend(redundant.filter(|one| gone.insert(one.index.key)).map(self::redundant));
    let wasted =
        |one: &&Bloated<'_>| one.level >= Some(Bloat::Warning) && one.wasted_bytes() >= facts.bloat_min_wasted_bytes;
    let bloated = facts.bloated.iter().filter(wasted).filter(|one| !gone.contains(&one.key));
    list.extend(bloated.filter_map(self::bloated));
    list.extend(facts.worse.iter().map(|one| slower(one, facts.set.server.version_number)));
    let whole = Whole { bytes: bytes(facts.set), ms_per_day: facts.total_ms_per_day };
    list.sort_by(|a, b| order((a, &whole), (b, &whole)));
    list
}

/// What a saving is a part of.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Whole {
    /// Of all databases.
    pub bytes: u64,
    /// What all statements take.
    pub ms_per_day: f64,
}

/// The most important first: what averts a standstill, then what saves the larger part of its own whole.
pub fn order((a, whole_of_a): (&Recommendation, &Whole), (b, whole_of_b): (&Recommendation, &Whole)) -> Ordering {
    let urgent = b.saves.standstill.cmp(&a.saves.standstill);
    let share = whole_of_b.share(&b.saves).total_cmp(&whole_of_a.share(&a.saves));
    urgent.then(share).then_with(|| a.subject.cmp(&b.subject))
}

impl Whole {
    fn share(&self, saves: &Saves) -> f64 {
        saves.bytes as f64 / self.bytes.max(1) as f64 + saves.ms_per_day / self.ms_per_day.max(1.0)
    }
}

/// Of all databases of a server.
pub fn bytes(set: &Set) -> u64 {
    set.databases.iter().filter_map(|database| database.figures.size_bytes).sum()
}

fn new(kind: &str, subject: &Subject, evidence: impl Into<String>, risk: &str) -> Recommendation {
    Recommendation {
        kind: kind.to_owned(),
        subject: subject.to_string(),
        database: subject.database.clone(),
        saves: Saves::default(),
        evidence: evidence.into(),
        statement: None,
        undo: None,
        risk: risk.to_owned(),
    }
}

/// What would stop the server or its application.
fn standstills(facts: &Facts<'_>) -> Vec<Recommendation> {
    let mut list = Vec::new();
    for finding in facts.findings {
        let (kind, risk) = match finding.kind {
            Kind::Wraparound => ("freeze", "VACUUM reads whole tables; it locks nobody out"),
            Kind::SequenceExhaustion => ("widen_key", "changing a column's type writes its table anew, under a lock"),
            Kind::ReplicationSlot => ("drop_slot", "who read from the slot must begin anew"),
            Kind::DiskForecast => ("disk", "none"),
            _ => continue,
        };
        let saves = Saves { standstill: true, ..Saves::default() };
        let statement = match finding.kind {
            Kind::ReplicationSlot => {
                let name = crate::analyze::quote::literal(&finding.subject.name);
                Some(format!("SELECT pg_drop_replication_slot({name});"))
            }
            Kind::Wraparound => Some("VACUUM (FREEZE, VERBOSE);".to_owned()),
            Kind::SequenceExhaustion => widen(facts.set, &finding.subject),
            _ => None,
        };
        list.push(Recommendation { saves, statement, ..new(kind, &finding.subject, &finding.message, risk) });
    }
    for holder in holder::overdue(facts.set) {
        let evidence =
            format!("{} has been open for more than a day; vacuum can't remove what died since", holder.what);
        let base = new("end_transaction", &Subject::named(&holder.what), evidence, "what it did so far is rolled back");
        let saves = Saves { standstill: true, ..Saves::default() };
        list.push(Recommendation { saves, statement: Some(holder.statement), ..base });
    }
    list
}

/// What gives a sequence's column room.
fn widen(set: &Set, subject: &Subject) -> Option<String> {
    use crate::analyze::quote::{name, qualified};
    let database = set.databases.iter().find(|one| Some(&one.name) == subject.database.as_ref())?;
    let sequence = database.sequences.iter().find(|one| format!("{}.{}", one.schema, one.name) == subject.name)?;
    let column = sequence.column.as_ref().filter(|column| column.data_type != "bigint")?;
    let (table, named) = (qualified(&column.schema, &column.table), name(&column.column));
    let own = qualified(&sequence.schema, &sequence.name);
    Some(format!("ALTER TABLE {table} ALTER COLUMN {named} TYPE bigint;\nALTER SEQUENCE {own} AS bigint;"))
}

fn unused(one: &IndexUse<'_>, gone: &mut BTreeSet<Key>) -> Option<Recommendation> {
    if !matches!(one.status, Status::Used(Use::Unused | Use::Drop)) || !gone.insert(one.index.key) {
        return None;
    }
    let risk = match one.check_first.as_slice() {
        [] => "a query that needs it once a quarter is slow until the index is back".to_owned(),
        checks => format!("look first: {}", checks.join("; ")),
    };
    Some(Recommendation {
        saves: Saves { bytes: one.index.figures.size_bytes, ..Saves::default() },
        statement: one.statement.clone(),
        undo: one.undo.clone(),
        ..new("drop_index", &indexes::subject(one.index), &one.reason, &risk)
    })
}

fn invalid(index: &crate::snapshot::index::Index) -> Recommendation {
    let evidence = "it is invalid: it costs writes and serves no query".to_owned();
    Recommendation {
        saves: Saves { bytes: index.figures.size_bytes, ..Saves::default() },
        statement: Some(indexes::mend(index)),
        ..new(
            "invalid_index",
            &indexes::subject(index),
            evidence,
            "none, unless somebody is building it at this moment",
        )
    }
}

fn redundant(one: &Redundant<'_>) -> Recommendation {
    let by = &one.by.names.index;
    let (kind, evidence, risk) = match one.how {
        Redundancy::Duplicate => {
            let is_named = one.index.definition.constraint.is_some();
            let risk = if is_named { "ON CONFLICT ON CONSTRAINT that names it fails" } else { "none" };
            ("duplicate_index", format!("{by} is the same"), risk)
        }
        Redundancy::Prefix => (
            "redundant_index",
            format!("{by} begins with the same columns"),
            "scans of the other one read a little more, for it is wider",
        ),
    };
    Recommendation {
        saves: Saves { bytes: one.index.figures.size_bytes, ..Saves::default() },
        statement: Some(one.statement.clone()),
        undo: one.undo.clone(),
        ..new(kind, &indexes::subject(one.index), evidence, risk)
    }
}

fn bloated(one: &Bloated<'_>) -> Option<Recommendation> {
    let bloat = one.bloat?;
    let (kind, risk) = match one.cause.as_ref()? {
        Cause::Held(_) => ("end_holder", "what the holder did so far is rolled back, or its standby must begin anew"),
        Cause::AutovacuumOff | Cause::SettingsTooLax => ("autovacuum", "vacuum runs more often, and each time shorter"),
        Cause::VacuumDue => ("vacuum", "it reads the table; it locks nobody out"),
        Cause::NeedsRepacking => ("repack", "it needs as much disk again while it runs, and a short lock at its end"),
        Cause::NeedsReindex => {
            ("reindex", "it needs as much disk again while it runs; an interrupted one leaves an invalid copy")
        }
    };
    let (percent, wasted) = (Unit::Percent.show(bloat.percent), Unit::Bytes.show(bloat.wasted_bytes as f64));
    let advice = one.advice.as_deref().unwrap_or_default();
    let evidence = format!("bloated by {percent}, {wasted} ({}): {advice}", bloat.method.as_str());
    Some(Recommendation {
        saves: Saves { bytes: bloat.wasted_bytes, ..Saves::default() },
        statement: one.statement.clone(),
        ..new(kind, &one.subject(), evidence, risk)
    })
}

/// A statement that got slower, on a server of this `server_version_num`.
pub fn slower(one: &DayFigures<'_>, version_number: u32) -> Recommendation {
    let known = &one.of.row.query;
    let database = one.of.row.database.as_deref().map(str::to_owned);
    let subject = Subject { database, query_hash: Some(known.query.hash), name: String::new() };
    let before = one.mean_ms_before.unwrap_or(one.mean_ms);
    let cause = one.cause().unwrap_or_else(|| "neither rows nor clients explain it, so its plan may".to_owned());
    let evidence = format!(
        "{} takes {} on average after {} in the week before, {} times on that day; {cause}",
        known.shown(),
        Unit::Millis.show(one.mean_ms),
        Unit::Millis.show(before),
        one.calls
    );
    let risk = "none: it plans for any values and executes nothing; with values in place of $1, $2…, EXPLAIN (ANALYZE, \
                BUFFERS) shows more and does run it";
    Recommendation {
        saves: Saves { ms_per_day: one.extra_ms, ..Saves::default() },
        statement: explain(&known.query, version_number),
        ..new("slower_statement", &subject, evidence, risk)
    }
}
