//! Minutes open, close, take late harvests, leave; no execution is lost or counted twice on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::support::{Worker, at, ever, window};
use crate::base::units::Nanos;
use crate::stats::Settings;
use crate::stats::live::{Filter, LiveView, TimelinePoint};

fn view() -> LiveView {
    LiveView::new(&Settings::default(), at(0), Arc::default())
}

fn calls(view: &LiveView, from: i64, to: i64) -> u64 {
    view.totals(window(from, to), &Filter::default()).calls
}

fn timeline(view: &LiveView) -> Vec<TimelinePoint> {
    view.timeline(ever(), &Filter::default(), None)
}

#[test]
fn a_minute_closes_when_it_is_over_and_not_before() {
    let (mut view, mut worker) = (view(), Worker::alone());
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 30);
    view.tick(at(59));
    assert_eq!(timeline(&view).len(), 1);
    view.tick(at(60));
    worker.run("select a", "web", 1);
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 61);
    let points: Vec<_> = timeline(&view).iter().map(|p| (p.at, p.stats.as_ref().map(|s| s.calls))).collect();
    assert_eq!(points, [(at(0), Some(1)), (at(60), Some(2))]);
    assert_eq!((calls(&view, 0, 60), calls(&view, 60, 120), calls(&view, 0, 61)), (1, 2, 3));
}

#[test]
fn a_late_harvest_goes_into_its_own_minute() {
    let (mut view, mut worker) = (view(), Worker::alone());
    view.tick(at(130));
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 59);
    assert_eq!((calls(&view, 0, 60), calls(&view, 60, 180)), (1, 0));
    assert_eq!(view.at(), at(130));
}

#[test]
fn time_that_nobody_watched_is_a_gap_and_not_a_zero() {
    let (mut view, mut worker) = (view(), Worker::alone());
    view.tick(at(10));
    view.tick(at(300));
    let points = timeline(&view);
    let [first, gap, now] = &points[..] else { panic!("{points:?}") };
    assert_eq!(first.stats.as_ref().map(|s| s.calls), Some(0));
    assert_eq!((gap.at, gap.step, gap.stats.is_none()), (at(60), Nanos::from_millis(240_000), true));
    assert_eq!(now.at, at(300));
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 125);
    assert_eq!(calls(&view, 120, 180), 1);
}

#[test]
fn after_an_hour_minutes_leave_but_since_start_knows_them() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for minute in 0..100 {
        worker.run("select a", "web", 1);
        worker.hand_in(&mut view, minute * 60 + 30);
        view.tick(at(minute * 60 + 59));
    }
    assert_eq!(timeline(&view).len(), 61);
    assert_eq!(view.covered(window(10, 6_000)).from, at(39 * 60));
    assert_eq!(calls(&view, 10, 6_000), 61);
    assert_eq!(view.covered(window(-86_400, 6_000)), window(0, 6_000));
    assert_eq!(calls(&view, -86_400, 6_000), 100);
    // Too late even for the hour: it still counts since start.
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 30);
    assert_eq!((calls(&view, 10, 6_000), calls(&view, 0, 6_000)), (61, 101));
}

#[test]
fn a_clock_set_back_loses_nothing() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for second in [30, 90, 100_030] {
        worker.run("select a", "web", 1);
        worker.hand_in(&mut view, second);
        view.tick(at(second));
    }
    view.tick(at(95));
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 96);
    view.tick(at(97));
    assert_eq!(view.at(), at(97));
    assert_eq!(calls(&view, 0, 200), 4);
    assert_eq!(timeline(&view).last().map(|p| p.at), Some(at(60)));
}

#[test]
fn a_reader_keeps_what_it_took() {
    let (mut view, mut worker) = (view(), Worker::alone());
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 1);
    let taken = view.clone();
    worker.run("select a", "web", 1);
    worker.hand_in(&mut view, 2);
    assert_eq!((calls(&taken, 0, 60), calls(&view, 0, 60)), (1, 2));
    assert_eq!(taken.cumulative().levels, [1, 0, 0, 0]);
}

#[test]
fn coarser_steps_hold_the_same_counts() {
    let (view, mut worker) = (view(), Worker::alone());
    let mut view = view.bounded(400 << 10);
    let mut expected = BTreeMap::new();
    for minute in 0..50i64 {
        for n in 0..40 {
            worker.run(&format!("select c{n}"), "web", n);
        }
        *expected.entry(minute).or_insert(0) += 40;
        worker.hand_in(&mut view, minute * 60 + 1);
    }
    let points = timeline(&view);
    assert!(points.len() < 50, "{}", points.len());
    let mut next = at(0);
    for point in &points {
        assert_eq!(point.at, next);
        next = point.at.after(point.step);
        let minutes = point.step.get() / 60_000_000_000;
        assert_eq!(point.stats.as_ref().map(|s| s.calls), Some(40 * minutes));
    }
    let steps: Vec<u64> = points.iter().map(|p| p.step.get()).collect();
    assert!(steps.windows(2).all(|pair| pair[0] >= pair[1]), "older steps are the coarser ones: {steps:?}");
    assert_eq!(calls(&view, 0, 3_000), 2_000);
    assert_eq!(view.series().0, 40);
    let first = points.first().expect("some").step;
    let inside = window(61, 3_000);
    assert_eq!(view.covered(inside).from, at(0), "the oldest step is {first} long and answers whole");
}

proptest! {
    #[test]
    fn the_order_of_harvests_does_not_matter(
        taken in prop::collection::vec((0i64..7_200, 0u64..30, 0u64..2_000), 1..80), seed in any::<u64>(),
    ) {
        let mut shuffled = taken.clone();
        let len = shuffled.len();
        (0..len).for_each(|n| shuffled.swap(n, (seed as usize).wrapping_mul(n + 7) % len));
        let [a, b] = [taken.clone(), shuffled].map(|order| {
            let mut view = view();
            for (second, which, millis) in order {
                let mut worker = Worker::alone();
                worker.run(&format!("select c{which}"), "web", millis);
                worker.hand_in(&mut view, second);
            }
            view.tick(at(7_201));
            view
        });
        let all = |view: &LiveView| view.totals(ever(), &Filter::default());
        prop_assert_eq!(all(&a), all(&b));
        prop_assert_eq!(all(&a).total, taken.iter().map(|(_, _, millis)| Nanos::from_millis(*millis)).sum());
        prop_assert_eq!(a.cumulative().levels, b.cumulative().levels);
        prop_assert_eq!(calls(&a, 3_600, 7_260), calls(&b, 3_600, 7_260));
    }

    #[test]
    fn what_is_cumulative_never_falls(steps in prop::collection::vec((1i64..400, 0u64..30), 1..60)) {
        let (mut view, mut worker, mut now, mut before) = (view(), Worker::alone(), 0, 0);
        for (wait, calls) in steps {
            now += wait;
            (0..calls).for_each(|n| worker.run(&format!("select c{n}"), "web", n));
            worker.hand_in(&mut view, now);
            view.tick(at(now));
            let total = view.cumulative().statements.values().map(|stats| stats.calls).sum::<u64>();
            prop_assert_eq!(total, before + calls);
            before = total;
        }
        prop_assert_eq!(calls(&view, 0, now + 60), before);
    }
}
