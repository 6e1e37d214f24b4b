//! What readers are told.

use std::sync::Arc;

use super::support::{Worker, at, code, ever, identity, observation, query, tagged, window};
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::Nanos;
use crate::session::observation::{Event, Observation, Outcome};
use crate::sql::statement::Tags;
use crate::stats::Settings;
use crate::stats::harvest::Harvest;
use crate::stats::live::{ActiveState, ActiveStatement, Filter, GroupBy, LiveView, Tag};

fn view() -> LiveView {
    LiveView::new(&Settings::default(), at(0), Arc::default())
}

fn of_application(application: &str) -> Filter {
    Filter { application: Some(application.to_owned()), ..Filter::default() }
}

#[test]
fn headlines_are_of_data_statements_and_lists_of_all() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for text in ["begin", "select a", "commit", "set a to $1"] {
        worker.run(text, "web", 200);
    }
    worker.hand_in(&mut view, 1);
    view.tick(at(2));
    assert_eq!(view.totals(ever(), &Filter::default()).calls, 1);
    assert_eq!(view.statements(ever(), &Filter::default(), GroupBy::Hash).len(), 4);
    assert_eq!(view.cumulative().levels, [0, 1, 0, 0]);
    assert_eq!(view.cumulative().first_row.count(), 1);
    assert_eq!((view.last_second().calls, view.last_second_top().len()), (1, 1));
    let begin = query("begin").hash;
    let [point] = &view.timeline(ever(), &Filter::default(), Some(begin))[..] else { panic!("one minute") };
    assert_eq!(point.stats.as_ref().map(|stats| stats.calls), Some(1));
}

#[test]
fn groups_split_by_what_they_name_and_filters_cut() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for (database, application) in [("app", "web"), ("app", "job"), ("log", "web")] {
        let one = observation(&query("select a"), &identity(database, application), Nanos::from_millis(1));
        worker.tell(Event::Statement(one));
    }
    worker.hand_in(&mut view, 1);
    let rows = |group| {
        let rows = view.statements(ever(), &Filter::default(), group);
        let mut rows: Vec<_> =
            rows.into_iter().map(|row| (row.database, row.user, row.application, row.stats.calls)).collect();
        rows.sort();
        rows
    };
    let some = |text: &str| Some(Box::<str>::from(text));
    assert_eq!(rows(GroupBy::Hash), [(None, None, None, 3)]);
    assert_eq!(rows(GroupBy::HashDatabase), [(some("app"), None, None, 2), (some("log"), None, None, 1)]);
    assert_eq!(
        rows(GroupBy::Full),
        [
            (some("app"), some("alice"), some("job"), 1),
            (some("app"), some("alice"), some("web"), 1),
            (some("log"), some("alice"), some("web"), 1)
        ]
    );
    assert_eq!(view.totals(ever(), &of_application("web")).calls, 2);
    assert_eq!(view.totals(ever(), &of_application("nobody")).calls, 0);
    assert_eq!(view.series(), (3, 10_000));
}

#[test]
fn a_prepare_alone_is_a_row_and_idle_time_alone_is_none() {
    let (mut view, mut worker) = (view(), Worker::alone());
    let web = identity("app", "web");
    worker.tell(Event::Prepared { query: query("select a"), identity: Arc::clone(&web), time: None });
    worker.tell(Event::IdleInTransaction { after: query("select b"), identity: web, span: Nanos::from_millis(5) });
    worker.hand_in(&mut view, 1);
    let rows = view.statements(ever(), &Filter::default(), GroupBy::Hash);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&*row.query.query.text, row.stats.prepares), ("select a", 1));
    assert_eq!(view.sessions(ever()).idle_in_transaction, Nanos::from_millis(5));
}

