use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::{Discarded, Unmeasured};
use crate::session::observation::{Batch, Outcome, Transaction};
use crate::sql::query::Pseudo;
use crate::sql::statement::Tags;
use crate::stats::series::SeriesStats;
use crate::stats::tests::support::{at, identity, observation, query, tagged};

fn recorder(max_series: usize, workers: usize) -> (Recorder, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let settings = Settings { max_series, ..Settings::default() };
    (Recorder::new(&settings, workers, Arc::clone(&telemetry)), telemetry)
}

fn harvest(recorder: &mut Recorder) -> Harvest {
    recorder.harvest(at(60), Stamp::from_nanos(0)).expect("something was recorded")
}

fn total(harvest: &Harvest) -> SeriesStats {
    let mut total = SeriesStats::default();
    harvest.series.iter().for_each(|row| total.merge(&row.stats));
    total
}

#[test]
fn a_harvest_holds_what_came_since_the_last_one() {
    let (mut recorder, _) = recorder(10_000, 1);
    let (query, web) = (query("select $1 from t"), identity("app", "web"));
    assert!(recorder.harvest(at(1), Stamp::from_nanos(0)).is_none());
    for millis in [1, 2, 600] {
        recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_millis(millis))));
    }
    assert_eq!(recorder.pending(), 3);
    let first = harvest(&mut recorder);
    let [row] = &first.series[..] else { panic!("{:?}", first.series) };
    assert_eq!((row.stats.calls, row.stats.levels), (3, [2, 0, 1, 0]));
    assert_eq!(row.first_rows.count(), 3);
    assert_eq!(recorder.pending(), 0);
    assert!(recorder.harvest(at(2), Stamp::from_nanos(0)).is_none());
    recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_millis(9))));
    let second = total(&harvest(&mut recorder));
    assert_eq!((second.calls, second.total, second.max), (1, Nanos::from_millis(9), Nanos::from_millis(9)));
}

#[test]
fn statements_that_do_not_fit_go_to_the_other_of_their_server() {
    let (mut recorder, _) = recorder(10_000, 1_000);
    let web = identity("app", "web");
    for n in 0..1_000 {
        let query = query(&format!("select c{n} from t"));
        recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_micros(n))));
        recorder.observe(Event::Prepared { query, identity: Arc::clone(&web), time: None });
    }
    let harvest = harvest(&mut recorder);
    // One worker's share of bytes is the tighter of both ceilings with that many workers.
    assert!(harvest.series.len() <= 257, "{}", harvest.series.len());
    let sum = total(&harvest);
    assert_eq!((sum.calls, sum.prepares, sum.total.as_micros()), (1_000, 1_000, 999 * 1_000 / 2));
    let other = harvest.series.iter().find(|row| row.query == Pseudo::Other.query()).expect("(other)");
    assert_eq!(&*other.identity.server, "db:5432");
    assert_eq!(other.stats.calls as usize, 1_001 - harvest.series.len());
}

#[test]
fn a_flood_of_one_second_leaves_room_in_the_next() {
    let (mut recorder, _) = recorder(256, 1);
    let web = identity("app", "web");
    for round in 0..4 {
        for n in 0..250 {
            let query = query(&format!("select c{n} from t{round}"));
            recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_micros(n))));
        }
        let harvest = harvest(&mut recorder);
        assert!(harvest.series.iter().all(|row| row.query.pseudo().is_none()), "round {round}");
    }
}

#[test]
fn a_batch_is_slow_once_and_by_its_span() {
    let (mut recorder, _) = recorder(10_000, 1);
    let (query, web) = (query("select $1 from t"), identity("app", "web"));
    let statements = NonZeroU32::new(3).expect("three");
    for leader in [true, false, false] {
        let mut one = observation(&query, &web, Nanos::from_millis(300));
        one.batch = Some(Batch { statements, span: Nanos::from_millis(900), leader });
        one.start = Stamp::from_nanos(100_000_000);
        recorder.observe(Event::Statement(one));
    }
    let harvest = recorder.harvest(at(60), Stamp::from_nanos(1_500_000_000)).expect("recorded");
    let [slow] = &harvest.slow[..] else { panic!("{:?}", harvest.slow) };
    assert_eq!((slow.statements, slow.duration), (3, Nanos::from_millis(900)));
    assert_eq!(slow.at, WallTime::from_unix_micros(59_500_000));
    let stats = total(&harvest);
    assert_eq!((stats.batched, stats.levels), (3, [0, 3, 0, 0]));
}

