//! When a job is due, as a cron expression in a time zone says it, and the slot that an instant belongs to. Pure.
//!
//! Clocks that change: a time that the clock skips is due when the skipped hour is over, a time that comes twice is due
//! twice. What must not be done twice has a slot: the hour as it passes everywhere, the day as the local calendar names it.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::base::units::WallTime;

const HOUR_US: i64 = 3_600_000_000;
/// Eight years and a bit: 29 February is not in 2100.
const DAYS_MAX: usize = 366 * 9;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A cron expression: minute, hour, day of the month, month, day of the week.
///
/// As everywhere: lists, ranges, steps, English names of months and weekdays, 0 and 7 for Sunday; where day of the month
/// and day of the week are both given, either will do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// What is wrong with an expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Not five parts.
    #[error("{0} fields, not five")]
    Fields(usize),
    /// A part that can't be read.
    #[error("\"{part}\" is no {field}")]
    Part {
        /// Which of the five.
        field: &'static str,
        /// What was written.
        part: String,
    },
    /// As of 30 February.
    #[error("no day is ever like that")]
    Never,
}

/// The values that one of the five admits, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Field {
    values: u64,
    /// It begins with `*`.
    is_any: bool,
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.values >> value & 1 == 1)
    }
}

/// What one of the five may hold.
struct Range {
    field: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

impl Range {
    fn parse(&self, text: &str) -> Result<Field, Error> {
        let refused = |part: &str| Error::Part { field: self.field, part: part.to_owned() };
        let mut values = 0;
        for part in text.split(',') {
            values |= self.part(part).ok_or_else(|| refused(part))?;
        }
        Ok(Field { values, is_any: text.starts_with('*') })
    }

