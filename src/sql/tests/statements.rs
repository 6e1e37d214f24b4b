//! What a worker's fingerprinter tells beside fingerprints, and what it keeps.

use std::sync::Arc;

use crate::sql::fingerprint::{Fingerprinter, fingerprint};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Kind;
use crate::sql::query::Pseudo;
use crate::sql::statement::{Dialect, Effect, Encoding, Name, STATEMENTS_MAX, Tags};

fn fingerprinter() -> Fingerprinter {
    Fingerprinter::new(8_192, 7)
}

fn effect(sql: &str) -> Effect {
    fingerprinter().statements(sql.as_bytes(), Dialect::default())[0].effect().clone()
}

fn name(name: &str) -> Name {
    Name::from_slice(name.as_bytes())
}

#[test]
fn names_are_folded_as_the_server_does() {
    assert_eq!(effect("EXECUTE Foo(1)"), Effect::Execute(name("foo")));
    assert_eq!(effect("execute \"Foo\"\"\"\"Bar\" (1)"), Effect::Execute(name("Foo\"\"Bar")));
    assert_eq!(effect("execute U&\"d\\0061t\""), Effect::Execute(name("U&\"d\\0061t\"")));
    assert_eq!(effect("Deallocate Prepare \"a\""), Effect::Deallocate(name("a")));
    let declare = |hold| Effect::Declare { name: name("c"), hold };
    assert_eq!(effect("declare C no scroll cursor for with hold as (select 1) select 1"), declare(false));
    assert_eq!(effect("declare C cursor without hold for select 1"), declare(false));
    assert_eq!(effect("declare C binary cursor With Hold for select 1"), declare(true));
    assert_eq!(effect("close \"C\""), Effect::Close(name("C")));
    let long = format!("{}é", "x".repeat(62));
    assert_eq!(effect(&format!("execute {long}")), Effect::Execute(name(&"x".repeat(62))));
    assert_eq!(effect(&format!("execute \"{long}\"")), Effect::Execute(name(&"x".repeat(62))));
    assert_eq!(effect(&format!("execute {}", "y".repeat(70))), Effect::Execute(name(&"y".repeat(63))));
}

#[test]
fn what_is_prepared_is_hashed_by_itself() {
    for (sql, inner) in [
        (
            "PREPARE p (int, numeric(1, 2)) AS SELECT * FROM t WHERE id = $1 and b = NULL",
            "select * from t where id = $1 and b = $2",
        ),
        ("prepare \"as\" as values (1), (2)", "values ($1)"),
        ("prepare p as (select -1)", "(select $1)"),
    ] {
        let Effect::Prepare { inner: found, .. } = effect(sql) else { panic!("{sql}") };
        assert_eq!(&*found.text, inner);
        assert_eq!(found.hash, QueryHash::of(inner));
        let alone = fingerprint(inner.as_bytes(), Dialect::default()).remove(0);
        assert_eq!((alone.hash, alone.kind), (found.hash, found.kind));
    }
    assert_eq!(effect("prepare transaction 'x'"), Effect::None);
    assert_eq!(effect("prepare p as"), Effect::None);
}

#[test]
fn words_alone_tell_the_other_effects() {
    for (sql, want) in [
        ("deallocate all", Effect::DeallocateAll),
        ("DEALLOCATE PREPARE ALL", Effect::DeallocateAll),
        ("discard all", Effect::DiscardAll),
        ("discard temp", Effect::None),
        ("close all", Effect::CloseAll),
        ("commit and chain", Effect::Chain),
        ("END WORK AND CHAIN", Effect::Chain),
        ("abort transaction and chain", Effect::Chain),
        ("commit and no chain", Effect::None),
        ("commit", Effect::None),
        ("rollback to s", Effect::RollbackTo),
        ("rollback work to savepoint s", Effect::RollbackTo),
        ("rollback prepared 'x'", Effect::None),
        ("explain execute p(1)", Effect::None),
        ("create table t as execute p", Effect::None),
        ("savepoint s", Effect::None),
        ("select 1", Effect::None),
    ] {
        assert_eq!(effect(sql), want, "{sql}");
    }
}

#[test]
fn ends_are_counted_in_characters() {
    let ends = |sql: &[u8], encoding| -> Vec<u32> {
        let dialect = Dialect { encoding, ..Dialect::default() };
        let whole = fingerprinter().statements(sql, dialect);
        let mut pieces = fingerprinter();
        let ticket = pieces.begin(dialect);
        sql.chunks(3).for_each(|chunk| pieces.feed(&ticket, chunk));
        assert_eq!(pieces.end(ticket), whole);
        whole.iter().map(|statement| statement.end_chars).collect()
    };
    assert_eq!(ends("select 'é€';;select 2 ; select 3; ".as_bytes(), Encoding::AsciiSafe), [12, 23, u32::MAX]);
    assert_eq!(ends(b"select '\xa3\xa3'; select 1", Encoding::SingleByte), [12, u32::MAX]);
    assert_eq!(ends(b"select '\x83A\x83B'; select 1", Encoding::DoubleByte), [12, u32::MAX]);
    assert_eq!(ends(b"select '\xb1\xb1\x83A'; select 1", Encoding::ShiftJis), [13, u32::MAX]);
}

#[test]
fn comments_describe_their_statement() {
    let sql = b"/* a='1' */ select 1 /* b='2' */; /* a='3' */ select /* c='4' */ 2; select 3; /* d='5' */";
    assert_eq!(tags(sql), ["a=1 b=2", "a=3", "d=5"]);
}

