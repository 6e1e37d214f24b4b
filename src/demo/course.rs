//! The month: from when to when it is, how busy the shop is at each time, and what goes wrong in it. Pure.

use crate::base::units::{Nanos, WallTime};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// An index counts as unused after so many full days without a scan, and a range of 30 days begins within an hour: the
/// history is this much longer than what was asked for.
const MORE_DAYS: i64 = 2;

/// How busy the hours of a day are.
const HOURS: [f64; 24] = [
    0.34, 0.24, 0.17, 0.14, 0.13, 0.16, 0.26, 0.46, 0.70, 0.92, 1.06, 1.16, 1.24, 1.20, 1.14, 1.12, 1.15, 1.24, 1.38,
    1.52, 1.55, 1.34, 0.96, 0.58,
];
/// The days of a week, Monday first.
const DAYS: [f64; 7] = [1.0, 0.97, 0.98, 1.02, 1.1, 0.84, 0.78];
/// The shop grows by so much a day.
const GROWTH: f64 = 0.003;

/// The time that is made up; days and hours are UTC's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Course {
    /// The same seed makes the same month.
    pub seed: u64,
    /// Its begin, an hour's.
    pub from: WallTime,
    /// Its end, a minute's.
    pub to: WallTime,
}

/// A time in which something is otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Event {
    from: WallTime,
    to: WallTime,
}

impl Event {
    /// Whether it lasts at that time.
    pub(super) fn holds(&self, at: WallTime) -> bool {
        self.from <= at && at < self.to
    }

    /// Its begin.
    pub(super) fn from(&self) -> WallTime {
        self.from
    }

    /// Its end.
    pub(super) fn to(&self) -> WallTime {
        self.to
    }
}

impl Course {
    /// So many full days, and a little more, up to `to`.
    pub fn new(seed: u64, to: WallTime, days: u32) -> Self {
        let to = to.minute();
        let from = hour(to).unix_micros() - (i64::from(days) + MORE_DAYS) * DAY_US;
        Self { seed, from: WallTime::from_unix_micros(from), to }
    }

    /// Days since its begin.
    pub(super) fn days(&self, at: WallTime) -> f64 {
        at.since(self.from).as_secs_f64() / 86_400.0
    }

    /// How busy the shop is, 1 on an ordinary hour of the day.
    pub(super) fn load(&self, at: WallTime) -> f64 {
        let sale = if self.sale().holds(at) { 1.8 } else { 1.0 };
        curve(at) * DAYS.get(weekday(at)).copied().unwrap_or(1.0) * (1.0 + GROWTH * self.days(at)) * sale
    }

    /// How busy the offices are: from 7 to 18 o'clock, Monday to Friday.
    pub(super) fn office(&self, at: WallTime) -> f64 {
        if weekday(at) < 5 && (7..18).contains(&hour_of_day(at)) { 1.0 } else { 0.0 }
    }

    /// For 20 hours one statement has lacked an index, and a new one is called.
    pub(super) fn release(&self) -> Event {
        let from = WallTime::from_unix_micros(hour(self.to).unix_micros() - 20 * HOUR_US);
        Event { from, to: self.to.after(Nanos::from_millis(1)) }
    }

    /// A bulk load left the planner with wrong statistics, until ANALYZE came.
    pub(super) fn bad_plan(&self) -> Event {
        self.event(11, 10.0, 6.0)
    }

    /// Payments collide.
    pub(super) fn collisions(&self) -> Event {
        self.event(5, 14.25, 0.75)
    }

    /// A sale: everybody comes, and connections run short.
    pub(super) fn sale(&self) -> Event {
        self.event(9, 9.0, 13.0)
    }

    /// Nobody reads from the replication slot.
    pub(super) fn idle_slot(&self) -> Event {
        self.event(8, 0.5, 14.0)
    }

    /// An analyst goes to lunch in the middle of a transaction.
    pub(super) fn lunch(&self) -> Event {
        self.event(3, 11.5, 0.6)
    }

    /// `days` before the end, from an hour of that day on, for some hours.
    fn event(&self, days: i64, begin: f64, hours: f64) -> Event {
        let day = self.to.unix_micros().div_euclid(DAY_US) - days;
        let from = day * DAY_US + (begin * HOUR_US as f64) as i64;
        let to = from + (hours * HOUR_US as f64) as i64;
        Event { from: WallTime::from_unix_micros(from), to: WallTime::from_unix_micros(to) }
    }
}

/// The begin of the hour that holds a time.
pub(super) fn hour(at: WallTime) -> WallTime {
    WallTime::from_unix_micros(at.unix_micros().div_euclid(HOUR_US) * HOUR_US)
}

/// 0 to 23.
pub(super) fn hour_of_day(at: WallTime) -> i64 {
    at.unix_micros().rem_euclid(DAY_US) / HOUR_US
}

/// Monday is 0.
fn weekday(at: WallTime) -> usize {
    // 1970 began on a Thursday.
    usize::try_from((at.unix_micros().div_euclid(DAY_US) + 3).rem_euclid(7)).unwrap_or_default()
}

/// Between the middles of hours it goes straight.
fn curve(at: WallTime) -> f64 {
    let hours = at.unix_micros().rem_euclid(DAY_US) as f64 / HOUR_US as f64 + 23.5;
    let of = |hour: f64| HOURS.get(hour as usize % 24).copied().unwrap_or(1.0);
    of(hours) + (of(hours + 1.0) - of(hours)) * hours.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26 08:17:42 UTC, a Thursday.
    const NOW: WallTime = WallTime::from_unix_micros(1_795_681_062_000_000);

    #[test]
    fn thirty_days_are_whole_however_late_in_an_hour_they_end() {
        let course = Course::new(1, NOW, 30);
        assert_eq!(course.to.unix_micros() % 60_000_000, 0);
        assert!(course.days(course.to) > 32.0 && course.days(course.to) < 32.1, "{}", course.days(course.to));
        assert_eq!(hour(course.from), course.from);
    }

    #[test]
    fn nights_and_sundays_are_quiet() {
        let course = Course::new(1, NOW, 30);
        let at = |day: i64, hour: i64| WallTime::from_unix_micros((20_770 + day) * DAY_US + hour * HOUR_US);
        // 20,770 days after 1970 is Friday, 13 November 2026.
        assert_eq!(weekday(at(0, 0)), 4);
        assert!(course.load(at(0, 20)) > 6.0 * course.load(at(0, 4)));
        assert!(course.load(at(2, 12)) < 0.85 * course.load(at(0, 12)));
        assert_eq!((course.office(at(0, 10)), course.office(at(0, 22)), course.office(at(1, 10))), (1.0, 0.0, 0.0));
    }

    #[test]
    fn what_goes_wrong_lies_within_the_month() {
        let course = Course::new(1, NOW, 30);
        let all = [
            course.bad_plan(),
            course.collisions(),
            course.sale(),
            course.idle_slot(),
            course.lunch(),
            course.release(),
        ];
        for event in all {
            assert!(course.from < event.from() && event.from() < event.to(), "{event:?}");
        }
        assert!(course.release().holds(course.to.before(Nanos::from_millis(60_000))));
    }
}