    /// `*`, `a`, `a-b`, each with or without `/step`; `a/step` reaches to the end.
    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if step.is_some() => (self.value(range)?, self.last),
            None => (self.value(range)?, self.value(range)?),
        };
        let steps = (from..=to).step_by(step.unwrap_or(1) as usize);
        (from <= to).then(|| steps.fold(0, |values, value| values | 1 << value))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let named = named.and_then(|place| Some(u32::try_from(place).ok()? + self.first));
        named.or_else(|| number(text)).filter(|value| (self.first..=self.last).contains(value))
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else { return Err(Error::Fields(fields.len())) };
        let range = |field, first, last, names| Range { field, first, last, names };
        let mut weekdays = range("day of the week", 0, 7, &WEEKDAYS).parse(weekdays)?;
        weekdays.values |= weekdays.values >> 7;
        let schedule = Self {
            text: fields.join(" "),
            minutes: range("minute", 0, 59, &[]).parse(minutes)?,
            hours: range("hour", 0, 23, &[]).parse(hours)?,
            days: range("day of the month", 1, 31, &[]).parse(days)?,
            months: range("month", 1, 12, &MONTHS).parse(months)?,
            weekdays,
        };
        let comes = schedule.next(WallTime::default(), &TimeZone::UTC).is_some();
        if comes { Ok(schedule) } else { Err(Error::Never) }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Schedule {
    /// When it is due next after `after`; `None` beyond the calendar's end.
    pub fn next(&self, after: WallTime, zone: &TimeZone) -> Option<WallTime> {
        let after = Timestamp::from_microsecond(after.unix_micros()).ok()?;
        // From the day before: a clock that is put back over midnight returns to it.
        let first = date(after, zone).yesterday().unwrap_or(Date::MIN);
        let mut days = first.series(1.day()).take(DAYS_MAX).filter(|date| self.admits(*date));
        let due = days.find_map(|date| self.instants(date, zone).into_iter().filter(|due| *due > after).min())?;
        Some(WallTime::from_unix_micros(due.as_microsecond()))
    }

    fn admits(&self, date: Date) -> bool {
        let (day, weekday) = (self.days.has(date.day()), self.weekdays.has(weekday(date)));
        let either = !self.days.is_any && !self.weekdays.is_any;
        self.months.has(date.month()) && if either { day || weekday } else { day && weekday }
    }

    /// When it is due on that day.
    fn instants(&self, date: Date, zone: &TimeZone) -> Vec<Timestamp> {
        let mut instants = Vec::new();
        for hour in (0..24).filter(|hour| self.hours.has(*hour)) {
            for minute in (0..60).filter(|minute| self.minutes.has(*minute)) {
                let at = zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
                if matches!(at.offset(), AmbiguousOffset::Fold { .. }) {
                    instants.extend(at.earlier());
                }
                instants.extend(at.later());
            }
        }
        instants
    }
}

fn weekday(date: Date) -> i8 {
    Weekday::to_sunday_zero_offset(date.weekday())
}

fn date(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// The begin of the hour that holds `at`, the same in every time zone of whole hours.
pub fn hour_of(at: WallTime) -> WallTime {
    WallTime::from_unix_micros(at.unix_micros().div_euclid(HOUR_US) * HOUR_US)
}

/// The local day that holds `at`.
pub fn day_of(at: WallTime, zone: &TimeZone) -> Date {
    Timestamp::from_microsecond(at.unix_micros()).map_or(Date::ZERO, |at| date(at, zone))
}

/// How a day's slot is written: the midnight that UTC has of that date, whatever the local one was.
pub fn slot_of(day: Date) -> WallTime {
    let midnight = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    midnight.map_or(WallTime::default(), |at| WallTime::from_unix_micros(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn wall(text: &str) -> WallTime {
        WallTime::from_unix_micros(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    /// Berlin's rules, without a database of time zones: +1, +2 from the last Sunday of March to that of October.
    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn expressions_are_read_as_everywhere() {
        let next = |text: &str, after: &str| schedule(text).next(wall(after), &TimeZone::UTC).unwrap();
        // A Saturday.
        let now = "2026-01-31T12:30:30Z";
        for (text, due) in [
            ("* * * * *", "2026-01-31T12:31:00Z"),
            ("0 * * * *", "2026-01-31T13:00:00Z"),
            ("30 12 * * *", "2026-02-01T12:30:00Z"),
            ("*/20 * * * *", "2026-01-31T12:40:00Z"),
            ("5/20 13-14 * * *", "2026-01-31T13:05:00Z"),
            ("0 2 1,15 * *", "2026-02-01T02:00:00Z"),
            ("0 2 * Mar,jun *", "2026-03-01T02:00:00Z"),
            ("0 2 * * mon-fri", "2026-02-02T02:00:00Z"),
            ("0 2 * * 7", "2026-02-01T02:00:00Z"),
            ("0 2 * * 0", "2026-02-01T02:00:00Z"),
            ("0 2 29 2 *", "2028-02-29T02:00:00Z"),
            // Either will do, unless one of them is any.
            ("0 2 13 * fri", "2026-02-06T02:00:00Z"),
            ("0 2 */2 * sun", "2026-02-01T02:00:00Z"),
        ] {
            assert_eq!(next(text, now), wall(due), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
        for text in ["*/0 * * * *", "+5 * * * *", "5- * * * *", "9-5 * * * *", "* * * foo *", "1,,2 * * * *", "@daily"]
        {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
        assert_eq!("0 2 30 2 *".parse::<Schedule>(), Err(Error::Never));
    }

    #[test]
    fn a_time_that_the_clock_skips_is_due_on_that_day_all_the_same() {
        let nightly = schedule("30 2 * * *");
        let due = nightly.next(wall("2026-03-28T12:00:00Z"), &berlin());
        assert_eq!(due, Some(wall("2026-03-29T01:30:00Z")), "03:30 in summer time");
        let hourly = schedule("0 * * * *");
        let (before, after) = (wall("2026-03-29T00:00:00Z"), wall("2026-03-29T01:00:00Z"));
        assert_eq!(hourly.next(before, &berlin()), Some(after), "one hour later, though the clock shows two more");
    }

    #[test]
    fn an_hour_that_comes_twice_is_two_hours_and_one_day() {
        let hourly = schedule("0 * * * *");
        let (first, second) = (wall("2026-10-25T00:00:00Z"), wall("2026-10-25T01:00:00Z"));
        assert_eq!(hourly.next(first, &berlin()), Some(second), "02:00 and 02:00");
        assert_ne!(hour_of(first), hour_of(second));
        assert_eq!(day_of(first, &berlin()), day_of(second, &berlin()));
    }

    #[test]
    fn a_day_is_the_local_calendar_s() {
        let late = wall("2026-01-31T23:30:00Z");
        assert_eq!(day_of(late, &berlin()), date(2026, 2, 1));
        assert_eq!(slot_of(day_of(late, &berlin())), wall("2026-02-01T00:00:00Z"));
        assert_eq!(slot_of(day_of(late, &TimeZone::UTC)), wall("2026-01-31T00:00:00Z"));
        assert_eq!(hour_of(late), wall("2026-01-31T23:00:00Z"));
    }

    proptest! {
        /// Whenever one begins, what comes next is later, is due, and nothing between is.
        #[test]
        fn the_next_time_is_the_first_that_is_due(
            minute in 0..60i64, hour in 0..24i64, start in 0..800_000_000i64, step in 1..59u32
        ) {
            let zone = berlin();
            let after = WallTime::from_unix_micros((1_700_000_000 + start) * 1_000_000);
            let daily = schedule(&format!("{minute} {hour} * * *"));
            let due = daily.next(after, &zone).unwrap();
            prop_assert!(due > after && due.since(after).as_secs_f64() <= 26.0 * 3_600.0);
            let shown = zone.to_datetime(Timestamp::from_microsecond(due.unix_micros()).unwrap());
            let skipped = shown.date().month() == 3 && shown.hour() == 3;
            prop_assert!(skipped || (i64::from(shown.hour()), i64::from(shown.minute())) == (hour, minute));
            let often = schedule(&format!("*/{step} * * * *")).next(after, &zone).unwrap();
            prop_assert!(often > after && often.since(after).as_secs_f64() <= 60.0 * f64::from(step));
        }

        /// A daily job has a slot on each local date, and every date gets one.
        #[test]
        fn no_day_is_left_out(minute in 0..60, hour in 0..24, start in 0..800_000_000i64) {
            let (zone, daily) = (berlin(), schedule(&format!("{minute} {hour} * * *")));
            let mut at = daily.next(WallTime::from_unix_micros((1_700_000_000 + start) * 1_000_000), &zone).unwrap();
            for _ in 0..20 {
                let next = daily.next(at, &zone).unwrap();
                let (today, then) = (day_of(at, &zone), day_of(next, &zone));
                prop_assert!(then == today || then == today.tomorrow().unwrap(), "{today} {then}");
                at = next;
            }
        }

        /// Nothing that anybody writes panics, and what is read is written as it was meant.
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9*/, -]{9,30}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
            }
        }
    }
}
