//! Statements are grouped as a server groups them, but for what FINGERPRINT §6 lists (`docs/design/fingerprint.md`).
//!
//! [`oracle`] asks a server for query ids, [`table`] holds pairs of statements for each row of §6, [`corpus`] with
//! [`conditions`] makes statements at random and [`spelling`] writes each of them in many ways.

mod conditions;
mod corpus;
mod oracle;
mod spelling;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use pgvitals::sql::fingerprint::fingerprint;
use pgvitals::sql::statement::Dialect;

use crate::support::document;
use crate::support::postgres::Cluster;
use oracle::Oracle;
use spelling::{Chance, MARKED};

/// Statements made at random for each server.
const STATEMENTS: u64 = 400;
/// Ways in which each of them is written.
const SPELLINGS: u64 = 3;

/// The canonical text of the one statement of `sql`, and its hash.
fn canonical(sql: &str) -> (String, String) {
    let found = fingerprint(sql.as_bytes(), Dialect::default());
    let [one] = &found[..] else { panic!("one statement: {sql}") };
    (one.text.clone(), one.hash.to_string())
}

/// What each row of §6 says: by version, then ours.
fn promised() -> BTreeMap<String, Vec<bool>> {
    let text = document::read("docs/design/fingerprint.md");
    let section = text.split("## 6.").nth(1).and_then(|rest| rest.split("## 7.").next()).expect("a section 6");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.rsplitn(6, " | ").collect::<Vec<_>>()).filter(|cells| cells.len() == 6);
    rows.filter(|cells| cells[..5].iter().all(|cell| matches!(*cell, "=" | "≠")))
        .map(|cells| (cells[5].to_owned(), cells[..5].iter().rev().map(|cell| *cell == "=").collect()))
        .collect()
}

#[test]
fn each_row_of_the_table_is_what_the_servers_and_we_do() {
    let promised = promised();
    let labels: BTreeSet<&str> = promised.keys().map(String::as_str).collect();
    assert_eq!(labels, table::ROWS.iter().map(|row| row.label).collect(), "rows of §6, and pairs for them");
    let mut wrong = Vec::new();
    for major in Cluster::majors() {
        let mut oracle = Oracle::of(Cluster::of(major));
        for row in table::ROWS {
            let server = promised[row.label][(major - 15) as usize];
            for [one, other] in row.pairs {
                let ids =
                    [one, other].map(|sql| oracle.id(sql).unwrap_or_else(|error| panic!("{major}: {sql}: {error}")));
                // The module that the servers have loaded takes the ids of some utility statements away.
                if !ids.contains(&0) && (ids[0] == ids[1]) != server {
                    wrong.push(format!("{major}: the server says otherwise of {one} and {other}"));
                }
            }
        }
    }
    for row in table::ROWS {
        for [one, other] in row.pairs {
            let (one, other) = (canonical(one), canonical(other));
            if (one.1 == other.1) != promised[row.label][4] {
                wrong.push(format!("we say otherwise of {} and {}", one.0, other.0));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statements_at_random_fall_into_the_groups_of_the_server_however_they_are_written() {
    for major in Cluster::majors() {
        let mut oracle = Oracle::of(Cluster::of(major));
        let (mut by_id, mut by_hash): (BTreeMap<i64, BTreeSet<String>>, BTreeMap<_, BTreeSet<i64>>) =
            Default::default();
        for seed in 0..STATEMENTS {
            let tokens = corpus::statement(&mut Chance::new(seed));
            for spelling in 0..SPELLINGS {
                let sql = spelling::spell(&tokens, &mut Chance::new(seed << 8 | spelling));
                let id = oracle.id(&sql).unwrap_or_else(|error| panic!("{major}: {sql}: {error}"));
                let (text, _) = canonical(&sql);
                assert!(!MARKED.iter().any(|mark| text.contains(mark)), "a literal shows: {sql} → {text}");
                by_id.entry(id).or_default().insert(text.clone());
                by_hash.entry(text).or_default().insert(id);
            }
        }
        let split: Vec<_> = by_id.values().filter(|texts| texts.len() > 1).collect();
        assert!(split.is_empty(), "{major}: one query for the server, several for us: {split:#?}");
        let merged: Vec<_> = by_hash.iter().filter(|(_, ids)| ids.len() > 1).collect();
        assert!(merged.is_empty(), "{major}: one query for us, several for the server: {merged:#?}");
        assert!(by_id.len() as u64 > STATEMENTS / 2, "{major}: only {} queries", by_id.len());
    }
}

#[test]
fn canonical_texts_are_statements_for_the_server_but_for_those_that_are_named() {
    for major in Cluster::majors() {
        let mut oracle = Oracle::of(Cluster::of(major));
        for seed in 0..STATEMENTS {
            let tokens = corpus::statement(&mut Chance::new(seed));
            let (text, _) = canonical(&spelling::spell(&tokens, &mut Chance::new(seed)));
            // A typed literal takes no parameter.
            let text = text.replace("date $", "$");
            assert!(!oracle.is_no_syntax(&text), "{major}: {text}");
        }
        for named in table::NO_SYNTAX {
            oracle.id(named).unwrap_or_else(|error| panic!("{major}: {named}: {error}"));
            let (text, _) = canonical(named);
            assert!(oracle.is_no_syntax(&text), "{major}: {text}");
        }
    }
}
