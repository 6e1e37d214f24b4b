use super::*;
use crate::base::units::Nanos;
use crate::sql::query::Pseudo;
use crate::stats::ceiling;
use crate::stats::level::Level;
use crate::stats::tests::support::{at, identity, observation, query};

fn row(text: &str, application: &str, nanos: u64) -> HarvestedSeries {
    let (query, identity) = (query(text), identity("app", application));
    let mut stats = SeriesStats::default();
    stats.record(&observation(&query, &identity, Nanos::new(nanos)), Level::Good);
    HarvestedSeries { query, identity, stats, first_rows: Histogram::default() }
}

/// What one of four workers may have on its way.
const SHARE: usize = ceiling::HARVESTS / 4;

fn calls(harvest: &Harvest) -> u64 {
    harvest.series.iter().map(|row| row.stats.calls).sum()
}

#[test]
fn a_refused_harvest_is_added_to_the_next_and_nothing_counts_twice() {
    let mut older = Harvest { open_sessions: 9, share: 1 << 20, ..Harvest::empty(at(1)) };
    older.series = vec![row("select a", "web", 10), row("select b", "web", 20)];
    older.sessions.opened = 2;
    let mut newer = Harvest { open_sessions: 3, ..Harvest::empty(at(2)) };
    newer.series = vec![row("select a", "web", 30), row("select a", "job", 40)];
    newer.sessions.opened = 1;
    newer.merge(older);
    assert_eq!((newer.at, newer.open_sessions, newer.sessions.opened), (at(2), 3, 3));
    assert_eq!((newer.series.len(), calls(&newer)), (3, 4));
    let both = newer.series.iter().find(|row| row.stats.calls == 2).expect("one series was in both");
    assert_eq!(both.stats.total, Nanos::new(40));
}

#[test]
fn harvests_that_nobody_takes_do_not_grow_without_end() {
    let mut waiting = Harvest::empty(at(0));
    for round in 0..40 {
        let mut newer = Harvest { share: SHARE, ..Harvest::empty(at(round)) };
        newer.series = (0..500).map(|n| row(&format!("select c{n} from t{round}"), "web", 1_000)).collect();
        newer.merge(waiting);
        waiting = newer;
        assert!(waiting.memory_bytes() <= SHARE, "round {round}: {}", waiting.memory_bytes());
    }
    assert_eq!(calls(&waiting), 40 * 500);
    assert!(waiting.series.iter().any(|row| row.query == Pseudo::Other.query()));
}
