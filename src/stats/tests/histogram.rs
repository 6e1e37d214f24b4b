//! Held to the crate whose buckets STORE §2 names.

use hdrhistogram::Histogram as Reference;
use proptest::prelude::*;

use super::*;

fn reference(micros: &[u64]) -> Reference<u64> {
    let mut reference = Reference::new_with_bounds(1, u64::from(LONGEST_US), 2).expect("valid bounds");
    micros.iter().for_each(|v| reference.record((*v).clamp(1, u64::from(LONGEST_US))).expect("within bounds"));
    reference
}

fn ours(micros: &[u64]) -> Histogram {
    let mut histogram = Histogram::default();
    micros.iter().for_each(|v| histogram.record(Nanos::from_micros(*v)));
    histogram
}

/// Durations of all magnitudes, with the edges of buckets among them.
fn durations() -> impl Strategy<Value = Vec<u64>> {
    let any_magnitude = (0u32..40, any::<u64>()).prop_map(|(bits, v)| v & ((1 << bits) - 1));
    let edges = (0u32..33, 0u64..3).prop_map(|(bits, off)| (1u64 << bits) + off - 1);
    prop::collection::vec(prop_oneof![any_magnitude, edges], 1..300)
}

proptest! {
    #[test]
    fn buckets_and_quantiles_are_those_of_the_crate(micros in durations(), q in 0.000_001f64..=1.0) {
        let (ours, reference) = (ours(&micros), reference(&micros));
        let theirs: Vec<(u32, u64)> = reference
            .iter_recorded()
            .map(|v| (reference.highest_equivalent(v.value_iterated_to()) as u32, v.count_at_value()))
            .collect();
        prop_assert_eq!(ours.buckets().collect::<Vec<_>>(), theirs);
        for q in [q, 0.5, 0.95, 0.99, 1.0] {
            prop_assert_eq!(ours.quantile(q), Some(Nanos::from_micros(reference.value_at_quantile(q))));
        }
    }

    #[test]
    fn merging_is_recording_all_in_one(a in durations(), b in durations()) {
        let (mut left, mut right) = (ours(&a), ours(&b));
        let whole = ours(&[a, b].concat());
        let copy = left.clone();
        left.merge(&right);
        right.merge(&copy);
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
        prop_assert_eq!(whole.count(), whole.buckets().map(|(_, n)| n).sum::<u64>());
    }
}

#[test]
fn every_bucket_ends_where_the_next_begins() {
    let mut next = 1u64;
    while next <= u64::from(LONGEST_US) {
        let index = index_of(Nanos::from_micros(next));
        let top = u64::from(top_of(index));
        assert_eq!(index_of(Nanos::from_micros(top)), index);
        assert!(top >= next && (top - next + 1) * 100 <= next.max(100), "{next}–{top} is wider than 1 %");
        next = top + 1;
    }
    assert_eq!(next, 1 << 31);
}

#[test]
fn what_is_shorter_or_longer_than_any_bucket_counts_at_the_ends() {
    let mut histogram = Histogram::default();
    histogram.record(Nanos::ZERO);
    histogram.record(Nanos::new(u64::MAX));
    assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(1, 1), (LONGEST_US, 1)]);
}

#[test]
fn nothing_has_no_quantile() {
    assert_eq!(Histogram::default().quantile(0.5), None);
}

#[test]
fn counts_stop_at_the_top_and_never_spill_into_the_index() {
    let mut histogram = Histogram::default();
    histogram.record(Nanos::from_micros(7));
    for _ in 0..60 {
        let copy = histogram.clone();
        histogram.merge(&copy);
    }
    assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(7, COUNT_MASK)]);
}
