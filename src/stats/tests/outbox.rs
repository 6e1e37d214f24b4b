//! Each execution is handed out once, whatever clocks, late harvests and a full channel do.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::Nanos;
use crate::stats::Settings;
use crate::stats::live::LiveView;
use crate::stats::minutes::Minutes;
use crate::stats::outbox::Outbox;
use crate::stats::tests::support::{Worker, at};

struct Desk {
    view: LiveView,
    outbox: Outbox,
    worker: Worker,
    telemetry: Arc<Telemetry>,
}

impl Desk {
    fn new(most_bytes: usize) -> Self {
        let telemetry = Arc::new(Telemetry::default());
        Self {
            view: LiveView::new(&Settings::default(), at(0), Arc::default()),
            outbox: Outbox::new(most_bytes, Arc::clone(&telemetry)),
            worker: Worker::alone(),
            telemetry,
        }
    }

    /// Executes `text` so often and hands it in.
    fn run(&mut self, text: &str, calls: u64, second: i64) {
        (0..calls).for_each(|_| self.worker.run(text, "web", 1));
        self.worker.hand_in_to(&mut self.view, Some(&mut self.outbox), second);
    }

    /// Begin and calls of each span that can be taken.
    fn taken(&mut self, second: i64) -> Vec<(i64, u64)> {
        let taken = std::iter::from_fn(|| self.outbox.take(at(second)));
        taken
            .flat_map(|minutes| minutes.spans)
            .map(|span| (span.from().unix_micros() / 1_000_000, span.calls()))
            .collect()
    }
}

#[test]
fn a_minute_is_handed_out_once_when_it_is_over() {
    let mut desk = Desk::new(1 << 20);
    desk.run("select a", 2, 30);
    assert_eq!(desk.taken(59), []);
    desk.run("select a", 3, 61);
    assert_eq!(desk.taken(61), [(0, 2)]);
    assert_eq!(desk.taken(62), []);
    let rest = desk.outbox.take_all().expect("the open minute");
    assert_eq!((rest.calls(), rest.spans.len()), (3, 1));
    assert!(desk.outbox.take_all().is_none());
}

#[test]
fn what_comes_late_is_a_span_of_its_own() {
    let mut desk = Desk::new(1 << 20);
    desk.run("select a", 2, 30);
    assert_eq!(desk.taken(61), [(0, 2)]);
    desk.run("select a", 5, 59);
    assert_eq!(desk.taken(62), [(0, 5)]);
}

#[test]
fn a_clock_that_was_set_back_doubles_nothing() {
    let mut desk = Desk::new(1 << 20);
    desk.run("select a", 1, 30);
    desk.run("select a", 2, 90);
    assert_eq!(desk.taken(90), [(0, 1)]);
    desk.view.tick(at(40));
    desk.run("select a", 4, 41);
    assert_eq!(desk.taken(42), [(60, 2)], "what lies ahead of the clock won't grow any more");
    assert_eq!(desk.taken(60), [(0, 4)]);
}

#[test]
fn nothing_is_handed_out_when_nothing_happened() {
    let mut desk = Desk::new(1 << 20);
    desk.worker.recorder.forwarded(Nanos::from_micros(3));
    desk.run("", 0, 10);
    assert!(desk.outbox.take(at(100)).is_none());
    assert!(desk.outbox.take_all().is_none());
}

#[test]
fn a_store_that_is_away_costs_resolution_and_no_count() {
    let mut desk = Desk::new(256 << 10);
    for minute in 0..600i64 {
        for n in 0..40 {
            desk.run(&format!("select c{}", (minute + n) % 3_000), 1, minute * 60 + 1);
        }
        desk.outbox.settle(at(minute * 60 + 30));
    }
    let spans = desk.taken(36_000);
    assert!(spans.len() < 600, "{}", spans.len());
    assert_eq!(spans.iter().map(|(_, calls)| calls).sum::<u64>(), 24_000);
}

#[test]
fn the_most_used_series_keep_their_rows() {
    let mut desk = Desk::new(64 << 10);
    desk.run("select often", 50, 1);
    (0..2_000).for_each(|n| desk.run(&format!("select c{n}"), 1, 1));
    desk.outbox.settle(at(61));
    let minutes = desk.outbox.take(at(61)).expect("a minute");
    let series: BTreeMap<String, u64> =
        minutes.spans[0].series().map(|row| (row.query.query.text.to_string(), row.stats.calls)).collect();
    assert_eq!(series["select often"], 50);
    assert!(series["(other)"] > 1_000, "{}", series["(other)"]);
    assert_eq!(series.values().sum::<u64>(), 2_050);
}

#[test]
fn slow_executions_tell_how_many_were_not_told() {
    let mut desk = Desk::new(1 << 20);
    for second in 0..10 {
        (0..10).for_each(|_| desk.worker.run("select slow", "web", 700));
        desk.run("", 0, second);
    }
    let minutes = desk.outbox.take(at(10)).expect("slow ones before the minute is over");
    assert!(minutes.spans.is_empty());
    assert_eq!(minutes.slow.len(), 60);
    assert_eq!(minutes.slow.iter().map(|noted| noted.suppressed).sum::<u64>(), 40);
    (0..40).for_each(|_| desk.worker.run("select often", "web", 700));
    desk.run("", 0, 9);
    let often = desk.outbox.take(at(10)).expect("some of it").slow;
    let suppressed = often.iter().map(|noted| noted.suppressed).sum::<u64>();
    assert_eq!(often.len() as u64 + suppressed, 40, "those that the worker had no room for are told, too");
    for n in 0..1_500 {
        desk.worker.run(&format!("select s{}", n % 100), "web", 700);
        desk.run("", 0, 10 + n);
    }
    assert_eq!(desk.outbox.take_all().expect("some").slow.len(), 1_000);
    assert_eq!(desk.telemetry.dropped_total(Dropped::Outbox), 500);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_execution_is_handed_out_once(
        steps in prop::collection::vec((0i64..600, 0u64..20, any::<bool>(), any::<bool>()), 1..30),
    ) {
        let mut desk = Desk::new(32 << 10);
        let (mut told, mut expected) = (0, 0);
        let calls = |minutes: &Minutes| minutes.calls();
        for (second, count, takes, ticks) in steps {
            (0..count).for_each(|n| desk.run(&format!("select c{n}"), 1, second));
            expected += count;
            if ticks {
                desk.view.tick(at(second));
            }
            desk.outbox.settle(at(second));
            if takes {
                told += desk.outbox.take(at(second)).as_ref().map_or(0, calls);
            }
        }
        told += desk.outbox.take_all().as_ref().map_or(0, calls);
        prop_assert_eq!(told, expected);
    }
}
