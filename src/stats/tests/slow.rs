use super::*;
use crate::stats::tests::support::{at, identity, observation, query};

fn slow(text: &str) -> Observation {
    observation(&query(text), &identity("app", "web"), Nanos::from_millis(700))
}

fn harvested(text: &str, when: WallTime) -> SlowExecution {
    let mut sieve = SlowSieve::default();
    assert!(sieve.keep(slow(text), Nanos::from_millis(700), 1));
    sieve.harvest(when, Stamp::from_nanos(700_000_000)).remove(0)
}

#[test]
fn a_stamp_becomes_the_wall_time_of_completion() {
    let mut sieve = SlowSieve::default();
    assert!(sieve.keep(slow("select pg_sleep($1)"), Nanos::from_millis(700), 1));
    let kept = sieve.harvest(at(100), Stamp::from_nanos(1_200_000_000));
    assert_eq!(kept[0].at, WallTime::from_unix_micros(99_500_000));
    assert!(sieve.harvest(at(101), Stamp::from_nanos(0)).is_empty());
}

#[test]
fn one_statement_leaves_room_for_others_in_a_harvest() {
    let mut sieve = SlowSieve::default();
    let kept = (0..1_000).filter(|_| sieve.keep(slow("select a from t"), Nanos::from_millis(700), 1)).count();
    assert_eq!(kept, PER_HARVEST_AND_STATEMENT);
    assert!(sieve.keep(slow("select b from t"), Nanos::from_millis(700), 1));
    let many = (0..1_000).filter(|n| sieve.keep(slow(&format!("select c{n}")), Nanos::from_millis(700), 1)).count();
    assert_eq!(many, PER_HARVEST - PER_HARVEST_AND_STATEMENT - 1);
}

#[test]
fn the_ring_holds_the_newest_and_stays_small() {
    let mut ring = SlowRing::default();
    let gone: u64 = (0..3_000).filter_map(|n| ring.push(Arc::new(harvested(&format!("select {n}"), at(n))))).sum();
    assert_eq!((ring.iter().count(), gone), (RING, 2_000));
    assert_eq!(ring.iter().next().map(|kept| kept.at), Some(at(2_000)));
    let long = "x".repeat(8 << 10);
    (0..2_000)
        .for_each(|n| assert!(ring.push(Arc::new(harvested(&format!("select {n} {long}"), at(4_000 + n)))).is_some()));
    assert!(ring.memory_bytes() < RING_BYTES + (256 << 10), "{}", ring.memory_bytes());
}

#[test]
fn one_statement_cannot_flood_a_minute() {
    let mut ring = SlowRing::default();
    let flood = |ring: &mut SlowRing, when| {
        (0..500).filter_map(|_| ring.push(Arc::new(harvested("select a", at(when))))).count()
    };
    assert_eq!(flood(&mut ring, 60), PER_MINUTE_AND_STATEMENT as usize);
    assert_eq!(flood(&mut ring, 90), 0);
    assert_eq!(flood(&mut ring, 120), PER_MINUTE_AND_STATEMENT as usize);
}
