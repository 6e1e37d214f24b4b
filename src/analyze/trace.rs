//! One object over a time, step by step, as rounds saw it.

use super::evidence::{GAP, spans};
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::history::{Round, Sample};
use crate::snapshot::index::IndexFigures;

/// Steps of one length, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steps {
    /// Begin of the first.
    pub from: WallTime,
    /// Of each.
    pub length: Nanos,
    /// How many there are.
    pub count: usize,
}

impl Steps {
    /// Those that hold the time from `from` to `to`, each at a multiple of its length since the epoch.
    pub fn over(from: WallTime, to: WallTime, length: Nanos) -> Self {
        let micros = (length.as_micros().cast_signed()).max(1);
        let first = WallTime::from_unix_micros(from.unix_micros().div_euclid(micros) * micros);
        let count = to.since(first).as_micros().div_ceil(micros.cast_unsigned());
        Self { from: first, length, count: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    /// Begins and ends.
    pub fn each(self) -> impl Iterator<Item = (WallTime, WallTime)> {
        let begins = std::iter::successors(Some(self.from), move |begin| Some(begin.after(self.length)));
        begins.map(move |begin| (begin, begin.after(self.length))).take(self.count)
    }
}

/// What stood at the end of each step in which somebody looked, or that lies between two looks one soon after the other or
/// between which nothing passed; `None` of the others. Samples and rounds ascend.
pub fn standing<'a, T>(samples: &'a [Sample<T>], rounds: &[Round], steps: Steps) -> Vec<Option<&'a T>> {
    let is_known = |begin: WallTime, end: WallTime| {
        let next = rounds.partition_point(|round| round.at < begin);
        let before = next.checked_sub(1).and_then(|last| rounds.get(last));
        let is_near = |round: &Round| before.is_some_and(|before| round.after_idle || round.at.since(before.at) <= GAP);
        rounds.get(next).is_some_and(|round| round.at < end || is_near(round))
    };
    let last = |end: WallTime| {
        let known = samples.partition_point(|sample| sample.at < end);
        known.checked_sub(1).and_then(|last| samples.get(last)).map(|sample| &sample.figures)
    };
    steps.each().map(|(begin, end)| last(end).filter(|_| is_known(begin, end))).collect()
}

/// Scans of an index in each step. What was counted between two rounds falls evenly on the time between them; `None` of a
/// step of which nothing lies between two rounds.
pub fn scans(samples: &[Sample<IndexFigures>], rounds: &[Round], steps: Steps) -> Vec<Option<f64>> {
    let spans = spans(samples, rounds);
    let in_step = |(begin, end): (WallTime, WallTime)| {
        let first = spans.partition_point(|span| span.to <= begin);
        let inside = spans.iter().skip(first).take_while(|span| span.from < end);
        inside.fold(None, |sum: Option<f64>, span| {
            let part = span.to.min(end).since(span.from.max(begin)).as_secs_f64();
            let whole = span.to.since(span.from).as_secs_f64();
            Some(sum.unwrap_or(0.0) + span.scans as f64 * part / whole)
        })
    };
    steps.each().map(in_step).collect()
}

/// The most of each day (UTC) that has a point, with the day's begin.
pub fn days(points: &[(WallTime, f64)]) -> Vec<(WallTime, f64)> {
    const DAY_US: i64 = 86_400_000_000;
    let mut days: Vec<(WallTime, f64)> = Vec::new();
    for (at, value) in points {
        let day = WallTime::from_unix_micros(at.unix_micros().div_euclid(DAY_US) * DAY_US);
        match days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, most)) => *most = most.max(*value),
            None => days.push((day, *value)),
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::level::{DAY, HOUR};

    /// A midnight.
    const START: i64 = 1_750_032_000_000_000;

    fn at(hours: u64) -> WallTime {
        WallTime::from_unix_micros(START).after(Nanos::new(HOUR.get() * hours))
    }

    fn index(hours: u64, scans: u64, size_bytes: u64) -> Sample<IndexFigures> {
        Sample { at: at(hours), figures: IndexFigures { scans, size_bytes, ..IndexFigures::default() } }
    }

    fn round(hours: u64) -> Round {
        Round { at: at(hours), ..Round::default() }
    }

    #[test]
    fn steps_begin_at_multiples_of_their_length_and_hold_the_whole_time() {
        let steps = Steps::over(at(25), at(72), DAY);
        assert_eq!((steps.from, steps.count), (at(24), 2));
        assert_eq!(steps.each().last(), Some((at(48), at(72))));
        assert_eq!(Steps::over(at(25), at(73), DAY).count, 3);
    }

    #[test]
    fn a_step_has_what_stood_at_its_end_and_nothing_where_nobody_looked() {
        let samples = [index(0, 0, 10), index(5, 0, 30), index(80, 0, 40)];
        let rounds = [round(0), round(5), round(30), round(80)];
        let sizes = standing(&samples, &rounds, Steps::over(at(0), at(96), DAY));
        let sizes: Vec<_> = sizes.into_iter().map(|figures| figures.map(|figures| figures.size_bytes)).collect();
        assert_eq!(sizes, [Some(30), Some(30), None, Some(40)], "unchanged at the second day's round");
        let asleep = [round(0), round(5), round(30), Round { after_idle: true, ..round(80) }];
        let known = standing(&samples, &asleep, Steps::over(at(0), at(96), DAY));
        assert_eq!(known[2].map(|figures| figures.size_bytes), Some(30), "nothing passed");
        let by_hour = standing(&samples, &[round(0), round(3), round(7)], Steps::over(at(0), at(9), HOUR));
        let known: Vec<bool> = by_hour.iter().map(Option::is_some).collect();
        assert_eq!(
            known,
            [true, true, true, true, false, false, false, true, false],
            "looks are three hours apart, or four"
        );
    }

    #[test]
    fn scans_fall_into_the_steps_in_which_they_were_made() {
        let samples = [index(0, 100, 1), index(1, 130, 1), index(24, 130, 1), index(36, 190, 1), index(60, 250, 1)];
        let rounds = [0, 1, 24, 36, 60].map(round);
        let by_day = scans(&samples, &rounds, Steps::over(at(0), at(96), DAY));
        // The last 60 are of the time from 36 to 60 h: half of it is the second day's.
        assert_eq!(by_day, [Some(30.0), Some(90.0), Some(30.0), None]);
        let total: f64 = by_day.into_iter().flatten().sum();
        assert!((total - 150.0).abs() < 1e-9, "each once");
    }

    #[test]
    fn a_counter_that_begins_anew_is_not_taken_away() {
        let samples = [index(0, 1_000, 1), index(12, 40, 1), index(20, 50, 1)];
        let by_day = scans(&samples, &[round(0), round(12), round(20)], Steps::over(at(0), at(24), DAY));
        assert_eq!(by_day, [Some(50.0)]);
    }

    #[test]
    fn a_day_has_its_most() {
        let points = [(at(1), 5.0), (at(20), 9.0), (at(23), 7.0), (at(50), 1.0)];
        assert_eq!(days(&points), [(at(0), 9.0), (at(48), 1.0)]);
        assert_eq!(days(&[]), []);
    }
}
