//! What the recorder adds to each statement (to reach: under 50 ns), and what a second's harvest costs both sides.

use std::hint::black_box;
use std::sync::Arc;

use divan::{Bencher, counter::ItemsCount};
use pgvitals::base::telemetry::Telemetry;
use pgvitals::base::units::{Nanos, Stamp, WallTime};
use pgvitals::session::observation::{Event, Observation, Observer};
use pgvitals::sql::statement::{Details, Tags};
use pgvitals::stats::Settings;
use pgvitals::stats::live::{Filter, GroupBy, LiveView, Window};
use pgvitals::stats::recorder::Recorder;
// The sample's paths begin at the crate.
use pgvitals::{base, session, sql};
use sample::{identity, observation, query};

#[path = "../src/stats/tests/sample.rs"]
mod sample;

fn main() {
    divan::main();
}

/// Executions in one sample: few enough to stay in the cache, as what a session has just told does.
const EXECUTIONS: usize = 512;

fn observations(statements: usize, tagged: bool) -> Vec<Observation> {
    let identity = identity("app", "web");
    let queries: Vec<_> = (0..statements).map(|n| query(&format!("select c{n} from orders where id = $1"))).collect();
    let details: Vec<Arc<Details>> = (0..50)
        .map(|n| {
            let pairs = vec![("route".into(), format!("/orders/{n}").into()), ("action".into(), "show".into())];
            let tags = Some(Arc::new(Tags { pairs, name: None }));
            Arc::new(Details { tags, ..Details::default() })
        })
        .collect();
    let mut seed = 0x9e37_79b9_u64;
    (0..EXECUTIONS)
        .map(|n| {
            // 100 µs to 1.6 ms, low durations more often.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let duration = Nanos::from_micros(100 + (seed >> 40) % (1 << (4 + (seed >> 33) % 7)) * 2);
            let details = tagged.then(|| Arc::clone(&details[n % details.len()]));
            Observation { details, ..observation(&queries[(seed >> 20) as usize % statements], &identity, duration) }
        })
        .collect()
}

fn recorder() -> Recorder {
    Recorder::new(&Settings::default(), 1, Arc::new(Telemetry::default()))
}

fn observe(bencher: Bencher, statements: usize, tagged: bool) {
    let observations = observations(statements, tagged);
    let mut recorder = recorder();
    observations.iter().cloned().for_each(|one| recorder.observe(Event::Statement(one)));
    bencher.counter(ItemsCount::new(EXECUTIONS)).with_inputs(|| observations.clone()).bench_local_values(|all| {
        all.into_iter().for_each(|one| recorder.observe(Event::Statement(one)));
    });
}

/// Known series, no tags: most statements.
#[divan::bench(args = [1, 100, 1_000])]
fn known_series(bencher: Bencher, statements: usize) {
    observe(bencher, statements, false);
}

/// The same with two tags each.
#[divan::bench(args = [1, 10])]
fn known_tags(bencher: Bencher, statements: usize) {
    observe(bencher, statements, true);
}

/// What a worker stands still for, once a second.
#[divan::bench(args = [100, 1_000])]
fn harvest(bencher: Bencher, statements: usize) {
    let observations = observations(statements, false);
    let mut recorder = recorder();
    bencher.bench_local(|| {
        observations.iter().cloned().for_each(|one| recorder.observe(Event::Statement(one)));
        black_box(recorder.harvest(WallTime::from_unix_micros(0), Stamp::from_nanos(0)))
    });
}

/// The control side's share of it.
#[divan::bench(args = [100, 1_000])]
fn absorb(bencher: Bencher, statements: usize) {
    let observations = observations(statements, false);
    let mut view = LiveView::new(&Settings::default(), WallTime::default(), Arc::default());
    let harvest = || {
        let mut recorder = recorder();
        observations.iter().cloned().for_each(|one| recorder.observe(Event::Statement(one)));
        recorder.harvest(WallTime::from_unix_micros(0), Stamp::from_nanos(0))
    };
    view.absorb(0, harvest().unwrap_or_default());
    bencher.with_inputs(harvest).bench_local_values(|harvest| {
        view.absorb(0, harvest.unwrap_or_default());
    });
}

/// An answer over a full hour of 1,000 series.
#[divan::bench]
fn list_an_hour(bencher: Bencher) {
    let observations = observations(1_000, false);
    let mut view = LiveView::new(&Settings::default(), WallTime::default(), Arc::default());
    let mut recorder = recorder();
    for minute in 0..60 {
        observations.iter().cloned().for_each(|one| recorder.observe(Event::Statement(one)));
        let harvest = recorder.harvest(WallTime::from_unix_micros(minute * 60_000_000), Stamp::from_nanos(0));
        view.absorb(0, harvest.unwrap_or_default());
    }
    let hour = Window { from: WallTime::default(), to: WallTime::from_unix_micros(3_600_000_000) };
    bencher.bench(|| black_box(view.statements(hour, &Filter::default(), GroupBy::Hash)));
}
