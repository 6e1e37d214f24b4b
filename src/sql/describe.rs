//! What people are shown of a query beside its text, and the class that figures are split by. Made once per query, off
//! the statement path.

use hashbrown::HashSet;

use super::catalog;
use super::kind::{Class, Kind};
use super::query::{Pseudo, Query};
use super::relations::{Relations, Step};

/// Bytes of a summary (OpenTelemetry, `db.query.summary`: 255 characters).
const SUMMARY_BYTES_MAX: usize = 255;

/// What a canonical text says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// What the statement is for (DESIGN §4).
    pub class: Class,
    /// Operations and their targets in order, as `INSERT t SELECT o`; at most 255 bytes, cut between names.
    pub summary: Box<str>,
    /// Tables read and written, as written in the text, in order of appearance, unique. No CTEs, no table functions.
    pub tables: Vec<Box<str>>,
    /// Those that are read.
    pub reads: Vec<Box<str>>,
    /// Those that are written.
    pub writes: Vec<Box<str>>,
    /// Columns compared in WHERE and JOIN, as `table.column` where the table is known; unique.
    pub filters: Vec<Box<str>>,
}

/// Describes a query by its canonical text alone. Never fails; about linear in the text's length.
pub fn describe(query: &Query) -> Description {
    let mut description = Description {
        class: Class::Data,
        summary: query.text.clone(),
        tables: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        filters: Vec::new(),
    };
    let pseudo = if query.text.is_empty() { Some(Pseudo::Empty) } else { query.pseudo() };
    if let Some(pseudo) = pseudo {
        description.summary = pseudo.text().into();
        description.class = pseudo.class();
        return description;
    }
    let relations = Relations::of(&query.text, query.kind);
    description.summary = summary(&relations.steps);
    let mut seen = HashSet::new();
    for step in relations.steps {
        let (role, list, name) = match step {
            Step::Read(name) => ("read", &mut description.reads, name),
            Step::Write(name) => ("write", &mut description.writes, name),
            Step::Operation(_) | Step::Target(_) => continue,
        };
        if seen.insert((role, name.clone())) {
            list.push(name.clone());
        }
        if seen.insert(("table", name.clone())) {
            description.tables.push(name);
        }
    }
    description.filters = relations.filters;
    description.class = class(query, &description);
    description
}

fn summary(steps: &[Step]) -> Box<str> {
    let mut summary = String::new();
    for step in steps {
        let (Step::Operation(name) | Step::Read(name) | Step::Write(name) | Step::Target(name)) = step;
        if summary.len() + 1 + name.len() > SUMMARY_BYTES_MAX {
            break;
        }
        if !summary.is_empty() {
            summary.push(' ');
        }
        summary.push_str(name);
    }
    summary.into()
}

fn class(query: &Query, description: &Description) -> Class {
    match query.kind {
        Kind::Set | Kind::Reset | Kind::Show | Kind::Discard => Class::Session,
        Kind::Listen | Kind::Unlisten | Kind::Notify | Kind::Prepare | Kind::Deallocate => Class::Session,
        Kind::Begin | Kind::Commit | Kind::Rollback | Kind::Savepoint | Kind::Release => Class::Transaction,
        Kind::Ddl | Kind::Vacuum | Kind::Analyze => Class::Ddl,
        _ if &*query.text == "select $1" => Class::Probe,
        _ if is_introspection(description) => Class::Introspection,
        _ => Class::Data,
    }
}

fn is_introspection(description: &Description) -> bool {
    let reads = &description.reads;
    description.writes.is_empty() && !reads.is_empty() && reads.iter().all(|relation| catalog::is_system(relation))
}

#[cfg(test)]
#[path = "tests/describe.rs"]
mod tests;
