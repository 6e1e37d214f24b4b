use super::*;
use crate::stats::tests::support::{identity, observation, query};

fn tags(pairs: &[(&str, &str)]) -> Arc<Tags> {
    Arc::new(Tags { pairs: pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(), name: None })
}

fn record(sieve: &mut TagSieve, text: &str, pairs: &[(&str, &str)]) {
    let one = observation(&query(text), &identity("app", "web"), Nanos::from_micros(10));
    sieve.record(&tags(pairs), &one, Level::Good);
}

fn merged(sieve: &mut TagSieve) -> TagTable {
    let (rows, other) = sieve.harvest();
    let mut table = TagTable::default();
    rows.iter().for_each(|row| table.add(&row.tags, row.query.hash, &row.stats));
    other.iter().for_each(|(key, stats)| table.add_other(key, stats));
    table
}

fn calls(table: &TagTable, key: &str) -> u64 {
    table.values(key).map(|(_, value)| value.total().calls).sum()
}

#[test]
fn each_key_of_a_set_counts_and_statements_are_told_apart() {
    let mut sieve = TagSieve::new(1 << 20);
    record(&mut sieve, "select a", &[("route", "/a"), ("action", "show")]);
    record(&mut sieve, "select b", &[("route", "/a"), ("action", "list")]);
    record(&mut sieve, "select b", &[("route", "/a"), ("action", "list")]);
    record(&mut sieve, "select b", &[("route", "/b")]);
    let table = merged(&mut sieve);
    let (_, a) = table.values("route").find(|(value, _)| *value == "/a").expect("/a");
    assert_eq!((a.total().calls, a.by_statement().count()), (3, 2));
    assert_eq!((calls(&table, "route"), calls(&table, "action"), calls(&table, "nobody")), (4, 3, 0));
}

#[test]
fn a_key_that_differs_each_time_mints_nothing() {
    let mut sieve = TagSieve::new(1 << 20);
    (0..100).for_each(|n| record(&mut sieve, "select a", &[("request_id", &n.to_string()), ("route", "/a")]));
    let (rows, _) = sieve.harvest();
    let [row] = &rows[..] else { panic!("{} rows", rows.len()) };
    assert_eq!(row.stats.calls, 100);
    let mut table = TagTable::default();
    table.add(&row.tags, row.query.hash, &row.stats);
    assert_eq!(calls(&table, "request_id"), 0);
}

#[test]
fn sets_beyond_a_workers_table_count_under_other() {
    let mut sieve = TagSieve::new(64 << 20);
    (0..3_000).for_each(|n| record(&mut sieve, "select a", &[("route", &format!("/{n}"))]));
    let table = merged(&mut sieve);
    assert_eq!(calls(&table, "route"), 3_000);
    let (_, other) = table.values("route").find(|(value, _)| *value == OTHER).expect("(other)");
    assert_eq!(other.total().calls as usize, 3_000 - SETS);
}

#[test]
fn a_closed_table_keeps_the_values_with_most_time() {
    let mut table = TagTable::default();
    let statement = query("select a");
    let stats = |micros| {
        let mut stats = SeriesStats::default();
        let one = observation(&statement, &identity("app", "web"), Nanos::from_micros(micros));
        stats.record(&one, Level::Good);
        stats
    };
    (0..5_000).for_each(|n| table.add(&tags(&[("route", &format!("/{n}"))]), statement.hash, &stats(n)));
    let before = table.memory_bytes();
    table.trim();
    assert!(table.memory_bytes() < before);
    assert_eq!(table.values("route").count(), VALUES + 1);
    assert_eq!(calls(&table, "route"), 5_000);
    assert!(table.values("route").any(|(value, _)| value == format!("/{}", OPEN_VALUES - 1)));
}

#[test]
fn keys_without_end_end_in_other() {
    let mut table = TagTable::default();
    let stats = SeriesStats { calls: 1, ..SeriesStats::default() };
    (0..200).for_each(|n| table.add(&tags(&[(&format!("k{n}"), "v")]), query("select a").hash, &stats));
    assert_eq!(table.keys.len(), KEYS + 1);
    assert_eq!(calls(&table, OTHER), 200 - KEYS as u64);
}
