//! How fast something grows, how sure that is, and when it is full.
//!
//! The slope is the median of the slopes between all pairs of points (Theil, Sen), its bounds are Sen's at 95 %: up to
//! 29 % of the points may lie anywhere, as after a TRUNCATE or a bulk load, without moving it.

use crate::base::units::WallTime;

/// So many points say as much as all; pairs go with the square.
const POINTS_MAX: usize = 120;

/// Fewer say nothing.
const POINTS_MIN: usize = 4;

/// A shorter time says nothing about a day, in days.
const SPAN_MIN_DAYS: f64 = 1.0;

/// The normal distribution's 97.5 % quantile.
const Z: f64 = 1.96;

/// A growth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trend {
    /// Where it stands: the last point.
    pub now: f64,
    /// Per day.
    pub per_day: f64,
    /// Per day at least, by 95 %.
    pub low: f64,
    /// Per day at most, by 95 %.
    pub high: f64,
    /// Over how many days.
    pub days: f64,
}

/// Days until something is full.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct FullIn {
    /// Likely; `None`: it does not grow.
    pub days: Option<f64>,
    /// At the earliest; `None`: even at most it does not grow.
    pub earliest: Option<f64>,
    /// At the latest; `None`: perhaps never.
    pub latest: Option<f64>,
}

/// The trend of points in order of time; `None` when they are too few or lie within a day.
pub fn trend(points: &[(WallTime, f64)]) -> Option<Trend> {
    let (first, last) = (points.first()?, points.last()?);
    let in_days = |at: WallTime| at.since(first.0).as_secs_f64() / 86_400.0;
    let days = in_days(last.0);
    let points: Vec<(f64, f64)> = points.iter().map(|(at, value)| (in_days(*at), *value)).collect();
    let points = thinned(&points);
    if points.len() < POINTS_MIN || days < SPAN_MIN_DAYS {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (at, (t, v)) in points.iter().enumerate() {
        let later = points.get(at + 1..).unwrap_or_default();
        slopes.extend(later.iter().filter(|(u, _)| u > t).map(|(u, w)| (w - v) / (u - t)));
    }
    slopes.sort_by(f64::total_cmp);
    let (count, n) = (slopes.len() as f64, points.len() as f64);
    // Half of the width in ranks: Kendall's S has this variance when nothing grows.
    let half = Z * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt() / 2.0;
    let rank = |rank: f64| slopes.get(rank.clamp(0.0, count - 1.0) as usize).copied();
    Some(Trend {
        now: last.1,
        per_day: median(&slopes)?,
        low: rank((count / 2.0 - half).floor())?,
        high: rank((count / 2.0 + half).ceil())?,
        days,
    })
}

/// The points in at most [`POINTS_MAX`] groups, of each the medians of time and value.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(POINTS_MAX).max(1);
    let middle = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        median(values)
    };
    let groups = points.chunks(size).filter_map(|group| {
        let mut times: Vec<f64> = group.iter().map(|(time, _)| *time).collect();
        let mut values: Vec<f64> = group.iter().map(|(_, value)| *value).collect();
        Some((middle(&mut times)?, middle(&mut values)?))
    });
    groups.collect()
}

/// The middle of values in order; of two the mean. `None` without any.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(*sorted.get(middle - 1)?, upper)) }
}