#[test]
fn an_execution_is_kept_for_the_first_reason_that_holds() {
    let telemetry = Arc::new(Telemetry::default());
    let settings = Settings { sample_rate: 1.0, ..Settings::default() };
    let mut recorder = Recorder::new(&settings, 1, telemetry);
    let web = identity("app", "web");
    let failed = Outcome::Failed(Sqlstate::parse(b"23505").expect("a code"));
    for (text, millis, outcome) in [
        ("select quick", 1, Outcome::Completed),
        ("select gone", 1, Outcome::Aborted),
        ("select failed", 1, failed),
        ("select slow", 500, Outcome::Completed),
        ("select both", 500, failed),
    ] {
        recorder.observe(Event::Statement(Observation {
            outcome,
            ..observation(&query(text), &web, Nanos::from_millis(millis))
        }));
    }
    let kept = harvest(&mut recorder).slow;
    let mut kept: Vec<_> = kept.iter().map(|kept| (&*kept.query.text, kept.reason, kept.error.is_some())).collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        [
            ("select both", Reason::Slow, true),
            ("select failed", Reason::Error, true),
            ("select gone", Reason::Sampled, false),
            ("select quick", Reason::Sampled, false),
            ("select slow", Reason::Slow, false),
        ]
    );
}

#[test]
fn each_of_a_batch_can_fail_or_be_sampled_and_one_tells_of_its_span() {
    let settings = Settings { sample_rate: 1.0, ..Settings::default() };
    let mut recorder = Recorder::new(&settings, 1, Arc::default());
    let (query, web) = (query("select $1 from t"), identity("app", "web"));
    let statements = NonZeroU32::new(3).expect("three");
    for (leader, outcome) in [
        (true, Outcome::Completed),
        (false, Outcome::Failed(Sqlstate::parse(b"23505").expect("a code"))),
        (false, Outcome::Completed),
    ] {
        let mut one = observation(&query, &web, Nanos::from_millis(300));
        one.batch = Some(Batch { statements, span: Nanos::from_millis(900), leader });
        one.outcome = outcome;
        recorder.observe(Event::Statement(one));
    }
    let kept = harvest(&mut recorder).slow;
    let kept: Vec<_> =
        kept.iter().map(|kept| (kept.reason, kept.duration.get() / 1_000_000, kept.statements)).collect();
    assert_eq!(kept, [(Reason::Slow, 900, 3), (Reason::Error, 300, 1), (Reason::Sampled, 300, 1)]);
}

#[test]
fn a_rate_holds_from_the_moment_that_it_is_set() {
    let (mut recorder, _) = recorder(10_000, 1);
    let (query, web) = (query("select $1 from t"), identity("app", "web"));
    for (rate, expected) in [(0.0, 0), (1.0, 10), (0.0, 0)] {
        recorder.tune(&Settings { sample_rate: rate, ..Settings::default() }, 1);
        (0..10).for_each(|_| recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_millis(1)))));
        assert_eq!(harvest(&mut recorder).slow.len(), expected, "{rate}");
    }
}

#[test]
fn what_is_too_much_to_keep_is_counted() {
    let (mut recorder, telemetry) = recorder(10_000, 1);
    let (query, web) = (query("select $1 from t"), identity("app", "web"));
    for _ in 0..100 {
        recorder.observe(Event::Statement(observation(&query, &web, Nanos::from_millis(500))));
    }
    let kept = harvest(&mut recorder).slow.len() as u64;
    assert_eq!(telemetry.dropped_total(Dropped::SlowRing), 100 - kept);
    assert!(kept > 0);
}

