//! What got worse is found, and normal days are no finding.

use jiff::tz::TimeZone;

use super::noise::{Nature, hours, statement};
use super::support::{day, hour};
use crate::analyze::baseline::{Figure, Hour};
use crate::analyze::judge::Judge;
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::settings::{Override, Settings};
use crate::analyze::statements::{Failures, Statement, error_rate, regression};
use crate::base::units::{Nanos, WallTime};
use crate::sql::kind::Class;

/// A statement as many are.
const USUAL: Nature = Nature { calls: 300.0, typical_ms: 20.0, spread: 0.5, noise: 0.08, load: 0.3 };

/// Days and hours of a month.
const MONTH: u64 = 30 * 24;

/// The ratio of a regression at an hour; later hours aren't known yet.
fn at(statement: &Statement, hours: u64) -> Option<f64> {
    regression(statement, hour(hours), &TimeZone::UTC).map(|regression| regression.worst.ratio())
}

/// After how many hours a slow-down by two, on a Tuesday at ten in the third week, is found. From then on no two hours
/// in a row miss it, which would be its end.
fn found_after(nature: Nature, seed: u64) -> Option<u64> {
    let begin = 15 * 24 + 10;
    let slow = |at: u64| if at >= begin { 2.0 } else { 1.0 };
    let one = statement("s", hours(nature, begin + 12, seed, slow));
    assert_eq!(at(&one, begin), None, "seed {seed}");
    let ratios: Vec<_> = (1..12).map(|later| at(&one, begin + later)).collect();
    let first = ratios.iter().position(Option::is_some)?;
    let lasts = ratios.windows(2).skip(first).all(|pair| pair.iter().any(Option::is_some));
    let is_near_two = ratios.iter().flatten().all(|ratio| (1.5..3.0).contains(ratio));
    assert!(lasts && is_near_two, "seed {seed}: {ratios:?}");
    u64::try_from(first + 1).ok()
}

#[test]
fn a_slow_down_by_two_is_found_within_an_hour_and_lasts_while_it_lasts() {
    let natures = [
        USUAL,
        Nature { calls: 150.0, typical_ms: 200.0, ..USUAL },
        Nature { calls: 2_000.0, typical_ms: 1.5, spread: 0.3, ..USUAL },
        Nature { load: 0.0, noise: 0.02, ..USUAL },
    ];
    for (nature, seed) in natures.into_iter().zip(0..) {
        assert_eq!(found_after(nature, seed), Some(1), "seed {seed}");
    }
    // Of fifty calls an hour it takes one more, if chance wants it so.
    let rare = Nature { calls: 60.0, typical_ms: 200.0, ..USUAL };
    assert!((0..4).all(|seed| found_after(rare, seed).is_some_and(|hours| hours <= 2)));
}

#[test]
fn a_tail_that_doubles_alone_is_found_as_such() {
    let mut one = statement("s", hours(USUAL, 9 * 24 + 13, 7, |_| 1.0));
    let newest = one.hours.last_mut().unwrap();
    for _ in 0..newest.calls / 8 {
        newest.durations.record(Nanos::from_millis(400));
    }
    newest.calls += newest.calls / 8;
    let found = regression(&one, hour(9 * 24 + 13), &TimeZone::UTC).unwrap();
    assert_eq!(found.worst.figure, Figure::Tail);
}

#[test]
fn a_month_of_normal_noise_raises_at_most_one_false_alarm() {
    let natures = [
        USUAL,
        Nature { calls: 40.0, typical_ms: 90.0, spread: 0.8, ..USUAL },
        Nature { calls: 700.0, typical_ms: 3.0, spread: 0.4, noise: 0.12, ..USUAL },
        Nature { calls: 120.0, typical_ms: 40.0, spread: 1.0, noise: 0.15, load: 0.6 },
        Nature { calls: 8.0, typical_ms: 300.0, spread: 0.6, noise: 0.1, load: 0.2 },
    ];
    let mut alarms = Vec::new();
    for (case, nature) in natures.into_iter().enumerate() {
        for seed in 0..2 {
            let all = hours(nature, MONTH, 1_000 * case as u64 + seed, |_| 1.0);
            let one = statement("s", all);
            for now in 24..=MONTH {
                alarms.extend(at(&one, now).filter(|ratio| *ratio > 1.5).map(|ratio| (case, seed, now, ratio)));
            }
        }
    }
    assert!(alarms.len() <= 1, "{alarms:?}");
}

#[test]
fn one_bad_hour_is_no_baseline() {
    // An outage last week made one hour ten times as slow; today's doubling at that hour is found all the same.
    let begin = 8 * 24 + 10;
    let factor = |at: u64| {
        if at == begin - 24 || at == begin - 48 {
            10.0
        } else if at >= begin {
            2.0
        } else {
            1.0
        }
    };
    let one = statement("s", hours(USUAL, begin + 1, 3, factor));
    assert!(at(&one, begin + 1).is_some());
}

#[test]
fn before_seven_full_days_nothing_is_said() {
    let slow_from = |day: u64| {
        let begin = day * 24 + 10;
        let one = statement("s", hours(USUAL, begin + 1, 5, |at| if at >= begin { 5.0 } else { 1.0 }));
        at(&one, begin + 1).is_some()
    };
    assert_eq!([1, 3, 6, 7, 8].map(slow_from), [false, false, false, true, true]);
}

