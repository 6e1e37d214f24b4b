//! Quiet hours, also where the clock jumps.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::units::WallTime;
use crate::notify::quiet::{NotHours, QuietHours};

fn instant(text: &str) -> WallTime {
    WallTime::from_unix_micros(text.parse::<Timestamp>().unwrap().as_microsecond())
}

#[track_caller]
fn check(hours: &str, zone: &str, now: &str, end: Option<&str>) {
    let hours = QuietHours::parse(hours).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    assert_eq!(hours.end(instant(now), &zone), end.map(instant), "{now}");
}

#[test]
fn hours_over_midnight_end_on_the_next_morning() {
    let hours = "22:00-07:00";
    check(hours, "UTC", "2026-11-26T21:59:59Z", None);
    check(hours, "UTC", "2026-11-26T22:00:00Z", Some("2026-11-27T07:00:00Z"));
    check(hours, "UTC", "2026-11-27T06:59:59Z", Some("2026-11-27T07:00:00Z"));
    check(hours, "UTC", "2026-11-27T07:00:00Z", None);
}

#[test]
fn hours_within_a_day_end_on_it() {
    check("12:00-13:30", "UTC", "2026-11-26T12:00:00Z", Some("2026-11-26T13:30:00Z"));
    check("12:00-13:30", "UTC", "2026-11-26T13:30:00Z", None);
    check("12:00-13:30", "UTC", "2026-11-26T11:59:00Z", None);
}

#[test]
fn hours_are_those_of_the_owner_also_when_clocks_change() {
    check("22:00-07:00", "Asia/Tokyo", "2026-11-26T13:00:00Z", Some("2026-11-26T22:00:00Z"));
    // In the night to 2026-10-25 Berlin's clocks go back: the night has an hour more.
    check("22:00-07:00", "Europe/Berlin", "2026-10-24T20:00:00Z", Some("2026-10-25T06:00:00Z"));
    // In the night to 2026-03-29 they skip 02:00 to 03:00.
    check("22:00-02:30", "Europe/Berlin", "2026-03-28T21:30:00Z", Some("2026-03-29T01:30:00Z"));
}

#[test]
fn what_is_no_pair_of_times_is_refused() {
    for text in ["", "22:00", "22-7", "22:00-24:00", "22:0-07:00", "22:60-07:00", "-1:00-07:00", "a:00-b:00"] {
        assert_eq!(QuietHours::parse(text), Err(NotHours::Form), "{text}");
    }
    assert_eq!(QuietHours::parse("07:00 - 7:00"), Err(NotHours::Same));
    assert!(QuietHours::parse("9:00 - 17:00").is_ok());
}
