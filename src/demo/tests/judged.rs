//! The whole month by the real rules: what was put into it is found, and hardly anything else.

use std::collections::BTreeMap;

use super::*;
use crate::analyze::indexes::Status;
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::level::Use;
use crate::demo::course::Course;
use crate::demo::shop::Shop;
use crate::demo::statements::{NEW, SEARCH, SLOWER};

/// 2026-11-26 08:17:42 UTC, a Thursday.
const NOW: WallTime = WallTime::from_unix_micros(1_795_681_062_000_000);

struct Seen {
    month: Month,
    rules: analyze::Settings,
    sets: Vec<Set>,
    judged: Judged,
}

/// It takes a while, so that one test looks at all of it.
fn seen() -> Seen {
    let course = Course::new(1, NOW, 30);
    let mut month = Month::new(Shop::new("demo", course), NOW);
    let mut at = course.from;
    while at < course.to {
        month.play(at);
        at = at.after(HOUR);
    }
    let rules = analyze::Settings { disk_capacity_bytes: Some(240 << 30), ..analyze::Settings::default() };
    let sets: Vec<Set> = rounds(&month).into_iter().map(|at| course.round(at, month.counted(at))).collect();
    let judged = Judging::all(&month, "demo", &rules, &TimeZone::UTC, &sets);
    Seen { month, rules, sets, judged }
}

#[test]
fn the_rules_find_what_was_put_into_the_month_and_hardly_anything_else() {
    let seen = seen();
    let health = health(&seen);
    let insight = Insight::of(&health, &seen.rules);
    three_indexes_are_unused_and_one_of_them_is_large(&insight);
    one_table_is_bloated_grows_and_has_advice(&insight);
    disk_and_key_are_full_within_weeks(&insight);
    the_statement_that_slowed_down_is_found_within_hours_and_so_was_the_bad_plan(&seen);
    alerts_have_lives(&seen);
    each_full_day_has_a_report_that_says_it_is_made_up(&seen);
}

fn health(seen: &Seen) -> Health {
    let mut health = Health::default();
    for set in &seen.sets {
        let is_daily = hour_of_day(set.at) == DAILY_HOUR || set.at >= seen.month.shop.course.to;
        remember(&mut health.history, set, is_daily);
        health.set = set.clone();
    }
    health
}

fn hash_of(seen: &Seen, sql: &str) -> String {
    let line = seen.month.shop.lines.iter().find(|line| line.spec.sql == sql).unwrap();
    line.query.query.hash.to_string()
}

fn alerts(seen: &Seen, kind: Kind) -> Vec<&Alert> {
    seen.judged.alerts.iter().filter(|alert| alert.kind == kind).collect()
}

fn three_indexes_are_unused_and_one_of_them_is_large(insight: &Insight<'_>) {
    let unused: BTreeMap<&str, Status> =
        insight.unused().map(|one| (one.index.names.index.as_str(), one.status)).collect();
    let expected = [
        ("customers_phone_idx", Status::Used(Use::Unused)),
        ("orders_status_created_at_idx", Status::Used(Use::Drop)),
        ("products_legacy_number_idx", Status::Used(Use::Unused)),
    ];
    assert_eq!(unused, expected.into());
    let quiet = insight.uses.iter().find(|one| one.index.names.index == "inventory_warehouse_id_idx").unwrap();
    assert_eq!(quiet.status, Status::Used(Use::LowUsage));
    let twice: Vec<&str> = insight.redundant.iter().map(|one| one.index.names.index.as_str()).collect();
    assert_eq!(twice, ["payments_order_id_idx1"]);
}

fn one_table_is_bloated_grows_and_has_advice(insight: &Insight<'_>) {
    let bloated: Vec<_> =
        insight.tables.iter().filter(|one| one.level >= Some(analyze::level::Bloat::Warning)).collect();
    let [carts] = bloated[..] else { panic!("{bloated:?}") };
    assert_eq!((carts.table, carts.cause.clone()), ("carts", Some(bloat::Cause::AutovacuumOff)));
    assert!(carts.bloat.unwrap().percent > 60.0 && carts.trend.unwrap().per_day > 1e6, "{carts:?}");
    assert_eq!(carts.statement.as_deref(), Some("ALTER TABLE public.carts SET (autovacuum_enabled = on);"));
}

