//! Indexes that another one makes unnecessary: equal ones, and btrees whose columns another one begins with.

use std::collections::BTreeMap;

use crate::analyze::quote::{create_index, drop_index};
use crate::snapshot::index::{Index, IndexDefinition};
use crate::snapshot::relation::Oid;
use crate::snapshot::set::Set;

/// How one index stands for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redundancy {
    /// They are equal in all that matters.
    Duplicate,
    /// It begins with the same columns.
    Prefix,
}

/// An index that could go because another one does its work.
#[derive(Clone, PartialEq, Debug)]
pub struct Redundant<'a> {
    /// The one that could go.
    pub index: &'a Index,
    /// The one that stays.
    pub by: &'a Index,
    /// How.
    pub how: Redundancy,
    /// What takes it away.
    pub statement: String,
    /// What brings it back; `None` of a constraint's.
    pub undo: Option<String>,
}

/// All of a set; each index at most once.
pub fn redundant(set: &Set) -> Vec<Redundant<'_>> {
    let mut tables: BTreeMap<(Oid, Oid), Vec<&Index>> = BTreeMap::new();
    let sound = |index: &&Index| index.root.is_none() && index.definition.is_valid && index.definition.is_ready;
    for index in set.indexes.iter().filter(sound) {
        tables.entry((index.key.database, index.table)).or_default().push(index);
    }
    tables.into_values().flat_map(of_table).collect()
}

fn of_table(mut indexes: Vec<&Index>) -> Vec<Redundant<'_>> {
    // The most valuable first: whatever is redundant is so because of one that stands before it.
    indexes.sort_by_key(|index| std::cmp::Reverse(value(index)));
    let mut kept: Vec<&Index> = Vec::new();
    let mut found = Vec::new();
    for index in indexes {
        match kept.iter().find(|other| is_equal(&index.definition, &other.definition)) {
            Some(by) if can_go(&index.definition) => found.push(because(index, by, Redundancy::Duplicate)),
            _ => kept.push(index),
        }
    }
    // Only ones that stay: else the last of a chain could lose its support.
    let longer = |index: &Index| {
        let begins = |other: &&&Index| is_prefix(&index.definition, &other.definition);
        kept.iter().filter(begins).max_by_key(|other| other.definition.columns.len()).copied()
    };
    let prefixes = kept.iter().filter(|index| !index.definition.enforces());
    found.extend(prefixes.filter_map(|index| Some(because(index, longer(index)?, Redundancy::Prefix))));
    found
}

fn because<'a>(index: &'a Index, by: &'a Index, how: Redundancy) -> Redundant<'a> {
    Redundant { index, by, how, statement: drop_index(index), undo: create_index(index) }
}

/// What an index is worth among equals: constraint, uniqueness, use, age.
fn value(index: &Index) -> (bool, bool, bool, bool, u64, std::cmp::Reverse<Oid>) {
    let definition = &index.definition;
    (
        !can_go(definition),
        definition.is_primary,
        definition.constraint.is_some(),
        definition.is_unique,
        index.figures.scans,
        std::cmp::Reverse(index.key.relation),
    )
}

/// Something rests on this very index, not only on its columns.
fn can_go(definition: &IndexDefinition) -> bool {
    definition.referenced_by.is_empty() && !definition.is_replica_identity && !definition.is_exclusion
}

/// All that decides which rows are found how. Uniqueness may differ: the unique one does the other's work, and stays.
fn is_equal(a: &IndexDefinition, b: &IndexDefinition) -> bool {
    let promise = |one: &IndexDefinition| (one.is_nulls_not_distinct, one.is_deferrable);
    let is_same_promise = !(a.is_unique && b.is_unique) || promise(a) == promise(b);
    a.method == b.method
        && a.columns == b.columns
        && a.include == b.include
        && a.predicate == b.predicate
        && a.is_exclusion == b.is_exclusion
        && is_same_promise
}

/// `a` finds nothing that `b` doesn't find as well.
fn is_prefix(a: &IndexDefinition, b: &IndexDefinition) -> bool {
    let covers = |column: &String| b.include.contains(column) || b.columns.iter().any(|key| key.text == *column);
    a.method == "btree"
        && b.method == "btree"
        && a.columns.len() < b.columns.len()
        && b.columns.starts_with(&a.columns)
        && a.predicate == b.predicate
        && a.include.iter().all(covers)
}
