use super::*;
use crate::base::units::{Nanos, Stamp};
use crate::stats::sieve::Sieve;
use crate::stats::tests::support::{at, identity, observation, query};

fn kept(text: &str, reason: Reason, when: WallTime) -> Arc<SlowExecution> {
    let mut sieve = Sieve::new(1 << 10, false);
    let one = observation(&query(text), &identity("app", "web"), Nanos::from_millis(700));
    assert!(sieve.keep(one, reason, Nanos::from_millis(700), 1));
    Arc::new(sieve.harvest(when, Stamp::from_nanos(700_000_000)).0.remove(0))
}

#[test]
fn the_ring_holds_the_newest_and_stays_small() {
    let mut rings = Rings::default();
    let push = |rings: &mut Rings, n| rings.push(kept(&format!("select {n}"), Reason::Slow, at(n)));
    let gone: u64 = (0..3_000).filter_map(|n| push(&mut rings, n)).sum();
    assert_eq!((rings.iter().count(), gone), (RING, 2_000));
    assert_eq!(rings.iter().next().map(|kept| kept.at), Some(at(2_000)));
    let long = "x".repeat(8 << 10);
    for n in 0..2_000 {
        assert!(rings.push(kept(&format!("select {n} {long}"), Reason::Slow, at(4_000 + n))).is_some());
    }
    assert!(rings.memory_bytes() < RING_BYTES + (256 << 10), "{}", rings.memory_bytes());
}

#[test]
fn one_statement_cannot_flood_a_minute() {
    let mut rings = Rings::default();
    let mut flood = |reason, when| (0..500).filter_map(|_| rings.push(kept("select a", reason, at(when)))).count();
    assert_eq!(flood(Reason::Slow, 60), PER_MINUTE_AND_STATEMENT as usize);
    assert_eq!(flood(Reason::Error, 61), PER_MINUTE_AND_STATEMENT as usize, "each reason has a share");
    assert_eq!(flood(Reason::Slow, 90), 0);
    assert_eq!(flood(Reason::Sampled, 91), 500, "each that chance took was asked for");
    assert_eq!(flood(Reason::Slow, 120), PER_MINUTE_AND_STATEMENT as usize);
}

#[test]
fn samples_and_errors_push_no_slow_one_out() {
    let mut rings = Rings::default();
    assert_eq!(rings.push(kept("select slow", Reason::Slow, at(0))), Some(0));
    for n in 0..2_000 {
        rings.push(kept(&format!("select {n}"), Reason::Sampled, at(n)));
        rings.push(kept(&format!("select {n}"), Reason::Error, at(n)));
    }
    assert_eq!(rings.iter().count(), 1 + 2 * SMALL_RING);
    assert_eq!(rings.iter().next().map(|kept| kept.reason), Some(Reason::Slow));
}