fn disk_and_key_are_full_within_weeks(insight: &Insight<'_>) {
    let capacity = &insight.capacity;
    let disk = capacity.disk.as_ref().unwrap().full.days.unwrap();
    assert!((5.0..60.0).contains(&disk), "{disk}");
    let keys: Vec<_> = capacity.sequences.iter().map(|one| (one.name.as_str(), one.full.days.unwrap())).collect();
    assert!(matches!(keys[..], [("public.events_id_seq", days)] if (14.0..22.0).contains(&days)), "{keys:?}");
}

fn the_statement_that_slowed_down_is_found_within_hours_and_so_was_the_bad_plan(seen: &Seen) {
    let course = seen.month.shop.course;
    let found: Vec<_> = alerts(seen, Kind::Regression)
        .into_iter()
        .map(|alert| (alert.subject.query_hash.unwrap().to_string(), alert.is_open(), alert.opened_at))
        .collect();
    let [(first, false, _), (second, true, opened)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first, second), (&hash_of(seen, SEARCH), &hash_of(seen, SLOWER)));
    assert!(opened.since(course.release().from()) <= Nanos::new(3 * HOUR.get()), "{opened:?}");
    let worst = alerts(seen, Kind::Regression)[1].worst;
    assert!(worst > 2.0, "{worst}");
}

fn alerts_have_lives(seen: &Seen) {
    let all = &seen.judged.alerts;
    let open: Vec<_> = all.iter().filter(|alert| alert.is_open()).map(|alert| alert.kind).collect();
    for kind in [Kind::HighBloat, Kind::UnusedIndex, Kind::InvalidIndex, Kind::SequenceExhaustion, Kind::Regression] {
        assert_eq!(open.iter().filter(|one| **one == kind).count(), 1, "{kind}: {open:?}");
    }
    for kind in [Kind::ConnectionSaturation, Kind::ReplicationSlot, Kind::ErrorRate, Kind::IdleInTransaction] {
        let of: Vec<_> = all.iter().filter(|alert| alert.kind == kind).collect();
        assert!(matches!(of[..], [alert] if !alert.is_open() && alert.notified.is_some()), "{kind}: {of:?}");
    }
    let [bloat] = alerts(seen, Kind::HighBloat)[..] else { panic!() };
    assert_eq!(bloat.severity, Severity::Critical, "it escalated");
    let slow = alerts(seen, Kind::SlowStatement);
    assert!(slow.iter().filter(|alert| !alert.is_open()).count() >= 15, "{}", slow.len());
    for alert in all {
        assert!(
            alert.opened_at <= alert.last_seen_at && alert.last_seen_at <= alert.resolved_at.unwrap_or(NOW),
            "{alert:?}"
        );
    }
}

fn each_full_day_has_a_report_that_says_it_is_made_up(seen: &Seen) {
    let reports = &seen.judged.reports;
    assert!((31..=32).contains(&reports.len()), "{}", reports.len());
    let last = reports.last().unwrap();
    assert!(last.demo && last.day == "2026-11-25", "{}", last.day);
    assert!(last.totals.calls > 1e6 && last.totals_before.calls > 1e6);
    assert!(last.worse.iter().any(|one| one.query_hash == hash_of(seen, SLOWER)), "{:?}", last.worse);
    assert!(last.new.iter().any(|one| one.query_hash == hash_of(seen, NEW)), "{:?}", last.new);
    assert_eq!(last.unused_indexes.len(), 3);
    assert!(!last.recommendations.is_empty());
    assert!(analyze::page::text(last).starts_with("demo on 2026-11-25 (demo data, made up)\n"));
}