#[test]
fn percentiles_come_from_added_buckets() {
    let (mut view, mut worker) = (view(), Worker::alone());
    (0..99).for_each(|_| worker.run("select a", "web", 1));
    worker.hand_in(&mut view, 1);
    worker.run("select a", "job", 900);
    worker.hand_in(&mut view, 61);
    let total = view.totals(ever(), &Filter::default());
    let millis = |q| total.durations.quantile(q).map(|value| value.as_micros() / 1_000);
    assert_eq!((millis(0.5), millis(0.99), total.max), (Some(1), Some(1), Nanos::from_millis(900)));
    assert_eq!(total.durations.quantile(1.0).map(|v| v.as_micros()), Some(901_119));
}

#[test]
fn errors_are_told_by_code_and_by_statement() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for (text, n) in [("select a", 1), ("select a", 2), ("select b", 2)] {
        let mut one = observation(&query(text), &identity("app", "web"), Nanos::from_millis(1));
        one.outcome = Outcome::Failed(code(n));
        worker.tell(Event::Statement(one));
    }
    worker.hand_in(&mut view, 1);
    let errors = |hash| view.errors(ever(), &Filter::default(), hash);
    assert_eq!(errors(None), [(code(2), 2), (code(1), 1)]);
    assert_eq!(errors(Some(query("select b").hash)), [(code(2), 1)]);
    assert_eq!(view.cumulative().errors.get(&("app".into(), code(2).as_str().into())), Some(&2));
}

#[test]
fn slow_executions_come_newest_first_and_a_flood_is_counted() {
    let telemetry = Arc::new(Telemetry::default());
    let mut view = LiveView::new(&Settings::default(), at(0), Arc::clone(&telemetry));
    let mut worker = Worker::alone();
    for second in 1..10 {
        (0..12).for_each(|_| worker.run("select a", "web", 700));
        worker.run("select b", "web", 2_000);
        worker.hand_in(&mut view, second);
    }
    let all = view.slow(ever(), Nanos::ZERO, &Filter::default());
    assert_eq!(all.len(), 60 + 9);
    assert!(all.windows(2).all(|pair| pair[0].at >= pair[1].at));
    assert_eq!(telemetry.dropped_total(Dropped::SlowRing), 9 * 12 - 60);
    assert_eq!(view.slow(ever(), Nanos::from_millis(1_000), &Filter::default()).len(), 9);
    assert_eq!(view.slow(window(3, 5), Nanos::from_millis(1_000), &Filter::default()).len(), 2);
    assert!(view.slow(ever(), Nanos::ZERO, &of_application("job")).is_empty());
}

#[test]
fn after_a_clock_was_set_back_slow_executions_have_the_room_of_the_minute_that_it_shows() {
    let (mut view, mut worker) = (LiveView::new(&Settings::default(), at(7_200), Arc::default()), Worker::alone());
    for second in (7_200..7_210).chain(0..10) {
        view.tick(at(second));
        (0..10).for_each(|_| worker.run("select a", "web", 700));
        worker.hand_in(&mut view, second);
    }
    let kept = |from, to| view.slow(window(from, to), Nanos::ZERO, &Filter::default()).len();
    assert_eq!((kept(7_200, 7_260), kept(0, 60)), (60, 60));
}

#[test]
fn tags_are_told_by_value_and_give_a_statement_its_name() {
    let (mut view, mut worker) = (view(), Worker::alone());
    for (minute, text, route) in
        [(0, "select a", "/a"), (1, "select b", "/a"), (1, "begin", "/a"), (1, "select b", "/b")]
    {
        let mut one = observation(&query(text), &identity("app", "web"), Nanos::from_millis(1));
        let pairs = vec![("route".into(), route.into())];
        one.details = tagged(Tags { pairs, name: (text == "select a").then(|| "GetA".into()) });
        worker.tell(Event::Statement(one));
        worker.hand_in(&mut view, minute * 60 + 1);
    }
    let mut rows: Vec<_> =
        view.tags(ever(), "route", None).into_iter().map(|row| (row.value, row.stats.calls, row.statements)).collect();
    rows.sort();
    assert_eq!(rows, [("/a".into(), 2, 2), ("/b".into(), 1, 1)]);
    let known = view.query(query("select a").hash).expect("known");
    assert_eq!(known.name.as_deref(), Some("GetA"));
    let listed = view.statements(ever(), &Filter::default(), GroupBy::Hash);
    assert!(listed.iter().any(|row| row.query.name.as_deref() == Some("GetA")));
}