impl Trend {
    /// When it reaches `limit`.
    pub fn full_in(&self, limit: f64) -> FullIn {
        let left = (limit - self.now).max(0.0);
        // Slower than this is no growth: a thousandth of what is there in a year.
        let least = (self.now.abs() / 365_000.0).max(f64::MIN_POSITIVE);
        let days = |per_day: f64| (per_day > least).then(|| left / per_day);
        FullIn { days: days(self.per_day), earliest: days(self.high), latest: days(self.low) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analyze::level::HOUR;
    use crate::base::units::Nanos;

    fn at(hours: u64) -> WallTime {
        WallTime::from_unix_micros(1_750_000_000_000_000).after(Nanos::new(HOUR.get() * hours))
    }

    /// Hourly points over some days.
    fn line(count: u64, value: impl Fn(u64) -> f64) -> Vec<(WallTime, f64)> {
        (0..count * 24).map(|hour| (at(hour), value(hour))).collect()
    }

    #[test]
    fn a_straight_line_is_known_exactly() {
        let trend = trend(&line(30, |hour| 1_000.0 + 10.0 * hour as f64 / 24.0)).unwrap();
        for slope in [trend.per_day, trend.low, trend.high] {
            assert!((slope - 10.0).abs() < 1e-6, "{trend:?}");
        }
        let left = 2_000.0 - trend.now;
        let full = trend.full_in(2_000.0);
        assert!((full.days.unwrap() - left / 10.0).abs() < 1e-6);
    }

    #[test]
    fn a_table_that_was_emptied_and_one_bulk_load_do_not_move_it() {
        let points = line(30, |hour| {
            let day = hour / 24;
            let odd = if (5..8).contains(&day) { -5_000.0 } else { 0.0 } + if day == 20 { 90_000.0 } else { 0.0 };
            10_000.0 + 100.0 * hour as f64 / 24.0 + odd
        });
        let trend = trend(&points).unwrap();
        assert!((90.0..110.0).contains(&trend.per_day), "{trend:?}");
    }

    #[test]
    fn what_does_not_grow_is_never_full() {
        let flat = trend(&line(10, |_| 500.0)).unwrap();
        assert_eq!(flat.full_in(1_000.0), FullIn::default());
        let shrinking = trend(&line(10, |hour| 500.0 - hour as f64)).unwrap();
        assert_eq!(shrinking.full_in(1_000.0), FullIn::default());
        let over = trend(&line(10, |hour| 500.0 + hour as f64)).unwrap();
        assert_eq!(over.full_in(600.0).days, Some(0.0));
    }

    #[test]
    fn too_little_history_says_nothing() {
        assert_eq!(trend(&[]), None);
        assert_eq!(trend(&line(30, |_| 1.0)[..3]), None);
        let hour: Vec<_> = line(1, |hour| hour as f64)[..10].to_vec();
        assert_eq!(trend(&hour), None);
        assert!(trend(&[(at(0), 1.0); 100]).is_none());
    }

    proptest! {
        #[test]
        fn noise_stays_within_the_bounds_and_shifts_do_not_matter(
            slope in -100.0..100.0f64,
            noise in proptest::collection::vec(-50.0..50.0f64, 240..480),
            shift in -1e6..1e6f64,
        ) {
            let value = |hour: usize| slope * hour as f64 / 24.0 + noise[hour];
            let points: Vec<_> = (0..noise.len()).map(|hour| (at(hour as u64), value(hour))).collect();
            let trend_of = trend(&points).unwrap();
            prop_assert!(trend_of.low <= trend_of.per_day && trend_of.per_day <= trend_of.high);
            // Uniform noise of ±50 over ten days can't hide more than this.
            prop_assert!((trend_of.per_day - slope).abs() < 5.0, "{trend_of:?} {slope}");
            let shifted: Vec<_> = points.iter().map(|(at, value)| (*at, value + shift)).collect();
            prop_assert!((trend(&shifted).unwrap().per_day - trend_of.per_day).abs() < 1e-3);
        }

        #[test]
        fn a_longer_way_takes_longer(limit in 0.0..1e6f64, more in 0.0..1e6f64, slope in 0.1..100.0f64) {
            let trend = trend(&line(5, |hour| slope * hour as f64)).unwrap();
            let (near, far) = (trend.full_in(limit), trend.full_in(limit + more));
            prop_assert!(near.days <= far.days);
            prop_assert!(near.earliest <= near.days && near.days <= near.latest.or(near.days));
        }
    }

    #[test]
    fn a_quarter_of_hourly_points_takes_no_time() {
        // 2,160 points would be two million pairs; they are thinned, and the slope is the same.
        let trend = trend(&line(90, |hour| hour as f64)).unwrap();
        assert!((trend.per_day - 24.0).abs() < 1e-6 && (trend.days - 90.0).abs() < 0.1, "{trend:?}");
    }
}
