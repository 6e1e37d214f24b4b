//! However a minute is cut, its batch is the same.

use proptest::prelude::*;

use super::*;
use crate::base::units::Nanos;
use crate::session::observation::{Event, Outcome};
use crate::sql::statement::Tags;
use crate::stats::Settings;
use crate::stats::live::LiveView;
use crate::stats::outbox::Outbox;
use crate::stats::tests::support::{Worker, at, code, identity, observation, query, tagged};

/// What one process measures, handed out as it is asked.
struct Process {
    view: LiveView,
    outbox: Outbox,
    worker: Worker,
    open: Open,
}

impl Process {
    fn new() -> Self {
        let text = str::to_owned;
        let origin = Origin {
            boot: 7,
            instance: text("pod-1"),
            service: text("shop"),
            version: text("1"),
            started_us: 0,
            is_demo: false,
        };
        Self {
            view: LiveView::new(&Settings::default(), at(0), Arc::default()),
            outbox: Outbox::new(1 << 20, Arc::default()),
            worker: Worker::alone(),
            open: Open::new(Arc::new(origin), Thresholds::default()),
        }
    }

    fn run(&mut self, calls: &[(u8, u64)], second: i64) {
        for (statement, millis) in calls {
            let who = identity("app", "web");
            let text = format!("select c{statement}");
            let mut one = observation(&query(&text), &who, Nanos::from_millis(*millis));
            if millis % 3 == 0 {
                one.outcome = Outcome::Failed(code(usize::from(*statement)));
            }
            let pairs = vec![("route".into(), format!("/{millis}").into())];
            one.details = tagged(Tags { pairs, name: None });
            self.worker.tell(Event::Statement(one));
            let after = query(&text);
            self.worker.tell(Event::IdleInTransaction { after, identity: who, span: Nanos::from_millis(*millis) });
        }
        self.worker.hand_in_to(&mut self.view, Some(&mut self.outbox), second);
    }

    fn hand_out(&mut self, second: i64) -> Vec<Batch> {
        let minutes = self.outbox.take_all();
        minutes.map(|minutes| self.open.add(&minutes, at(second))).unwrap_or_default()
    }
}

/// Rows have no order among themselves.
fn sorted(mut batch: Batch) -> Batch {
    batch.stats.sort_by_key(|row| (row.series_id, row.bucket_us));
    batch.errors.sort_by_key(|row| (row.series_id, row.bucket_us, row.sqlstate.clone()));
    batch.tags.sort_by_key(|row| (row.value.clone(), row.query_hash.clone()));
    batch.idle_after.sort_by_key(|row| (row.series_id, row.bucket_us));
    batch
}

/// All parts of a batch added up.
fn added(parts: impl IntoIterator<Item = Batch>) -> BTreeMap<i64, Batch> {
    let mut sums: BTreeMap<i64, Sum> = BTreeMap::new();
    for part in parts {
        sums.entry(part.sequence).or_insert_with(|| Sum::new(part.sibling())).add(part);
    }
    sums.into_iter().map(|(sequence, sum)| (sequence, sum.finish())).collect()
}

proptest! {
    #[test]
    fn a_minute_is_the_sum_of_its_seconds(
        seconds in proptest::collection::vec(proptest::collection::vec((0_u8..6, 1_u64..400), 0..8), 1..59),
    ) {
        let (mut whole, mut cut) = (Process::new(), Process::new());
        let mut parts = Vec::new();
        for (calls, second) in seconds.iter().zip(1..) {
            whole.run(calls, second);
            cut.run(calls, second);
            parts.extend(cut.hand_out(second));
        }
        whole.hand_out(60);
        // Failed executions are told one by one, too, in batches of their own.
        let minutes = |batches: Vec<Batch>| batches.into_iter().filter(|batch| batch.slow.is_empty()).collect::<Vec<_>>();
        prop_assert!(minutes(cut.open.close(at(59))).is_empty(), "the minute is not over");
        let [whole, cut] = [whole, cut].map(|mut process| minutes(process.open.close(at(60))));
        prop_assert_eq!(cut.len(), usize::from(seconds.iter().any(|calls| !calls.is_empty())));
        let sorted = |batches: Vec<Batch>| batches.into_iter().map(sorted).collect::<Vec<_>>();
        let whole = sorted(whole);
        prop_assert_eq!(&whole, &sorted(cut));
        prop_assert_eq!(whole, sorted(added(minutes(parts)).into_values().collect()), "what the parts tell");
    }
}

#[test]
fn a_minute_and_slow_executions_have_keys_of_their_own() {
    let mut process = Process::new();
    process.run(&[(1, 700)], 30);
    let parts = process.hand_out(30);
    assert_eq!(parts.iter().map(|part| (part.sequence, part.rows())).collect::<Vec<_>>(), [(1, 4), (2, 1)]);
    let slow = process.open.close(at(31));
    assert_eq!(slow.iter().map(|batch| (batch.sequence, batch.slow.len())).collect::<Vec<_>>(), [(2, 1)]);
    process.run(&[(1, 700), (2, 1)], 61);
    let keys: Vec<i64> = process.hand_out(61).iter().map(|part| part.sequence).collect();
    assert_eq!(keys, [3, 4]);
    let closed = process.open.close_all();
    assert_eq!(
        closed.iter().map(|batch| (batch.sequence, batch.calls())).collect::<Vec<_>>(),
        [(1, 1), (3, 2), (4, 0)]
    );
    assert!(process.open.is_empty() && process.open.rows() == 0);
}

#[test]
fn what_comes_late_for_a_closed_minute_has_a_new_key() {
    let mut process = Process::new();
    process.run(&[(1, 1)], 30);
    process.hand_out(30);
    assert_eq!(process.open.close(at(60)).len(), 1);
    process.run(&[(1, 1)], 59);
    assert_eq!(process.hand_out(61).iter().map(|part| part.sequence).collect::<Vec<_>>(), [2]);
    let late = process.open.close(at(61));
    assert_eq!(late.iter().map(|batch| (batch.sequence, batch.series.len())).collect::<Vec<_>>(), [(2, 1)]);
}

#[test]
fn definitions_are_told_once_in_a_minute() {
    let mut process = Process::new();
    let told: Vec<usize> = (1..4)
        .map(|second| {
            process.run(&[(1, 1), (second as u8, 1)], second);
            process.hand_out(second).iter().map(|part| part.queries.len()).sum()
        })
        .collect();
    assert_eq!(told, [1, 1, 1]);
}