#[test]
fn what_sessions_tell_lands_where_it_belongs() {
    let (mut recorder, telemetry) = recorder(10_000, 1);
    let (query, web) = (query("update t set a = $1"), identity("app", "web"));
    let done = |committed| Transaction {
        identity: Arc::clone(&web),
        duration: Nanos::from_millis(3),
        statements: 4,
        committed,
    };
    for event in [
        Event::Transaction(done(true)),
        Event::Transaction(done(false)),
        Event::IdleInTransaction { after: Arc::clone(&query), identity: Arc::clone(&web), span: Nanos::from_millis(7) },
        Event::Started { identity: Arc::clone(&web), startup: Nanos::from_millis(2) },
        Event::StartupFailed(Some(Sqlstate::INVALID_AUTHORIZATION)),
        Event::Ended(Some(Sqlstate::ADMIN_SHUTDOWN)),
        Event::Ended(None),
        Event::Overhead { bytes_in: 5, bytes_out: 6 },
        Event::ProtocolError,
        Event::Mismatch,
        Event::Discarded(Discarded::Skipped, 4),
        Event::Unmeasured(Unmeasured::Framing),
    ] {
        recorder.observe(event);
    }
    let harvest = harvest(&mut recorder);
    let sessions = &harvest.sessions;
    assert_eq!((sessions.committed.count(), sessions.rolled_back.count()), (1, 1));
    assert_eq!((sessions.transaction_time, sessions.transaction_statements), (Nanos::from_millis(6), 8));
    assert_eq!((sessions.opened, sessions.closed, sessions.startup.count()), (1, 1, 1));
    assert_eq!(sessions.failed, [(Some(Sqlstate::INVALID_AUTHORIZATION), 1)]);
    assert_eq!(sessions.ended, [(Sqlstate::ADMIN_SHUTDOWN, 1)]);
    assert_eq!((sessions.overhead_in, sessions.overhead_out), (5, 6));
    assert_eq!((sessions.protocol_errors, sessions.mismatches), (1, 1));
    assert_eq!(sessions.idle_in_transaction, Nanos::from_millis(7));
    assert_eq!(total(&harvest).idle_after, Nanos::from_millis(7));
    assert_eq!(telemetry.discarded_total(Discarded::Skipped), 4);
    assert_eq!(telemetry.unmeasured_total(Unmeasured::Framing), 1);
}

#[test]
fn the_recorder_stays_under_its_share_of_memory_whatever_comes() {
    let (mut recorder, _) = recorder(10_000, 2);
    for n in 0..20_000u64 {
        let query = query(&format!("select c{n} from t where {}", "x".repeat((n % 40 * 50) as usize)));
        let mut one = observation(&query, &identity("app", &format!("app{}", n % 50)), Nanos::from_micros(n * 17));
        one.details = tagged(Tags {
            pairs: vec![("route".into(), format!("/r/{n}").into()), ("trace_id".into(), format!("{n}").into())],
            name: None,
        });
        one.outcome = Outcome::Completed;
        recorder.observe(Event::Statement(one));
        if n % 6_000 == 0 {
            recorder.harvest(at(60), Stamp::from_nanos(0));
        }
        if n % 1_000 == 0 {
            assert!(recorder.memory_bytes() <= ceiling::worker_bytes(2) / 10 * 11, "{}", recorder.memory_bytes());
        }
    }
}

proptest! {
    #[test]
    fn any_split_over_workers_gives_the_same_totals(
        executions in prop::collection::vec((0usize..40, 0u64..2_000_000_000), 1..300), workers in 1usize..5,
    ) {
        let web = identity("app", "web");
        let queries: Vec<_> = (0..40).map(|n| query(&format!("select c{n} from t"))).collect();
        let (mut alone, _) = recorder(10_000, 1);
        let mut several: Vec<_> = (0..workers).map(|_| recorder(10_000, workers).0).collect();
        for (n, (which, nanos)) in executions.iter().enumerate() {
            let one = observation(&queries[*which], &web, Nanos::new(*nanos));
            alone.observe(Event::Statement(one.clone()));
            several[n % workers].observe(Event::Statement(one));
        }
        let alone = harvest(&mut alone);
        let mut sum = SeriesStats::default();
        let mut per_query = std::collections::BTreeMap::<_, SeriesStats>::new();
        for mut recorder in several {
            let Some(harvest) = recorder.harvest(at(60), Stamp::from_nanos(0)) else { continue };
            sum.merge(&total(&harvest));
            harvest.series.iter().for_each(|row| per_query.entry(row.query.hash).or_default().merge(&row.stats));
        }
        prop_assert_eq!(&sum, &total(&alone));
        prop_assert_eq!(sum.total.get(), executions.iter().map(|(_, nanos)| nanos).sum::<u64>());
        prop_assert_eq!(per_query.len(), alone.series.len());
        for row in &alone.series {
            prop_assert_eq!(&per_query[&row.query.hash], &row.stats);
        }
    }
}
