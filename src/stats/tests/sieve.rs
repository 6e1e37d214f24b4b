use super::*;
use crate::stats::tests::support::{at, code, identity, observation, query};

const MOST: usize = 64 << 10;

fn took(text: &str, millis: u64) -> Observation {
    observation(&query(text), &identity("app", "web"), Nanos::from_millis(millis))
}

fn slow(sieve: &mut Sieve, text: &str) -> bool {
    sieve.keep(took(text, 700), Reason::Slow, Nanos::from_millis(700), 1)
}

#[test]
fn a_stamp_becomes_the_wall_time_of_completion() {
    let mut sieve = Sieve::new(MOST, false);
    assert!(slow(&mut sieve, "select pg_sleep($1)"));
    let (kept, refused) = sieve.harvest(at(100), Stamp::from_nanos(1_200_000_000));
    assert_eq!(kept[0].at, WallTime::from_unix_micros(99_500_000));
    assert_eq!(refused, []);
    assert!(sieve.harvest(at(101), Stamp::from_nanos(0)).0.is_empty());
}

#[test]
fn one_statement_leaves_room_for_others_in_a_harvest() {
    let mut sieve = Sieve::new(MOST, false);
    let kept = (0..1_000).filter(|_| slow(&mut sieve, "select a from t")).count();
    assert_eq!(kept, PER_HARVEST_AND_STATEMENT);
    assert!(slow(&mut sieve, "select b from t"));
    let many = (0..1_000).filter(|n| slow(&mut sieve, &format!("select c{n}"))).count();
    assert_eq!(many, PER_HARVEST - PER_HARVEST_AND_STATEMENT - 1);
    let (_, refused) = sieve.harvest(at(0), Stamp::from_nanos(0));
    let of = |text: &str| refused.iter().find(|refused| refused.hash == query(text).hash).map(|refused| refused.count);
    assert_eq!(of("select a from t"), Some(1_000 - kept as u64));
    assert_eq!((of("select b from t"), of("select c100")), (None, Some(1)));
    assert!(refused.len() <= REFUSED_MAX);
}

#[test]
fn a_flood_of_one_reason_leaves_room_for_the_others() {
    let mut sieve = Sieve::new(MOST, false);
    let failed = || Observation { outcome: Outcome::Failed(code(1)), ..took("select a", 1) };
    let errors = (0..1_000).filter(|_| sieve.keep(failed(), Reason::Error, Nanos::from_millis(1), 1)).count();
    let sampled = (0..10_000).filter(|_| sieve.keep(took("select a", 1), Reason::Sampled, Nanos::from_millis(1), 1));
    let sampled = sampled.count();
    assert_eq!(errors, PER_HARVEST_AND_STATEMENT);
    assert!((MOST / 1_024..10_000).contains(&sampled), "{sampled}: by bytes, of one statement too");
    assert!(slow(&mut sieve, "select a"));
    let (kept, refused) = sieve.harvest(at(0), Stamp::from_nanos(0));
    let of = |reason| kept.iter().filter(|kept| kept.reason == reason).count();
    assert_eq!([Reason::Slow, Reason::Error, Reason::Sampled].map(of), [1, errors, sampled]);
    assert!(kept.iter().all(|kept| (kept.reason == Reason::Error) == kept.error.is_some()));
    let lost = |reason| refused.iter().find(|refused| refused.reason == reason).map(|refused| refused.count);
    assert_eq!(lost(Reason::Error), Some(1_000 - errors as u64));
    assert_eq!(lost(Reason::Sampled), Some(10_000 - sampled as u64));
    assert!(sieve.keep(took("select a", 1), Reason::Sampled, Nanos::from_millis(1), 1), "the next second has room");
}