#[test]
fn comments_of_an_empty_statement_stand_behind_the_one_before() {
    assert_eq!(tags(b"/* a='1' */ select 1; /* a='2', b='3' */; -- name: Last\n"), ["a=1 b=3 <Last>"]);
    assert_eq!(tags(b"select 1; /* a='2' */; select 2"), ["a=2", ""]);
    assert_eq!(tags(b"/* a='1' */; select 1"), [""]);
    let many = |start: u32| (start..start + 12).map(|n| format!("k{n}='{n}'")).collect::<Vec<_>>().join(",");
    let capped = tags(format!("/*{}*/ select 1; /*{}*/", many(0), many(6)).as_bytes());
    assert_eq!(capped[0].split(' ').count(), 16);
}

/// Each statement's pairs and name, as both ways to its fingerprint tell them.
fn tags(sql: &[u8]) -> Vec<String> {
    let text = |tags: &Tags| {
        let pairs = tags.pairs.iter().map(|(key, value)| format!("{key}={value}"));
        pairs.chain(tags.name.iter().map(|name| format!("<{name}>"))).collect::<Vec<_>>().join(" ")
    };
    let found: Vec<String> = fingerprinter()
        .statements(sql, Dialect::default())
        .iter()
        .map(|statement| statement.tags().map_or_else(String::new, |tags| text(tags)))
        .collect();
    let pure = fingerprint(sql, Dialect::default());
    let pure: Vec<String> = pure.iter().map(|one| one.tags.as_deref().map_or_else(String::new, text)).collect();
    assert_eq!(found, pure);
    found
}

#[test]
fn equal_texts_share_their_query() {
    let mut fingerprinter = fingerprinter();
    let all: Vec<_> = (0..9)
        .map(|number| {
            let sql = format!("select * from t where id = {}", number / 3);
            Arc::clone(&fingerprinter.statements(sql.as_bytes(), Dialect::default())[0].query)
        })
        .collect();
    assert!(all.iter().all(|query| Arc::ptr_eq(query, &all[0])));
    assert_eq!((&*all[0].text, all[0].kind), ("select * from t where id = $1", Kind::Select));
}

#[test]
fn a_dialect_is_part_of_a_text() {
    let mut fingerprinter = fingerprinter();
    let sql = br"select 'a\', x, '";
    for _ in 0..3 {
        for (standard_strings, text) in [(true, "select $1, x, $2"), (false, "select $1")] {
            let dialect = Dialect { standard_strings, ..Dialect::default() };
            assert_eq!(&*fingerprinter.statements(sql, dialect)[0].query.text, text);
        }
    }
}

#[test]
fn a_kept_text_is_cut_and_its_hash_is_whole() {
    let mut fingerprinter = Fingerprinter::new(8, 7);
    let statements = fingerprinter.statements(b"select abc, def", Dialect::default());
    assert_eq!(&*statements[0].query.text, "select a…");
    assert_eq!(statements[0].query.hash, QueryHash::of("select abc, def"));
}

#[test]
fn of_too_many_texts_the_one_fed_longest_ago_is_lost() {
    let mut fingerprinter = fingerprinter();
    let tickets: Vec<_> = (0..32).map(|_| fingerprinter.begin(Dialect::default())).collect();
    for ticket in &tickets {
        fingerprinter.feed(ticket, b"select ");
    }
    fingerprinter.feed(&tickets[0], b"a");
    let late = fingerprinter.begin(Dialect::default());
    fingerprinter.feed(&late, b"show x");
    for (index, ticket) in tickets.into_iter().enumerate() {
        fingerprinter.feed(&ticket, b"b");
        let text = match index {
            0 => "select ab",
            1 => Pseudo::Unfingerprinted.text(),
            _ => "select b",
        };
        assert_eq!(&*fingerprinter.end(ticket)[0].query.text, text);
    }
    assert_eq!(&*fingerprinter.end(late)[0].query.text, "show x");
}

#[test]
fn a_text_that_is_abandoned_gives_its_buffer_back() {
    let mut fingerprinter = fingerprinter();
    let kept = fingerprinter.begin(Dialect::default());
    fingerprinter.feed(&kept, b"select a");
    for _ in 0..100 {
        let abandoned = fingerprinter.begin(Dialect::default());
        fingerprinter.abandon(abandoned);
    }
    assert_eq!(&*fingerprinter.end(kept)[0].query.text, "select a");
}

#[test]
fn a_ticket_means_nothing_to_another_fingerprinter() {
    let (mut broken, mut new) = (Fingerprinter::new(8_192, 1), Fingerprinter::new(8_192, 2));
    let old: Vec<_> = (0..3).map(|_| broken.begin(Dialect::default())).collect();
    let tickets: Vec<_> = (0..3).map(|_| new.begin(Dialect::default())).collect();
    for (old, ticket) in old.into_iter().zip(&tickets) {
        new.feed(ticket, b"select 1");
        new.feed(&old, b" from secrets");
        assert_eq!(new.end(old)[0].query.pseudo(), Some(Pseudo::Unfingerprinted));
    }
    let late = broken.begin(Dialect::default());
    new.abandon(late);
    for ticket in tickets {
        assert_eq!(&*new.end(ticket)[0].query.text, "select $1");
    }
}

#[test]
fn a_text_has_a_bounded_number_of_statements_and_the_others_are_counted() {
    let sql = format!("{} /* a='1' */", "a;".repeat(STATEMENTS_MAX + 5));
    let statements = fingerprinter().statements(sql.as_bytes(), Dialect::default());
    assert_eq!((statements.len(), statements.left_out), (STATEMENTS_MAX, 5));
    assert!(statements.iter().all(|statement| statement.details.is_none()));
    let mut pieces = fingerprinter();
    let ticket = pieces.begin(Dialect::default());
    sql.as_bytes().chunks(1_000).for_each(|piece| pieces.feed(&ticket, piece));
    assert_eq!(pieces.end(ticket), statements);
}
