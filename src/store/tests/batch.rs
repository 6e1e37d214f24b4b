//! What the rows of a batch say.

use std::sync::Arc;

use super::*;
use crate::base::sqlstate::Sqlstate;
use crate::session::observation::{Event, Outcome};
use crate::stats::Settings;
use crate::stats::live::LiveView;
use crate::stats::outbox::Outbox;
use crate::stats::tests::support::{Worker, at, identity, observation, query, tagged};

fn origin() -> Arc<Origin> {
    let text = str::to_owned;
    Arc::new(Origin {
        boot: 7,
        instance: text("pod-1"),
        service: text("shop"),
        version: text("1"),
        started_us: 0,
        is_demo: false,
    })
}

/// A batch of what a worker is told in the epoch's first minute.
fn batch(tell: impl FnOnce(&mut Worker)) -> Batch {
    let mut view = LiveView::new(&Settings::default(), at(0), Arc::default());
    let mut outbox = Outbox::new(1 << 20, Arc::default());
    let mut worker = Worker::alone();
    tell(&mut worker);
    worker.hand_in_to(&mut view, Some(&mut outbox), 30);
    let minutes = outbox.take(at(60)).expect("a minute");
    let (mut batch, mut told) = (Batch::empty(&origin(), 1, at(86_400 * 3 + 5)), Told::default());
    minutes.spans.iter().for_each(|span| batch.add_span(span, &mut told));
    minutes.slow.iter().for_each(|noted| batch.add_slow(noted, &Thresholds::default()));
    batch
}

#[test]
fn a_series_id_is_what_the_documents_say() {
    let row = series(QueryHash::of("select $1"), &identity("app", "web"));
    // printf 'SERVER\0HASH\0DATABASE\0USER\0APPLICATION\0' | sha256sum | cut -c1-16
    let text = format!("{}\0{}\0{}\0{}\0{}\0", row.server, row.query_hash, row.database, row.user, row.application);
    let digest = Sha256::digest(text.as_bytes());
    let first: [u8; 8] = digest[..8].try_into().unwrap();
    assert_eq!(series_id(&row), i64::from_be_bytes(first));
}

#[test]
fn a_minute_is_one_row_a_series_with_its_histogram() {
    let batch = batch(|worker| {
        [1, 1, 200, 700, 3_000].into_iter().for_each(|millis| worker.run("select a", "web", millis));
        worker.run("select b", "web", 5);
    });
    assert_eq!((batch.stats.len(), batch.series.len(), batch.queries.len()), (2, 2, 2));
    assert_eq!((batch.calls(), batch.day, batch.buckets()), (6, 3, Some((0, 0))));
    let hash = QueryHash::of("select a").to_string();
    let row = batch.stats.iter().find(|row| batch.series[&row.series_id].query_hash == hash).expect("its row");
    let figures = &row.figures;
    assert_eq!((figures.calls, figures.levels, figures.min_us, figures.max_us), (5, [2, 1, 1], 1_000, 3_000_000));
    assert_eq!(figures.counts, [2, 1, 1, 1]);
    let mut reference = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 0x7fff_ffff, 2).unwrap();
    [1_000, 200_000, 700_000, 3_000_000].into_iter().for_each(|micros| reference.record(micros).unwrap());
    let tops: Vec<i32> = reference.iter_recorded().map(|value| value.value_iterated_to() as i32).collect();
    assert_eq!(figures.buckets_us, tops);
}

#[test]
fn errors_and_idle_times_have_rows_of_their_own() {
    let code = Sqlstate::parse(b"23505").unwrap();
    let batch = batch(|worker| {
        let mut failed = observation(&query("insert into t"), &identity("app", "web"), Nanos::from_millis(1));
        failed.outcome = Outcome::Failed(code);
        worker.tell(Event::Statement(failed));
        let (after, identity) = (query("select a"), identity("app", "web"));
        worker.tell(Event::IdleInTransaction { after, identity, span: Nanos::from_millis(30) });
    });
    assert_eq!((batch.errors[0].errors, &*batch.errors[0].sqlstate), (1, "23505"));
    assert_eq!((batch.idle_after[0].idle_us, batch.idle_after[0].times), (30_000, 1));
    assert_eq!(batch.stats.len(), 1, "what ran no time has no statistics");
    assert_eq!(batch.sessions[0].idle_in_transaction_us, 30_000);
}

#[test]
fn a_slow_execution_brings_its_tags() {
    let batch = batch(|worker| {
        let mut slow = observation(&query("select slow"), &identity("app", "web"), Nanos::from_millis(700));
        let pairs = vec![("route".into(), "/pay \"now\"".into())];
        slow.details = tagged(crate::sql::statement::Tags { pairs, name: Some("Pay".into()) });
        worker.tell(Event::Statement(slow));
    });
    let row = &batch.slow[0];
    assert_eq!((row.duration_ms, &*row.level), (700.0, "alert"));
    assert_eq!(row.tags.as_deref(), Some(r#"{"route":"/pay \"now\"","name":"Pay"}"#));
    assert_eq!((&*batch.tags[0].key, batch.tags[0].figures.calls), ("route", 1));
}

#[test]
fn a_single_execution_says_why_it_is_told() {
    let batch = batch(|worker| {
        worker.run("select slow", "web", 700);
        let mut failed = observation(&query("insert into t"), &identity("app", "web"), Nanos::from_millis(1));
        failed.outcome = Outcome::Failed(Sqlstate::parse(b"23505").unwrap());
        (0..100).for_each(|_| worker.tell(Event::Statement(failed.clone())));
    });
    let told = |reason: &str| batch.slow.iter().filter(|row| row.reason == reason).collect::<Vec<_>>();
    assert_eq!((told("slow").len(), told("slow")[0].suppressed), (1, 0));
    let errors = told("error");
    assert!(errors.iter().all(|row| row.sqlstate.as_deref() == Some("23505") && row.duration_ms == 1.0));
    assert_eq!(errors.len() as i64 + errors.iter().map(|row| row.suppressed).sum::<i64>(), 100);
    assert!(errors.len() < 20, "{}", errors.len());
}

#[test]
fn figures_add_up_like_series() {
    let figures = |text: &[u64]| {
        let batch = batch(|worker| text.iter().for_each(|millis| worker.run("select a", "web", *millis)));
        batch.stats[0].figures.clone()
    };
    let mut sum = figures(&[3, 9, 700]);
    sum.add(&figures(&[1, 9, 2_000]));
    assert_eq!(sum, figures(&[3, 9, 700, 1, 9, 2_000]));
}
