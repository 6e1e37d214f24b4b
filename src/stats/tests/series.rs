use proptest::prelude::*;

use super::*;
use crate::stats::tests::support;

fn stats_of(executions: &[(u64, u8)]) -> SeriesStats {
    let (query, identity) = (support::query("select $1 from t"), support::identity("app", "web"));
    let mut stats = SeriesStats::default();
    for (nanos, outcome) in executions {
        let mut observation = support::observation(&query, &identity, Nanos::new(*nanos));
        observation.outcome = match outcome {
            0 => Outcome::Completed,
            1 => Outcome::Aborted,
            n => Outcome::Failed(support::code(usize::from(*n))),
        };
        stats.record(&observation, crate::stats::level::Thresholds::default().level(Nanos::new(*nanos)));
    }
    stats
}

proptest! {
    #[test]
    fn merging_in_any_order_is_recording_all_in_one(
        executions in prop::collection::vec((0u64..3_000_000_000_000, 0u8..20), 1..200), cut in any::<prop::sample::Index>(),
    ) {
        let whole = stats_of(&executions);
        let (a, b) = executions.split_at(cut.index(executions.len()));
        let (a, b) = (stats_of(a), stats_of(b));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        prop_assert_eq!(&ab, &whole);
        prop_assert_eq!(&ba, &whole);
        prop_assert_eq!(whole.total.get(), executions.iter().map(|(nanos, _)| nanos).sum::<u64>());
        prop_assert_eq!(whole.levels.iter().sum::<u64>(), whole.calls);
        prop_assert_eq!(whole.codes.iter().map(|(_, n)| n).sum::<u64>(), whole.errors);
    }
}

#[test]
fn an_empty_part_does_not_pull_the_minimum_to_zero() {
    let mut stats = stats_of(&[(5_000, 0)]);
    stats.merge(&SeriesStats::default());
    assert_eq!(stats.min, Nanos::new(5_000));
    let mut empty = SeriesStats::default();
    empty.merge(&stats);
    assert_eq!(empty, stats);
}

#[test]
fn codes_beyond_the_cap_count_as_other() {
    let mut codes = Codes::default();
    (0..100).for_each(|n| codes.add(support::code(n), 2));
    assert_eq!(codes.iter().count(), Codes::MAX);
    assert_eq!(codes.iter().map(|(_, n)| n).sum::<u64>(), 200);
    assert!(codes.iter().any(|(code, n)| code == Sqlstate::OTHER && n == 2 * (100 - 31)));
}

#[test]
fn clearing_keeps_memory_and_nothing_else() {
    let mut stats = stats_of(&[(5_000, 3), (7_000_000, 0)]);
    let bytes = stats.heap_bytes();
    stats.clear();
    assert_eq!(stats, SeriesStats::default());
    assert_eq!(stats.heap_bytes(), bytes);
}
