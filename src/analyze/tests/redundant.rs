//! Duplicates and prefixes; each thing forgotten would be a false alarm.

use super::support::{index, set};
use crate::analyze::redundant::{Redundancy, redundant};
use crate::snapshot::index::{Index, IndexColumn};
use crate::snapshot::relation::Oid;

/// Who could go because of whom.
fn found(indexes: Vec<Index>) -> Vec<(String, String, Redundancy)> {
    let set = crate::snapshot::set::Set { indexes, ..set() };
    let named = redundant(&set).into_iter().map(|one| {
        let name = |index: &Index| index.names.index.clone();
        (name(one.index), name(one.by), one.how)
    });
    named.collect()
}

fn pair(index: &str, by: &str, how: Redundancy) -> Vec<(String, String, Redundancy)> {
    vec![(index.to_owned(), by.to_owned(), how)]
}

fn changed(oid: u32, name: &str, columns: &[&str], change: impl Fn(&mut Index)) -> Index {
    let mut one = index(oid, name, columns);
    change(&mut one);
    one
}

#[test]
fn of_equal_ones_the_older_stays() {
    let two = vec![index(10, "old", &["a", "b"]), index(11, "new", &["a", "b"])];
    assert_eq!(found(two), pair("new", "old", Redundancy::Duplicate));
}

#[test]
fn of_equal_ones_the_constraint_s_the_unique_and_the_used_stay() {
    let plain = || index(10, "plain", &["a"]);
    let unique = |oid| changed(oid, "unique", &["a"], |one| one.definition.is_unique = true);
    let constraint = |oid| {
        changed(oid, "constraint", &["a"], |one| {
            one.definition.is_unique = true;
            one.definition.constraint = Some("constraint".into());
        })
    };
    let used = |oid| changed(oid, "used", &["a"], |one| one.figures.scans = 5);
    let duplicate = Redundancy::Duplicate;
    assert_eq!(found(vec![plain(), used(11)]), pair("plain", "used", duplicate));
    assert_eq!(found(vec![used(10), unique(11)]), pair("used", "unique", duplicate));
    assert_eq!(found(vec![unique(10), constraint(11)]), pair("unique", "constraint", duplicate));
    let three = found(vec![plain(), unique(11), constraint(12)]);
    assert_eq!(three.iter().map(|(index, _, _)| index.as_str()).collect::<Vec<_>>(), ["unique", "plain"]);
}

#[test]
fn what_others_rest_on_stays_even_as_a_duplicate() {
    let referenced = |oid, name: &str| {
        changed(oid, name, &["a"], |one| {
            one.definition.is_unique = true;
            one.definition.referenced_by = vec!["fk".into()];
        })
    };
    assert_eq!(found(vec![referenced(10, "one"), referenced(11, "two")]), []);
    let primary = changed(9, "primary", &["a"], |one| {
        (one.definition.is_unique, one.definition.is_primary) = (true, true);
        one.definition.constraint = Some("primary".into());
    });
    assert_eq!(found(vec![primary, referenced(11, "two")]), pair("primary", "two", Redundancy::Duplicate));
}

#[test]
fn whatever_differs_makes_them_different() {
    let differences: [fn(&mut Index); 11] = [
        |one| one.definition.method = "hash".into(),
        |one| one.definition.columns.swap(0, 1),
        |one| one.definition.columns[0].opclass = "pg_catalog.text_pattern_ops".into(),
        |one| one.definition.columns[0].collation = "pg_catalog.C".into(),
        |one| one.definition.columns[0].is_descending = true,
        |one| one.definition.columns[0].is_nulls_first = true,
        |one| one.definition.columns[0].text = "lower(a)".into(),
        |one| one.definition.include = vec!["c".into()],
        |one| one.definition.predicate = Some("(a > 1)".into()),
        |one| one.table = Oid(2),
        |one| one.key.database = Oid(6),
    ];
    for (case, difference) in differences.into_iter().enumerate() {
        let two = vec![index(10, "one", &["a", "b"]), changed(11, "two", &["a", "b"], difference)];
        assert_eq!(found(two), [], "case {case}");
    }
    let unique = |oid, name: &str, is_distinct: bool| {
        changed(oid, name, &["a"], |one| {
            one.definition.is_unique = true;
            one.definition.is_nulls_not_distinct = !is_distinct;
        })
    };
    assert_eq!(found(vec![unique(10, "one", true), unique(11, "two", false)]), []);
    // A plain one finds the same rows either way.
    let plain = index(12, "plain", &["a"]);
    assert_eq!(found(vec![unique(10, "one", false), plain]), pair("plain", "one", Redundancy::Duplicate));
}

