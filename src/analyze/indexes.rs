//! Which indexes are used, which could go, and which never (FIELD (b)).

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::evidence::{self, Evidence};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Kind;
use crate::analyze::level::{IndexLevels, Use};
use crate::analyze::quote::{create_index, drop_index};
use crate::base::units::Nanos;
use crate::snapshot::history::History;
use crate::snapshot::index::{Index, IndexDefinition};
use crate::snapshot::set::Set;

/// What is said of an index's use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// By its last use.
    Used(Use),
    /// It was not watched long enough to say.
    NotEnoughHistory,
}

impl Status {
    /// The name that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Used(level) => level.as_str(),
            Status::NotEnoughHistory => "not_enough_history",
        }
    }
}

/// An index with what is to be said of it.
#[derive(Clone, PartialEq, Debug)]
pub struct IndexUse<'a> {
    /// The index; of a partitioned table the topmost, with sums of all partitions.
    pub index: &'a Index,
    /// What was seen.
    pub evidence: Evidence,
    /// The verdict.
    pub status: Status,
    /// Why it never goes, whatever its use.
    pub keep: Option<&'static str>,
    /// What to look at before it goes.
    pub check_first: Vec<String>,
    /// The verdict as a sentence.
    pub reason: String,
    /// What takes it away, where that is the advice.
    pub statement: Option<String>,
    /// What brings it back.
    pub undo: Option<String>,
}

/// All indexes of a set, but the parts of a partitioned one: none of these can go alone.
pub fn uses<'a>(set: &'a Set, history: &History, levels: &IndexLevels) -> Vec<IndexUse<'a>> {
    let whole = set.indexes.iter().filter(|index| index.root.is_none());
    whole.map(|index| judge(index, set, history, levels)).collect()
}

fn judge<'a>(index: &'a Index, set: &Set, history: &History, levels: &IndexLevels) -> IndexUse<'a> {
    let samples = history.indexes.get(&index.key).map_or(&[][..], Vec::as_slice);
    let rounds = history.rounds.get(&index.key.database).map_or(&[][..], Vec::as_slice);
    let evidence = evidence::of(samples, rounds).unwrap_or_default();
    let keep = keep(&index.definition);
    let check_first = check_first(index, set);
    let mut status = status(index, &evidence, levels);
    let is_idle = matches!(status, Status::Used(Use::Unused | Use::Drop));
    if is_idle && keep.is_some() {
        status = Status::Used(Use::LowUsage);
    } else if status == Status::Used(Use::Drop) && !check_first.is_empty() {
        status = Status::Used(Use::Unused);
    }
    let goes = is_idle && keep.is_none();
    let reason = reason(&evidence, status, keep, &check_first, levels);
    let statement = goes.then(|| drop_index(index));
    let undo = if goes { create_index(index) } else { None };
    IndexUse { index, evidence, status, keep, check_first, reason, statement, undo }
}

/// By the evidence alone. What was not used for long must have been watched for as long.
fn status(index: &Index, evidence: &Evidence, levels: &IndexLevels) -> Status {
    let level = |ago| levels.level(ago, index.figures.size_bytes);
    match evidence.last_used_ago.map(level) {
        Some(used @ (Use::Active | Use::LowUsage)) => Status::Used(used),
        _ => match level(evidence.unused) {
            idle @ (Use::Unused | Use::Drop) => Status::Used(idle),
            _ => Status::NotEnoughHistory,
        },
    }
}

/// Why an index must not go.
fn keep(definition: &IndexDefinition) -> Option<&'static str> {
    let reasons = [
        (definition.is_primary, "it is the primary key"),
        (definition.is_exclusion, "it enforces an exclusion constraint"),
        (definition.is_unique, "it enforces uniqueness"),
        (definition.is_replica_identity, "it is the replica identity"),
        (definition.constraint.is_some(), "a constraint rests on it"),
        (!definition.referenced_by.is_empty(), "foreign keys of other tables rest on it"),
        (definition.is_building, "it is being built"),
        (!definition.is_valid || !definition.is_ready, "it is invalid, which is a finding by itself"),
    ];
    reasons.into_iter().find_map(|(holds, why)| holds.then_some(why))
}

