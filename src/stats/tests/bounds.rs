//! Ceilings: of series, of memory, of labels. What does not fit is visible, and counts stay exact.

use std::sync::Arc;

use super::support::{Worker, at, ever, identity, observation, query};
use crate::base::units::Nanos;
use crate::session::observation::Event;
use crate::sql::query::Pseudo;
use crate::stats::live::{Filter, GroupBy, LiveView, StatementRow};
use crate::stats::{Settings, ceiling};

fn settings(max_series: usize) -> Settings {
    Settings { max_series, ..Settings::default() }
}

fn row(view: &LiveView, text: &str) -> Option<StatementRow> {
    let hash = query(text).hash;
    view.statements(ever(), &Filter::default(), GroupBy::Hash).into_iter().find(|row| row.query.query.hash == hash)
}

fn calls(view: &LiveView) -> u64 {
    view.totals(ever(), &Filter::default()).calls
}

#[test]
fn what_does_not_fit_is_one_visible_series() {
    let settings = settings(300);
    let (mut view, mut worker) =
        (LiveView::new(&settings, at(0), Arc::default()), Worker::new(0, 1, &Settings::default()));
    for n in 0..1_000 {
        worker.run(&format!("select c{n}"), "web", 1);
    }
    worker.hand_in(&mut view, 1);
    let (series, most) = view.series();
    assert_eq!((series, most), (301, 300));
    let other = row(&view, Pseudo::Other.text()).expect("(other) is a row like any other");
    assert_eq!((other.stats.calls, calls(&view)), (700, 1_000));
}

#[test]
fn a_limit_may_change_while_it_runs_and_counts_stay_exact() {
    let (mut view, mut worker) = (LiveView::new(&settings(300), at(0), Arc::default()), Worker::alone());
    (0..300).for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
    worker.hand_in(&mut view, 1);
    view.tune(&settings(100));
    assert_eq!(view.series(), (300, 100), "nobody goes before the minute is over");
    view.tick(at(60));
    assert_eq!(view.series(), (101, 100));
    view.tune(&settings(200));
    (300..500).for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
    worker.hand_in(&mut view, 61);
    assert_eq!((view.series().0, calls(&view)), (201, 500));
}

#[test]
fn series_idle_longest_make_room_when_a_minute_closes() {
    let settings = settings(300);
    let (mut view, mut worker) = (LiveView::new(&settings, at(0), Arc::default()), Worker::alone());
    for (second, names) in [(1, 0..150), (20, 150..300), (62, 100..200), (63, 300..340)] {
        names.for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
        worker.hand_in(&mut view, second);
    }
    assert!(row(&view, "select c320").is_none(), "nobody is idle before the minute is over");
    assert_eq!(row(&view, Pseudo::Other.text()).map(|row| row.stats.calls), Some(40));
    view.tick(at(120));
    (300..340).for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
    worker.hand_in(&mut view, 121);
    let has = |n: i32| row(&view, &format!("select c{n}")).is_some();
    assert_eq!((0..100).filter(|n| has(*n)).count(), 60, "forty of those idle longest made room");
    assert!((100..340).all(has));
    assert_eq!(row(&view, Pseudo::Other.text()).map(|row| row.stats.calls), Some(80));
    assert_eq!(calls(&view), 150 + 150 + 100 + 40 + 40);
}

/// A sidecar may start before its machine knows what time it is.
#[test]
fn after_a_clock_was_set_back_series_are_idle_by_the_time_that_it_shows() {
    let (mut view, mut worker) = (LiveView::new(&settings(300), at(7_200), Arc::default()), Worker::alone());
    (0..300).for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
    worker.hand_in(&mut view, 7_201);
    view.tick(at(0));
    for second in [1, 61, 121] {
        (300..340).for_each(|n| worker.run(&format!("select c{n}"), "web", 1));
        worker.hand_in(&mut view, second);
        view.tick(at(second + 59));
    }
    assert!((300..340).all(|n| row(&view, &format!("select c{n}")).is_some()), "there was nobody idle");
    assert_eq!(calls(&view), 300 + 3 * 40);
}

#[test]
fn a_hundred_thousand_statements_of_many_identities_stay_under_the_ceiling() {
    let settings = Settings::default();
    let mut view = LiveView::new(&settings, at(0), Arc::default());
    let mut workers = [0, 1].map(|number| Worker::new(number, 2, &settings));
    let identities: Vec<_> = (0..40).map(|n| identity(&format!("db{}", n % 4), &format!("app{n}"))).collect();
    let padding = "a_rather_long_column_name = $1";
    let mut told = 0u64;
    for second in 0..50i64 {
        for n in 0..2_000u64 {
            let text = query(&format!("select c{} from t where {padding}", second as u64 * 2_000 + n));
            let one = observation(&text, &identities[(n % 40) as usize], Nanos::from_micros(n * 97));
            workers[(n % 2) as usize].tell(Event::Statement(one));
            told += 1;
        }
        for worker in &mut workers {
            assert!(worker.recorder.memory_bytes() <= ceiling::worker_bytes(2));
            worker.hand_in(&mut view, second * 6);
        }
        view.tick(at(second * 6));
        assert!(view.memory_bytes() <= ceiling::MERGED, "{second}: {}", view.memory_bytes());
    }
    assert_eq!((told, calls(&view)), (100_000, 100_000));
    let (series, most) = view.series();
    assert!(series <= most + 1, "{series}");
    assert_eq!(view.cumulative().statements.values().map(|stats| stats.calls).sum::<u64>(), told);
}

#[test]
fn series_give_way_when_resolution_alone_does_not_do() {
    let mut view = LiveView::new(&Settings::default(), at(0), Arc::default()).bounded(2 << 20);
    let mut worker = Worker::alone();
    let padding = "x".repeat(2_000);
    for second in 0..20 {
        (0..200).for_each(|n| worker.run(&format!("select c{second}_{n} {padding}"), "web", 1));
        worker.hand_in(&mut view, second);
        assert!(view.memory_bytes() <= 2 << 20, "{second}: {}", view.memory_bytes());
    }
    assert_eq!(calls(&view), 4_000);
    assert!(row(&view, Pseudo::Other.text()).is_some_and(|row| row.stats.calls > 0));
}

#[test]
fn labels_that_clients_choose_are_capped() {
    let (mut view, mut worker) = (LiveView::new(&Settings::default(), at(0), Arc::default()), Worker::alone());
    for n in 0..150 {
        let one = observation(&query("select a"), &identity(&format!("db{n:03}"), "web"), Nanos::from_millis(1));
        worker.tell(Event::Statement(one));
    }
    worker.hand_in(&mut view, 1);
    let databases: Vec<_> = view.cumulative().statements.iter().map(|((db, _), s)| (&**db, s.calls)).collect();
    assert_eq!(databases.len(), 101);
    assert_eq!(databases.iter().find(|(db, _)| *db == "(other)"), Some(&("(other)", 50)));
}
