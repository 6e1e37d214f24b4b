//! The shop: the same twice, its figures in themselves consistent, its statements told apart by their hashes.

use std::collections::BTreeSet;

use super::*;
use crate::demo::month::Month;

/// 2026-11-26 08:17:42 UTC, a Thursday.
const NOW: WallTime = WallTime::from_unix_micros(1_795_681_062_000_000);

fn shop() -> Shop {
    Shop::new("demo", Course::new(1, NOW, 30))
}

#[test]
fn statements_have_hashes_of_their_own_and_texts_without_literals() {
    let shop = shop();
    let hashes: BTreeSet<_> = shop.lines.iter().map(|line| line.query.query.hash).collect();
    assert_eq!(hashes.len(), shop.statements());
    assert!(shop.statements() >= 40);
    for line in &shop.lines {
        assert!(!line.query.query.text.contains('\''), "{}", line.query.query.text);
        assert!(line.query.class != Class::Data || !line.query.summary.is_empty(), "{}", line.query.query.text);
    }
}

#[test]
fn a_month_is_the_same_twice_and_another_one_with_another_seed() {
    let course = |seed| Course::new(seed, NOW, 30);
    let calls = |seed| {
        let shop = Shop::new("demo", course(seed));
        shop.calls(NOW, shop.course.from, shop.course.from.after(Nanos::new(24 * HOUR.get())))
    };
    assert_eq!(calls(1), calls(1));
    assert_ne!(calls(1), calls(2));
}

#[test]
fn figures_of_a_minute_agree_with_one_another() {
    let shop = shop();
    let at = hour(NOW).before(Nanos::new(40 * HOUR.get()));
    let mut seen = 0;
    for (line, span) in shop.lines.iter().flat_map(|line| [(line, MINUTE), (line, HOUR)]) {
        let Some(stats) = shop.stats(line, at, span, &mut Vec::new()) else { continue };
        seen += 1;
        assert_eq!(stats.durations.count(), stats.calls);
        assert_eq!(stats.levels.iter().sum::<u64>(), stats.calls);
        assert_eq!(stats.codes.iter().map(|(_, count)| count).sum::<u64>(), stats.errors);
        assert!(stats.min <= stats.max && stats.total >= stats.max, "{stats:?}");
        assert!(stats.errors <= stats.calls && stats.first_row <= stats.total);
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn minutes_make_about_the_hour_that_stands_for_them() {
    let shop = shop();
    let from = hour(NOW).before(Nanos::new(30 * HOUR.get()));
    let to = from.after(HOUR);
    let (fine, coarse) = (shop.calls(from, from, to) as f64, shop.calls(to, from, to) as f64);
    assert!((fine / coarse - 1.0).abs() < 0.1, "{fine} {coarse}");
}

#[test]
fn what_is_played_is_what_is_counted() {
    let shop = shop();
    let from = shop.course.from;
    let mut month = Month::new(shop.clone(), NOW);
    let handed: u64 = (0..5)
        .flat_map(|n| month.play(from.after(Nanos::new(n * HOUR.get()))))
        .map(|(_, minutes)| minutes.calls())
        .sum();
    assert_eq!(handed, month.calls());
    assert_eq!(handed, shop.calls(NOW, from, from.after(Nanos::new(5 * HOUR.get()))));
}