/// What an unused index may yet be good for.
fn check_first(index: &Index, set: &Set) -> Vec<String> {
    let definition = &index.definition;
    let mut checks = Vec::new();
    if let [keys @ .., last] = definition.foreign_keys.as_slice() {
        let keys = keys.iter().map(|key| format!("{key}, ")).collect::<String>();
        checks.push(format!("deletes and updates of the tables that {keys}{last} refer to would scan this table"));
    }
    if definition.has_expressions() {
        checks.push("statistics of its expressions serve plans that never scan it".to_owned());
    }
    if definition.is_clustered {
        checks.push("CLUSTER uses it".to_owned());
    }
    if !set.server.standbys.is_empty() {
        checks.push("queries on a standby may use it, and are not counted here".to_owned());
    }
    if set.server.is_standby {
        checks.push("this is a standby: the primary's queries may use it, and only there can it be dropped".to_owned());
    }
    checks
}

fn reason(
    evidence: &Evidence,
    status: Status,
    keep: Option<&str>,
    check_first: &[String],
    levels: &IndexLevels,
) -> String {
    let days = |span: Nanos| (span.as_secs_f64() / 86_400.0).floor();
    let watched = days(evidence.unused);
    let unused = days(evidence.last_used_ago.unwrap_or(evidence.unused));
    let seen = match (status, evidence.last_used) {
        (Status::NotEnoughHistory, _) => {
            let needed = days(levels.unused);
            let why = if evidence.has_holes { ", with gaps or a reset in between" } else { "" };
            return format!("no use seen in {watched} days{why}; {needed} are needed to say that it is unused");
        }
        (Status::Used(Use::Active), _) => "used in the last days".to_owned(),
        (Status::Used(_), Some(_)) => format!("not used for {unused} days"),
        (Status::Used(_), None) => format!("never used in the {watched} days that were watched"),
    };
    let but = keep.map_or_else(String::new, |why| format!("; to be kept, because {why}"));
    let is_idle = matches!(status, Status::Used(Use::Unused | Use::Drop));
    let first = if is_idle && !check_first.is_empty() {
        format!("; look first: {}", check_first.join("; "))
    } else {
        String::new()
    };
    format!("{seen}{but}{first}")
}

/// Indexes that serve no query and are not being built.
pub fn invalid(set: &Set) -> Vec<&Index> {
    let dead =
        |index: &&Index| (!index.definition.is_valid || !index.definition.is_ready) && !index.definition.is_building;
    set.indexes.iter().filter(|index| index.root.is_none()).filter(dead).collect()
}

/// What makes an invalid index valid, or takes it away.
pub fn mend(index: &Index) -> String {
    let names = &index.names;
    let named = crate::analyze::quote::qualified(&names.schema, &names.index);
    // What REINDEX CONCURRENTLY left behind is a copy of one that is there.
    let stem = names.index.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_left = stem.ends_with("_ccnew") || stem.ends_with("_ccold");
    if index.definition.is_partitioned {
        format!("-- attach an index of each partition: ALTER INDEX {named} ATTACH PARTITION …;")
    } else if is_left {
        format!("DROP INDEX CONCURRENTLY {named};")
    } else {
        format!("REINDEX INDEX CONCURRENTLY {named};")
    }
}

impl Judge<'_> {
    /// *Unused large index*, *invalid index*.
    pub fn indexes(&self, set: &Set, uses: &[IndexUse<'_>]) -> Vec<Finding> {
        let dropped = uses.iter().filter(|one| one.status == Status::Used(Use::Drop));
        let unused = dropped.filter_map(|one| {
            let days = one.evidence.unused.as_secs_f64() / 86_400.0;
            let size = crate::analyze::kind::Unit::Bytes.show(one.index.figures.size_bytes as f64);
            self.finding(Kind::UnusedIndex, subject(one.index), set.at, days, |shown, _| {
                let names = &one.index.names;
                let statement = one.statement.as_deref().unwrap_or_default();
                let (schema, index) = (&names.schema, &names.index);
                format!("index {schema}.{index} on {} ({size}) was not used for {shown}: {statement}", names.table)
            })
        });
        let invalid = invalid(set).into_iter().filter_map(|index| {
            self.finding(Kind::InvalidIndex, subject(index), set.at, 1.0, |_, _| {
                let names = &index.names;
                let (schema, name) = (&names.schema, &names.index);
                format!(
                    "index {schema}.{name} on {} is invalid: it costs writes and serves no query: {}",
                    names.table,
                    mend(index)
                )
            })
        });
        unused.chain(invalid).collect()
    }
}

/// An index as an alert names it.
pub fn subject(index: &Index) -> Subject {
    Subject::of(&index.names.database, format!("{}.{}", index.names.schema, index.names.index))
}