#[test]
fn what_is_rarely_called_is_judged_by_its_last_twenty_calls_of_a_day() {
    let rare = Nature { calls: 5.0, typical_ms: 800.0, spread: 0.2, noise: 0.03, load: 0.0 };
    let begin = 15 * 24;
    let one = statement("s", hours(rare, begin + 24, 11, |at| if at >= begin { 3.0 } else { 1.0 }));
    let found = (1..=24).filter_map(|later| at(&one, begin + later)).count();
    assert!(found > 0 && at(&one, begin).is_none());
    let rarer = Nature { calls: 0.5, ..rare };
    let one = statement("s", hours(rarer, begin + 24, 11, |at| if at >= begin { 9.0 } else { 1.0 }));
    assert!((1..=24).all(|later| at(&one, begin + later).is_none()));
}

#[test]
fn a_regression_is_not_forgotten_by_becoming_usual() {
    let begin = 8 * 24 + 10;
    let mut one = statement("s", hours(USUAL, begin + 6 * 24, 13, |at| if at >= begin { 2.0 } else { 1.0 }));
    assert_eq!(at(&one, begin + 6 * 24), None, "after some days it is what is usual");
    one.regressed_since = Some(hour(begin));
    assert!(at(&one, begin + 6 * 24).is_some());
}

#[test]
fn what_is_slow_every_night_or_every_sunday_is_no_regression() {
    let nightly = |at: u64| if at % 24 == 3 { 6.0 } else { 1.0 };
    let sundays = |at: u64| if at / 24 % 7 == 6 { 3.0 } else { 1.0 };
    let busy = Nature { calls: 2_000.0, load: 0.0, ..USUAL };
    let night = statement("s", hours(busy, 15 * 24, 17, nightly));
    assert!((8 * 24..15 * 24).all(|now| at(&night, now).is_none()));
    let sunday = statement("s", hours(busy, 21 * 24, 19, sundays));
    // The first Sunday after seven days could be one; the third is known.
    assert!((20 * 24 + 1..21 * 24).all(|now| at(&sunday, now).is_none()));
}

#[test]
fn local_hours_count_when_clocks_change() {
    // Berlin put its clocks back on 2025-10-26; a nightly job runs at three o'clock, local time.
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let begin: jiff::Timestamp = "2025-10-15T00:00:00Z".parse().unwrap();
    let at =
        |hours: u64| WallTime::from_unix_micros(begin.as_microsecond()).after(Nanos::from_millis(hours * 3_600_000));
    let local = |at: WallTime| zone.to_datetime(jiff::Timestamp::from_microsecond(at.unix_micros()).unwrap()).hour();
    let mut one = statement("s", Vec::new());
    for hours in 0..16 * 24 {
        let ms = if local(at(hours)) == 3 { 100 } else { 10 };
        let mut hour = Hour { at: at(hours), calls: 100, ..Hour::default() };
        (0..100).for_each(|_| hour.durations.record(Nanos::from_millis(ms)));
        one.hours.push(hour);
    }
    let judged = (8 * 24..16 * 24).filter(|hours| regression(&one, at(*hours), &zone).is_some()).count();
    assert_eq!(judged, 0);
    let in_utc = (8 * 24..16 * 24).filter(|hours| regression(&one, at(*hours), &TimeZone::UTC).is_some()).count();
    assert!(in_utc > 0, "by UTC the job moved by an hour");
}

#[test]
fn findings_are_of_data_and_by_the_owner_s_threshold() {
    let begin = 15 * 24 + 10;
    let slow = |name: &str| statement(name, hours(USUAL, begin + 1, 23, |at| if at >= begin { 2.0 } else { 1.0 }));
    let all = [
        slow("SELECT a"),
        Statement { class: Class::Introspection, ..slow("SELECT pg_class") },
        Statement { is_exempt: true, ..slow("SELECT report") },
    ];
    let found =
        |settings: &Settings| Judge { settings, server: "db" }.regressions(hour(begin + 1), &all, &TimeZone::UTC);
    let findings = found(&Settings::default());
    let [one] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((one.kind, one.sightings[0].severity), (Kind::Regression, Severity::Warning));
    assert!(one.message.starts_with("SELECT a in shop takes"), "{}", one.message);
    let rule = Override { kind: Kind::Regression, database: None, query_hash: None, threshold: Some(3.0) };
    assert!(found(&Settings { overrides: vec![rule], ..Settings::default() }).is_empty());
}

/// Hours of a statement of which so many calls of a hundred fail.
fn failing(days: u64, errors: u64) -> Statement {
    let hours = (0..days * 24).map(|at| Hour { at: hour(at), calls: 100, errors, ..Hour::default() });
    statement("INSERT orders", hours.collect())
}

#[test]
fn an_error_rate_is_found_when_it_jumps_and_not_when_it_is_usual() {
    let rate = |statement: Statement, calls, errors| error_rate(&Failures { statement, at: day(8), calls, errors });
    assert_eq!(rate(failing(8, 0), 100, 30), Some(30.0));
    assert_eq!(rate(failing(8, 30), 100, 32), None);
    assert_eq!(rate(failing(8, 2), 100, 3), None);
    // Too few calls, too few failures, too short a history.
    assert_eq!(rate(failing(8, 0), 19, 19), None);
    assert_eq!(rate(failing(8, 0), 100, 4), None);
    assert_eq!(rate(Statement { hours: failing(8, 0).hours.split_off(4 * 24), ..failing(8, 0) }, 100, 30), None);
    // Five of twenty could be chance where one in ten fails.
    assert_eq!(rate(failing(8, 10), 20, 5), None);
    let settings = Settings::default();
    let judge = Judge { settings: &settings, server: "db" };
    let found =
        |errors| judge.error_rates(&[Failures { statement: failing(8, 0), at: day(8), calls: 200, errors }]).len();
    assert_eq!([8, 20].map(found), [0, 1]);
}
