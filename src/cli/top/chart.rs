//! Charts out of block characters: columns over time, bars, and the buckets of a histogram.

use super::answers::Histogram;

const EIGHTHS_UP: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS_ACROSS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Columns from the left, `rows` lines high; the greatest value is as high as all of them. What is known, and be it zero,
/// stands on the ground; a gap is empty.
pub(super) fn columns(values: &[Option<f64>], rows: usize) -> Vec<String> {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let height = |value: f64| if most > 0.0 { ((value / most * rows as f64 * 8.0).round() as usize).max(1) } else { 1 };
    let cell = |value: &Option<f64>, row: usize| match value {
        Some(value) => height(*value).saturating_sub((rows - 1 - row) * 8).min(8),
        None => 0,
    };
    (0..rows).map(|row| values.iter().map(|value| EIGHTHS_UP[cell(value, row)]).collect()).collect()
}

/// At most `most` values: the greatest of each part, so that no peak is lost.
pub(super) fn squeezed(values: &[Option<f64>], most: usize) -> Vec<Option<f64>> {
    if values.len() <= most || most == 0 {
        return values.iter().copied().take(most).collect();
    }
    let part = |index: usize| {
        let (from, to) = (index * values.len() / most, (index + 1) * values.len() / most);
        values.get(from..to).unwrap_or_default().iter().flatten().copied().reduce(f64::max)
    };
    (0..most).map(part).collect()
}

/// A bar of `part` of `columns`; what is more than nothing can be seen.
pub(super) fn bar(part: f64, columns: usize) -> String {
    let eighths = (part.clamp(0.0, 1.0) * columns as f64 * 8.0).round() as usize;
    let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS_ACROSS[eighths % 8]);
    }
    bar
}

/// A step of a histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bucket {
    /// Greatest value in it, in microseconds: 1, 2 or 5 and a row of zeros.
    pub(super) le_us: u64,
    pub(super) count: u64,
}

/// The histogram in steps of 1, 2, 5, from the least that has a count to the greatest.
pub(super) fn buckets(histogram: &Histogram) -> Vec<Bucket> {
    let mut all: Vec<Bucket> = Vec::new();
    for (value, count) in histogram.values_us.iter().zip(&histogram.counts).filter(|(_, count)| **count > 0) {
        let le_us = step(*value);
        // Values ascend; what did not would still be counted.
        while let Some(last) = all.last().filter(|last| last.le_us < le_us) {
            all.push(Bucket { le_us: step(last.le_us + 1), count: 0 });
        }
        match all.iter_mut().rev().find(|bucket| bucket.le_us <= le_us) {
            Some(bucket) => bucket.count += count,
            None => all.insert(0, Bucket { le_us, count: *count }),
        }
    }
    all
}

/// The least of 1, 2, 5, 10, 20, 50, … that is at least `value`.
fn step(value: u64) -> u64 {
    let mut decade: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = decade.saturating_mul(factor);
            if step >= value {
                return step;
            }
        }
        decade = decade.saturating_mul(10);
    }
}