#[test]
fn what_is_in_flight_is_what_each_worker_said_last() {
    let mut view = view();
    let running = |millis| ActiveStatement {
        query: query("select a"),
        age: Nanos::from_millis(millis),
        state: ActiveState::Running,
        identity: identity("app", "web"),
        tags: None,
    };
    let said = |seconds, ages: &[u64], open_sessions| Harvest {
        active: ages.iter().map(|age| running(*age)).collect(),
        open_sessions,
        ..Harvest::empty(at(seconds))
    };
    view.absorb(0, said(1, &[5, 50], 3));
    view.absorb(1, said(1, &[20], 4));
    let ages = |view: &LiveView| view.active_statements().iter().map(|s| s.age.get() / 1_000_000).collect::<Vec<_>>();
    assert_eq!((ages(&view), view.open_sessions()), (vec![50, 20, 5], 7));
    view.absorb(0, said(2, &[], 2));
    assert_eq!((ages(&view), view.open_sessions()), (vec![20], 6));
}

#[test]
fn the_last_second_is_of_one_second_and_ranks_by_time() {
    let (mut view, mut worker) = (view(), Worker::alone());
    (0..8).for_each(|n| worker.run(&format!("select c{n}"), "web", n));
    worker.hand_in(&mut view, 10);
    view.tick(at(10));
    let top: Vec<_> = view.last_second_top().iter().map(|row| row.stats.total.get() / 1_000_000).collect();
    assert_eq!(top, [7, 6, 5, 4, 3]);
    assert_eq!(view.last_second().calls, 8);
    view.tick(at(11));
    assert_eq!(view.last_second().calls, 0);
}

#[test]
fn a_tag_leaves_what_ran_with_it_in_every_span() {
    let (mut view, mut worker) = (view(), Worker::alone());
    let run = |worker: &mut Worker, text: &str, route: &str, times: usize| {
        let tags = Tags { pairs: vec![("route".into(), route.into())], name: None };
        let details = tagged(tags);
        let one = observation(&query(text), &identity("app", "web"), Nanos::from_millis(2));
        (0..times).for_each(|_| {
            worker.tell(Event::Statement(Observation { details: details.clone(), ..one.clone() }));
        });
    };
    for minute in 0..3 {
        run(&mut worker, "select a", "/a", 2);
        run(&mut worker, "select b", "/a", 1);
        run(&mut worker, "select a", "/b", 5);
        run(&mut worker, "begin", "/a", 1);
        worker.run("select a", "web", 2);
        worker.hand_in(&mut view, 60 * minute + 1);
    }
    let tag = |value: &str| Some(Tag { key: "route".to_owned(), value: value.to_owned() });
    let filter = Filter { tag: tag("/a"), ..Filter::default() };
    assert_eq!(view.totals(ever(), &filter).calls, 9, "data statements alone have sums by tag");
    let calls = |filter: &Filter, window| {
        let rows = view.statements(window, filter, filter.finest());
        let mut rows: Vec<_> = rows.iter().map(|row| (row.query.query.text.to_string(), row.stats.calls)).collect();
        rows.sort();
        rows
    };
    assert_eq!(calls(&filter, ever()), [("select a".to_owned(), 6), ("select b".to_owned(), 3)]);
    assert_eq!(calls(&filter, window(60, 120)), [("select a".to_owned(), 2), ("select b".to_owned(), 1)]);
    assert_eq!(calls(&Filter { tag: tag("/nowhere"), ..Filter::default() }, ever()), []);
    let steps = |hash| -> Vec<u64> {
        view.timeline(ever(), &filter, hash).iter().filter_map(|point| Some(point.stats.as_ref()?.calls)).collect()
    };
    assert_eq!((steps(None), steps(Some(query("select b").hash))), (vec![3, 3, 3], vec![1, 1, 1]));
}
