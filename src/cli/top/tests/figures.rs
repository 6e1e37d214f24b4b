//! Numbers, charts and cells.

use crate::cli::text::printable;
use crate::cli::top::answers::Histogram;
use crate::cli::top::cells::{cut, left, right, width, wrap};
use crate::cli::top::chart::{Bucket, bar, buckets, columns, squeezed};
use crate::cli::top::figures::{count, percent, rate, span};

#[test]
fn numbers_have_three_digits_and_a_unit() {
    let spans = [0.0, 0.0454, 0.9996, 12.34, 999.9, 1_250.0, 119_000.0, 180_000.0, 10_800_000.0];
    assert_eq!(
        spans.map(span),
        ["0 ms", "45.4 µs", "1.00 ms", "12.3 ms", "1.00 s", "1.25 s", "119 s", "3.00 min", "3.00 h"]
    );
    assert_eq!([7, 9_999, 12_345, 999_999, 4_560_000].map(count), ["7", "9999", "12.3k", "1.00M", "4.56M"]);
    assert_eq!([0.0, 0.001, 0.25, 312.4, 999.9, 12_345.0].map(rate), ["0", "<0.01", "0.25", "312", "1.00k", "12.3k"]);
    assert_eq!([0.0, 0.01, 3.44, 99.9].map(percent), ["0.0 %", "<0.1 %", "3.4 %", "100 %"]);
}

#[test]
fn columns_are_as_high_as_their_value_and_gaps_are_empty() {
    assert_eq!(columns(&[Some(8.0), Some(4.0), None, Some(0.0)], 1), ["█▄ ▁"]);
    assert_eq!(columns(&[Some(4.0), Some(3.0), Some(1.0)], 2), ["█▄ ", "██▄"]);
    assert_eq!(columns(&[Some(0.0)], 1), ["▁"]);
    assert_eq!(squeezed(&[Some(1.0), Some(9.0), None, None, Some(2.0), Some(1.0)], 3), [Some(9.0), None, Some(2.0)]);
    assert_eq!(squeezed(&[Some(1.0)], 5), [Some(1.0)]);
}

#[test]
fn bars_show_whatever_is_more_than_nothing() {
    assert_eq!([bar(1.0, 4), bar(0.5, 4), bar(0.6, 2), bar(0.000_1, 9), bar(0.0, 9)], ["████", "██", "█▎", "▏", ""]);
}

#[test]
fn a_histogram_is_cut_into_steps_of_1_2_and_5() {
    let histogram = |values: &[u64], counts: &[u64]| Histogram { values_us: values.to_vec(), counts: counts.to_vec() };
    let steps = buckets(&histogram(&[900, 1_000, 1_001, 9_000], &[1, 2, 3, 4]));
    let bucket = |le_us, count| Bucket { le_us, count };
    assert_eq!(steps, [bucket(1_000, 3), bucket(2_000, 3), bucket(5_000, 0), bucket(10_000, 4)]);
    assert_eq!(buckets(&histogram(&[], &[])), []);
    // Whatever comes, no count is lost.
    let odd = buckets(&histogram(&[u64::MAX, 0, 7], &[1, 1, 1]));
    assert_eq!(odd.iter().map(|bucket| bucket.count).sum::<u64>(), 3);
}

#[test]
fn cells_are_measured_in_columns() {
    assert_eq!(
        (width("漢字"), cut("漢字a", 4), cut("abc", 3), cut("abcd", 3)),
        (4, "漢…".to_owned(), "abc".to_owned(), "ab…".to_owned())
    );
    assert_eq!(
        (left("ab", 4), right("ab", 4), left("abcd", 2)),
        ("ab  ".to_owned(), "  ab".to_owned(), "a…".to_owned())
    );
    assert_eq!(wrap("select a from b", 8), ["select a", "from b"]);
    assert_eq!(wrap("aaaaabbbbb c", 5), ["aaaaa", "bbbbb", "c"]);
    assert_eq!(wrap("", 5), [""]);
}

#[test]
fn a_terminal_obeys_nothing_that_a_client_sent() {
    assert_eq!(printable("select\x1b[2J\r\n \"a\u{202e}b\" \u{9b}31m\u{2028}x", 400), "select [2J \"a b\" 31m x");
    assert!(printable(&"x".repeat(10_000), 400).chars().count() < 500);
}
