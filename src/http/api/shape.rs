//! What several answers have in common: numbers as API.md wants them, and series over time.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::choices::Step;
use crate::base::units::{Nanos, WallTime};
use crate::stats::histogram::Histogram;
use crate::stats::live::{TimelinePoint, Window};

/// A time as RFC 3339 in UTC; the epoch for what that can't write.
pub(in crate::http) fn rfc3339(time: WallTime) -> String {
    Timestamp::from_microsecond(time.unix_micros()).unwrap_or_default().to_string()
}

/// Milliseconds, to the microsecond.
pub(in crate::http) fn ms(span: Nanos) -> f64 {
    (span.get() as f64 / 1e3).round() / 1e3
}

/// Milliseconds on average; `None` without a count.
pub(in crate::http) fn mean_ms(sum: Nanos, count: u64) -> Option<f64> {
    (count > 0).then(|| (sum.get() as f64 / count as f64 / 1e3).round() / 1e3)
}

/// Milliseconds at a quantile; `None` without samples.
pub(in crate::http) fn quantile_ms(durations: &Histogram, q: f64) -> Option<f64> {
    durations.quantile(q).map(ms)
}

/// `part` of `whole` in percent, to two digits; 0 of nothing.
pub(in crate::http) fn percent(part: Nanos, whole: Nanos) -> f64 {
    if whole == Nanos::ZERO { 0.0 } else { (part.get() as f64 / whole.get() as f64 * 1e4).round() / 1e2 }
}

/// A figure that is no more precise than that.
pub(in crate::http) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Processor cores, to the ten-thousandth.
pub(in crate::http) fn cores(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Upper bounds of the heat map's rows in milliseconds; the last holds everything that a histogram can.
const HEAT_LE_MS: [f64; 18] = [
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    2_147_483.647,
];

/// Figures over time: columns of equal length, `null` where nothing is known.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct Series {
    /// Seconds from one step to the next.
    step_seconds: u64,
    /// Begins of the steps.
    #[schema(format = DateTime)]
    at: Vec<String>,
    calls: Vec<Option<u64>>,
    errors: Vec<Option<u64>>,
    p50_ms: Vec<Option<f64>>,
    p95_ms: Vec<Option<f64>>,
    p99_ms: Vec<Option<f64>>,
    heat: Heat,
}

/// How many calls took how long, step by step.
#[derive(Serialize, ToSchema, Debug, Default)]
struct Heat {
    /// Upper bounds; each count is of what lies between its own and the one before.
    le_ms: Vec<f64>,
    /// One list a step.
    counts: Vec<Option<Vec<u64>>>,
}

/// One step of a series, as a row.
#[derive(Serialize, Debug, Default)]
pub(in crate::http) struct SeriesRow<'a> {
    at: &'a str,
    calls: Option<u64>,
    errors: Option<u64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

impl Series {
    /// Points of a timeline, added up to `step`, or to their own where old minutes were merged into longer ones.
    pub(in crate::http) fn new(points: &[TimelinePoint], step: Step) -> Self {
        let known = points.iter().filter(|point| point.stats.is_some());
        let length = known.map(|point| point.step).max().unwrap_or_default().max(step.length());
        let mut series = Self { step_seconds: length.get() / 1_000_000_000, ..Self::default() };
        series.heat.le_ms = HEAT_LE_MS.to_vec();
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return series };
        let mut points = points.iter().peekable();
        let (mut begin, end) = (floor(first.at, length), last.at);
        while begin <= end {
            let next = begin.after(length);
            let mut cell = Cell::default();
            while let Some(point) = points.next_if(|point| point.at < next) {
                cell.add(point);
            }
            series.push(begin, &cell);
            begin = next;
        }
        series
    }

    fn push(&mut self, at: WallTime, cell: &Cell) {
        let known = cell.known;
        self.at.push(rfc3339(at));
        self.calls.push(known.then_some(cell.calls));
        self.errors.push(known.then_some(cell.errors));
        self.p50_ms.push(quantile_ms(&cell.durations, 0.50));
        self.p95_ms.push(quantile_ms(&cell.durations, 0.95));
        self.p99_ms.push(quantile_ms(&cell.durations, 0.99));
        self.heat.counts.push(known.then(|| heat(&cell.durations)));
    }

    /// The same, a row each step.
    pub(in crate::http) fn rows(&self) -> Vec<SeriesRow<'_>> {
        let at = |index: usize| SeriesRow {
            at: self.at.get(index).map_or("", String::as_str),
            calls: self.calls.get(index).copied().flatten(),
            errors: self.errors.get(index).copied().flatten(),
            p50_ms: self.p50_ms.get(index).copied().flatten(),
            p95_ms: self.p95_ms.get(index).copied().flatten(),
            p99_ms: self.p99_ms.get(index).copied().flatten(),
        };
        (0..self.at.len()).map(at).collect()
    }
}

/// What points add up to.
#[derive(Default)]
struct Cell {
    known: bool,
    calls: u64,
    errors: u64,
    durations: Histogram,
}

impl Cell {
    fn add(&mut self, point: &TimelinePoint) {
        let Some(stats) = &point.stats else { return };
        self.known = true;
        self.calls += stats.calls;
        self.errors += stats.errors;
        self.durations.merge(&stats.durations);
    }
}

/// `time` down to a multiple of `step` since the epoch.
fn floor(time: WallTime, step: Nanos) -> WallTime {
    let micros = (step.as_micros() as i64).max(1);
    WallTime::from_unix_micros(time.unix_micros().div_euclid(micros) * micros)
}

fn heat(durations: &Histogram) -> Vec<u64> {
    let mut counts = vec![0; HEAT_LE_MS.len()];
    for (top_us, count) in durations.buckets() {
        let row = HEAT_LE_MS.partition_point(|le| *le < f64::from(top_us) / 1e3).min(counts.len() - 1);
        if let Some(cell) = counts.get_mut(row) {
            *cell += count;
        }
    }
    counts
}

/// Durations in equal parts of a window.
pub(in crate::http) struct Sparkline {
    window: Window,
    parts: Vec<Histogram>,
}

impl Sparkline {
    /// Nothing, in so many parts.
    pub(in crate::http) fn new(window: Window, parts: usize) -> Self {
        Self { window, parts: vec![Histogram::default(); parts] }
    }

    /// Adds what happened in the step that begins at `at`; steps longer than a part are where they begin.
    pub(in crate::http) fn add(&mut self, at: WallTime, durations: &Histogram) {
        let span = u128::from(self.window.to.since(self.window.from).as_micros().max(1));
        let part = u128::from(at.since(self.window.from).as_micros()) * self.parts.len() as u128 / span;
        self.add_to(usize::try_from(part).unwrap_or(usize::MAX), durations);
    }

    /// Adds what happened in a part; nothing is beyond the last.
    pub(in crate::http) fn add_to(&mut self, part: usize, durations: &Histogram) {
        if let Some(part) = self.parts.get_mut(part) {
            part.merge(durations);
        }
    }

    /// The 95th percentile of each part; `None` where nothing happened.
    pub(in crate::http) fn p95_ms(&self) -> Vec<Option<f64>> {
        self.parts.iter().map(|durations| quantile_ms(durations, 0.95)).collect()
    }
}
