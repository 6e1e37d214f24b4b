//! What grows has bounds.

use std::sync::Arc;

use super::*;
use crate::base::units::WallTime;
use crate::store::batch::Origin;
use crate::store::figures::Figures;

fn empty() -> Batch {
    Batch::empty(&Arc::new(Origin::new("pod", "shop", WallTime::default()).unwrap()), 1, WallTime::default())
}

fn tag(value: usize, total_us: i64) -> TagRow {
    let figures = Figures { calls: 1, total_us, ..Figures::default() };
    let (key, value) = ("route".to_owned(), format!("/{value}"));
    TagRow { bucket_us: 0, key, value, query_hash: "h".to_owned(), figures }
}

/// "top 1,000 a process and minute, rest `(other)`" (STORE §2)
#[test]
fn values_with_most_time_keep_their_rows() {
    let mut sum = Sum::new(empty());
    for second in 0..30 {
        sum.add(Batch {
            tags: (0..100).map(|n| tag(second * 100 + n, (second * 100 + n) as i64)).collect(),
            ..empty()
        });
    }
    let batch = sum.finish();
    assert_eq!(batch.tags.len(), 1_001);
    assert_eq!(batch.tags.iter().map(|row| row.figures.calls).sum::<i64>(), 3_000);
    let other = batch.tags.iter().find(|row| row.value == OTHER).expect("the rest");
    assert_eq!((other.figures.calls, other.figures.total_us), (2_000, (0..2_000).sum()));
}

#[test]
fn more_rows_than_a_minute_may_have_go_to_other() {
    let mut sum = Sum::new(empty());
    let error = |n: usize| ErrorRow { series_id: 1, bucket_us: 0, errors: 1, sqlstate: n.to_string() };
    for second in 0..12 {
        let rows = second * 1_000..(second + 1) * 1_000;
        sum.add(Batch {
            errors: rows.clone().map(error).collect(),
            tags: rows.map(|n| tag(n, 1)).collect(),
            ..empty()
        });
    }
    assert_eq!((sum.so_far().errors.len(), sum.so_far().tags.len()), (ROWS + 1, ROWS + 1));
    assert_eq!(sum.finish().errors.iter().map(|row| row.errors).sum::<i64>(), 12_000);
}
