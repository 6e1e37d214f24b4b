//! What is usual is said with the figures that a regression is judged by, or it is said why not.

use jiff::tz::TimeZone;

use super::noise::{Nature, hours, statement};
use super::support::hour;
use crate::analyze::baseline::Figure;
use crate::analyze::statements::Statement;
use crate::analyze::usual::{TooShort, Usual, usual};

const STEADY: Nature = Nature { calls: 400.0, typical_ms: 20.0, spread: 0.3, noise: 0.03, load: 0.0 };

/// Ten in the morning of the ninth day.
const NOW: u64 = 8 * 24 + 10;

fn seen(statement: &Statement, at: u64) -> Result<Usual, TooShort> {
    usual(statement, hour(at), &TimeZone::UTC)
}

#[test]
fn a_steady_statement_takes_what_is_usual() {
    let found = seen(&statement("s", hours(STEADY, NOW, 1, |_| 1.0)), NOW).unwrap();
    assert!((0.9..1.1).contains(&found.typical.ratio()), "{found:?}");
    assert!((0.9..1.1).contains(&found.tail.unwrap().ratio()), "{found:?}");
    assert_eq!((found.days, found.slower_since), (7, None));
    assert_eq!(found.since, hour(NOW - found.hours as u64 - 7 * 24));
}

#[test]
fn a_regression_is_shown_by_the_hours_that_say_so() {
    let slow = |at: u64| if at >= NOW - 1 { 2.0 } else { 1.0 };
    let mut one = statement("s", hours(STEADY, NOW, 2, slow));
    let found = seen(&one, NOW).unwrap();
    assert!((1.7..2.4).contains(&found.shown().ratio()), "{found:?}");
    assert_eq!((found.hours, found.slower_since), (1, Some(hour(NOW - 1))));
    // One that an alert knows of lasts since that opened, and its days are no baseline.
    let begin = NOW - 3 * 24;
    one = statement("s", hours(STEADY, NOW, 3, |at| if at >= begin { 2.0 } else { 1.0 }));
    one.regressed_since = Some(hour(begin));
    let found = seen(&one, NOW).unwrap();
    assert_eq!((found.slower_since, found.since), (Some(hour(begin)), hour(0)));
    assert!((15.0..30.0).contains(&found.typical.usual_ms), "{found:?}");
}

#[test]
fn rare_calls_take_more_hours_and_have_no_p95() {
    let rare = Nature { calls: 12.0, ..STEADY };
    let found = seen(&statement("s", hours(rare, NOW, 4, |_| 1.0)), NOW).unwrap();
    assert_eq!((found.hours, found.tail, found.shown().figure), (24, None, Figure::Typical));
}

#[test]
fn it_is_said_why_nothing_is_said() {
    let young = statement("s", hours(STEADY, 5 * 24, 5, |_| 1.0));
    assert_eq!(seen(&young, 5 * 24), Err(TooShort::History));
    let rarer = statement("s", hours(Nature { calls: 0.5, ..STEADY }, NOW, 6, |_| 1.0));
    assert_eq!(seen(&rarer, NOW), Err(TooShort::Calls));
    assert_eq!(seen(&statement("s", Vec::new()), NOW), Err(TooShort::Calls));
    let mut seldom = statement("s", hours(STEADY, NOW, 7, |_| 1.0));
    seldom.hours.retain(|one| one.at < hour(24) || one.at >= hour(6 * 24));
    assert_eq!(seen(&seldom, NOW), Err(TooShort::Days));
}
