//! A hundred thousand texts pass, each once, and some that stay: through the lexer's tables, workers, merge, minutes and
//! outbox, under a clock that is set back and forth. Each execution counts once everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::{Worker, at, ever, identity, observation};
use crate::base::units::Nanos;
use crate::session::observation::Event;
use crate::sql::fingerprint::Fingerprinter;
use crate::sql::hash::QueryHash;
use crate::sql::statement::Dialect;
use crate::stats::Settings;
use crate::stats::live::{Filter, GroupBy, LiveView};
use crate::stats::minutes::Minutes;
use crate::stats::outbox::Outbox;

/// Texts that come once, and those that stay.
const PASSING: u64 = 100_000;
const STAYING: u64 = 20;
/// Texts of one harvest of one of two workers.
const HARVEST: u64 = 200;

/// Calls by hash, errors and times aside.
type Calls = BTreeMap<QueryHash, u64>;

fn add(calls: &mut Calls, minutes: Option<Minutes>) -> bool {
    let spans = minutes.iter().flat_map(|minutes| &minutes.spans);
    spans
        .flat_map(|span| span.series())
        .for_each(|row| *calls.entry(row.query.query.hash).or_default() += row.stats.calls);
    minutes.is_some()
}

/// The clock at the `n`th harvest: a second on, but it was set back by half a minute, by five, and slept for two hours.
fn clock(n: u64) -> i64 {
    let steps = [(60, -30), (120, -300), (180, 7_200), (200, -61)];
    20_000 + n as i64 + steps.iter().filter(|(from, _)| n >= *from).map(|(_, step)| step).sum::<i64>()
}

#[test]
fn each_execution_of_a_hundred_thousand_texts_counts_once_in_memory_metrics_and_outbox() {
    let settings = Settings { max_series: 1_000, ..Settings::default() };
    let mut view = LiveView::new(&settings, at(clock(0)), Arc::default());
    let mut outbox = Outbox::new(1 << 20, Arc::default());
    let mut workers =
        [0, 1].map(|number| (Worker::new(number, 2, &settings), Fingerprinter::new(8_192, number as u64)));
    let whose = identity("app", "web");
    let (mut told, mut staying, mut handed) = (0, Calls::new(), Calls::new());
    for harvest in 0..PASSING / HARVEST / 2 {
        let second = clock(harvest);
        for (worker, fingerprinter) in &mut workers {
            for _ in 0..HARVEST {
                let (passes, stays) = (told, told % STAYING);
                for sql in [
                    format!("select c{stays}, {told} from staying where a in ({told}, 2)"),
                    format!("SELECT c{passes} FROM passing WHERE a = '{told}'"),
                ] {
                    let statements = fingerprinter.statements(sql.as_bytes(), Dialect::default());
                    let query = &statements[0].query;
                    if query.text.contains("staying") {
                        *staying.entry(query.hash).or_default() += 1;
                    }
                    worker.tell(Event::Statement(observation(query, &whose, Nanos::from_micros(told))));
                }
                told += 1;
            }
            worker.hand_in_to(&mut view, Some(&mut outbox), second);
        }
        view.tick(at(second));
        outbox.settle(at(second));
        if harvest % 7 == 0 {
            while add(&mut handed, outbox.take(at(second))) {}
        }
    }
    add(&mut handed, outbox.take_all());

    assert_eq!((told, staying.len() as u64), (PASSING, STAYING));
    assert_eq!(handed.values().sum::<u64>(), 2 * told, "handed out");
    let totals = view.totals(ever(), &Filter::default());
    assert_eq!((totals.calls, totals.durations.count()), (2 * told, 2 * told), "in memory");
    let cumulative = view.cumulative();
    assert_eq!(cumulative.statements.values().map(|stats| stats.calls).sum::<u64>(), 2 * told, "for metrics");
    let rows = view.statements(ever(), &Filter::default(), GroupBy::Hash);
    let shown: Calls = rows.iter().map(|row| (row.query.query.hash, row.stats.calls)).collect();
    for (hash, calls) in staying {
        assert_eq!((shown.get(&hash), handed.get(&hash)), (Some(&calls), Some(&calls)), "what stays keeps its row");
    }
    let (series, most) = view.series();
    assert!(series <= most + 1, "{series}");
}
