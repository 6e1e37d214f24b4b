//! Under every ceiling at once: what went in came out, or is in a counter that says why not.

use std::sync::Arc;

use super::support::{at, code, ever, identity, observation, query, tagged};
use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::{Nanos, Stamp};
use crate::session::observation::{Event, Observation, Observer, Outcome};
use crate::sql::statement::Tags;
use crate::stats::live::{Filter, GroupBy, LiveView, Reason};
use crate::stats::recorder::Recorder;
use crate::stats::series::SeriesStats;
use crate::stats::{Settings, ceiling};

/// Executions of the flood: more statements, databases, tags, tag keys, SQLSTATEs and slow ones than fit anywhere.
const FLOOD: u64 = 12_000;

fn settings() -> Settings {
    Settings { max_series: 300, slow_threshold: Nanos::from_millis(500), ..Settings::default() }
}

/// The `n`th execution of the flood.
fn execution(n: u64) -> Observation {
    let query = query(&format!("select c{} from t", n % 3_000));
    let identity = identity(&format!("db{}", n % 150), &format!("app{}", n % 7));
    let mut one = observation(&query, &identity, Nanos::from_micros(1 + n % 700 * 1_000));
    one.rows = n % 5;
    if n.is_multiple_of(4) {
        one.outcome = Outcome::Failed(code((n / 4 % 200) as usize));
    }
    let pairs = vec![("route".into(), format!("/{n}").into()), (format!("key{}", n % 90).into(), "v".into())];
    one.details = tagged(Tags { pairs, name: None });
    one
}

/// What the flood amounts to, added up by hand.
#[derive(PartialEq, Eq, Debug, Default)]
struct Totals {
    calls: u64,
    errors: u64,
    rows: u64,
    time: Nanos,
    durations: u64,
    codes: u64,
}

impl Totals {
    fn of_flood() -> Self {
        (0..FLOOD).map(execution).fold(Self::default(), |mut totals, one| {
            let failed = u64::from(matches!(one.outcome, Outcome::Failed(_)));
            totals.calls += 1;
            totals.errors += failed;
            totals.codes += failed;
            totals.rows += one.rows;
            totals.time += one.duration;
            totals.durations += 1;
            totals
        })
    }

    fn add(&mut self, stats: &SeriesStats) {
        self.calls += stats.calls;
        self.errors += stats.errors;
        self.rows += stats.rows;
        self.time += stats.total;
        self.durations += stats.durations.count();
        self.codes += stats.codes.iter().map(|(_, count)| count).sum::<u64>();
    }

    fn of<'a>(stats: impl Iterator<Item = &'a SeriesStats>) -> Self {
        let mut totals = Self::default();
        stats.for_each(|stats| totals.add(stats));
        totals
    }
}

/// A view that took the flood from two workers, over so many harvests; the process's counters.
fn flooded(harvests: u64, bytes: usize) -> (LiveView, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let mut view = LiveView::new(&settings(), at(0), Arc::clone(&telemetry)).bounded(bytes);
    let mut recorders = [0, 1].map(|_| Recorder::new(&settings(), 2, Arc::clone(&telemetry)));
    for harvest in 0..harvests {
        let second = harvest as i64 * 7;
        for n in (0..FLOOD).filter(|n| n % harvests == harvest) {
            recorders[(n / harvests % 2) as usize].observe(Event::Statement(execution(n)));
        }
        for (worker, recorder) in recorders.iter_mut().enumerate() {
            let taken = recorder.harvest(at(second), Stamp::from_nanos(0)).expect("something was recorded");
            assert_eq!(taken.executions(), FLOOD / harvests / 2);
            view.absorb(worker, taken);
        }
        view.tick(at(second));
    }
    (view, telemetry)
}

fn check(harvests: u64, bytes: usize) {
    let (view, telemetry) = flooded(harvests, bytes);
    let expected = Totals::of_flood();
    let series = view.statements(ever(), &Filter::default(), GroupBy::Full);
    assert!(series.len() <= 301);
    assert_eq!(Totals::of(series.iter().map(|row| &row.stats)), expected, "by series");
    assert_eq!(Totals::of([view.totals(ever(), &Filter::default())].iter()), expected, "in all");
    let by_minute = view.timeline(ever(), &Filter::default(), None);
    assert_eq!(Totals::of(by_minute.iter().filter_map(|point| point.stats.as_ref())), expected, "by minute");

    let cumulative = view.cumulative();
    assert_eq!(Totals::of(cumulative.statements.values()), expected, "since the start");
    assert_eq!(cumulative.levels.iter().sum::<u64>(), expected.calls);
    assert_eq!(cumulative.errors.values().sum::<u64>(), expected.errors, "by database and SQLSTATE");
    assert_eq!(cumulative.first_row.count(), expected.calls);
    let codes = view.errors(ever(), &Filter::default(), None);
    assert_eq!(codes.iter().map(|(_, count)| count).sum::<u64>(), expected.errors, "by SQLSTATE");
    assert!(codes.iter().any(|(code, _)| *code == Sqlstate::OTHER), "more codes than a series tells apart");

    let tagged = |key: &str| Totals::of(view.tags(ever(), key, None).iter().map(|row| &row.stats));
    assert_eq!(tagged("route"), expected, "by tag");
    let keys: u64 = (0..90).map(|n| tagged(&format!("key{n}")).calls).sum();
    let beyond = tagged("(other)").calls;
    assert_eq!(keys + beyond, expected.calls, "by keys that are more than fit");
    assert!(beyond > 0);

    let slow = (0..FLOOD).filter(|n| execution(*n).duration >= settings().slow_threshold).count() as u64;
    let kept = view.slow(ever(), Nanos::ZERO, &Filter::default());
    let kept = kept.iter().filter(|kept| kept.reason == Reason::Slow).count() as u64;
    let [refused, aged] = [Dropped::SlowRing, Dropped::History].map(|why| telemetry.dropped_total(why));
    assert!(refused > 0, "more slow ones than fit");
    assert_eq!(kept + refused + aged, slow, "slow ones kept and counted");
    assert_eq!(telemetry.dropped_total(Dropped::Panic) + telemetry.dropped_total(Dropped::HarvestQueue), 0);
}

#[test]
fn all_at_once_overflows_workers_and_nothing_is_missing() {
    check(1, ceiling::MERGED);
}

#[test]
fn minute_by_minute_overflows_the_merge_and_nothing_is_missing() {
    check(20, ceiling::MERGED);
}

#[test]
fn under_a_small_ceiling_resolution_goes_and_nothing_is_missing() {
    check(20, 3 << 20);
}