/// Without the second ON CONFLICT (a) fails: it can't go by a key that is checked later.
#[test]
fn a_unique_index_that_is_checked_at_once_is_no_duplicate_of_a_deferrable_key() {
    let deferrable = changed(10, "key", &["a"], |one| {
        (one.definition.is_unique, one.definition.is_primary, one.definition.is_deferrable) = (true, true, true);
        one.definition.constraint = Some("key".into());
    });
    let at_once = changed(11, "at_once", &["a"], |one| one.definition.is_unique = true);
    assert_eq!(found(vec![deferrable.clone(), at_once]), []);
    let plain = index(12, "plain", &["a"]);
    assert_eq!(found(vec![deferrable, plain]), pair("plain", "key", Redundancy::Duplicate));
}

#[test]
fn a_btree_that_another_begins_with_is_redundant() {
    let long = || index(10, "long", &["a", "b", "c"]);
    let prefix = Redundancy::Prefix;
    assert_eq!(found(vec![index(11, "short", &["a"]), long()]), pair("short", "long", prefix));
    let two = found(vec![index(11, "short", &["a"]), index(12, "middle", &["a", "b"]), long()]);
    assert!(two.iter().all(|(_, by, how)| by == "long" && *how == prefix) && two.len() == 2, "{two:?}");
    assert_eq!(found(vec![index(11, "other", &["b"]), long()]), []);
    let covers = changed(11, "covers", &["a"], |one| one.definition.include = vec!["b".into()]);
    assert_eq!(found(vec![covers, long()]), pair("covers", "long", prefix));
    let more = changed(11, "more", &["a"], |one| one.definition.include = vec!["d".into()]);
    assert_eq!(found(vec![more, long()]), []);
}

#[test]
fn a_shorter_one_that_enforces_or_is_no_btree_is_not() {
    let long = || index(10, "long", &["a", "b"]);
    let kept: [fn(&mut Index); 5] = [
        |one| one.definition.is_unique = true,
        |one| one.definition.is_replica_identity = true,
        |one| one.definition.method = "hash".into(),
        |one| one.definition.predicate = Some("(b > 1)".into()),
        |one| one.definition.columns[0].is_descending = true,
    ];
    for (case, change) in kept.into_iter().enumerate() {
        assert_eq!(found(vec![changed(11, "short", &["a"], change), long()]), [], "case {case}");
    }
    let gist = |oid, name, columns: &[&str]| changed(oid, name, columns, |one| one.definition.method = "gist".into());
    assert_eq!(found(vec![gist(10, "short", &["a"]), gist(11, "long", &["a", "b"])]), []);
}

#[test]
fn invalid_ones_and_partitions_support_nobody_and_are_found_elsewhere() {
    let invalid = || changed(10, "invalid", &["a", "b"], |one| one.definition.is_valid = false);
    assert_eq!(found(vec![invalid(), index(11, "short", &["a"])]), []);
    assert_eq!(found(vec![invalid(), index(11, "same", &["a", "b"])]), []);
    let part = |oid| changed(oid, "part", &["a"], |one| one.root = Some(Oid(99)));
    assert_eq!(found(vec![part(10), part(11)]), []);
}

#[test]
fn no_index_that_supports_another_goes() {
    // Whatever there is: who stands for a redundant one is never redundant itself.
    let columns = ["a", "b", "c"];
    let mut indexes = Vec::new();
    for oid in 0..40u32 {
        let mut one = index(oid, &format!("i{oid}"), &columns[..1 + (oid as usize % 3)]);
        one.definition.is_unique = oid % 5 == 0;
        one.figures.scans = u64::from(oid * 7 % 11);
        if oid % 4 == 0 {
            one.definition.columns.push(IndexColumn { text: format!("x{}", oid % 8), ..IndexColumn::default() });
        }
        indexes.push(one);
    }
    let found = found(indexes);
    let going: Vec<&str> = found.iter().map(|(index, _, _)| index.as_str()).collect();
    assert!(going.len() > 20, "{going:?}");
    assert!(found.iter().all(|(_, by, _)| !going.contains(&by.as_str())), "{found:?}");
    let distinct: std::collections::BTreeSet<&&str> = going.iter().collect();
    assert_eq!(distinct.len(), going.len());
}
