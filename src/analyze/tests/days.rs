//! A day against its week: what changed, what may be the cause, and what to run.

use std::sync::Arc;

use super::support::{day, set};
use crate::analyze::days::{self, Compared, DayFigures};
use crate::analyze::recommend::{Saves, slower};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::{Class, Kind};
use crate::sql::query::Query;
use crate::stats::live::{KnownQuery, StatementRow};
use crate::stats::series::SeriesStats;

fn stats(calls: u64, ms: u64) -> SeriesStats {
    SeriesStats { calls, rows: calls, total: Nanos::from_millis(calls * ms), ..SeriesStats::default() }
}

/// A statement that was seen first on a day, of which the eighth is compared with the seven before.
fn compared(text: &str, first_seen: WallTime, week: SeriesStats, day: SeriesStats) -> Compared {
    let query = Arc::new(Query { hash: QueryHash::of(text), kind: Kind::Select, text: text.into() });
    let known = KnownQuery {
        query,
        class: Class::Data,
        summary: "".into(),
        tables: Vec::new(),
        filters: Vec::new(),
        name: None,
    };
    let row = StatementRow {
        query: Arc::new(known),
        database: Some("shop".into()),
        user: None,
        application: None,
        stats: day,
    };
    Compared { row, week, first_seen }
}

fn old(text: &str, week: SeriesStats, today: SeriesStats) -> Compared {
    compared(text, day(0), week, today)
}

fn names(list: &[DayFigures<'_>]) -> Vec<String> {
    list.iter().map(|one| one.of.row.query.shown()).collect()
}

#[test]
fn a_day_tells_worse_better_new_grown_and_failing() {
    let failing = |calls, errors| SeriesStats { errors, ..stats(calls, 10) };
    let mut session = old("set", stats(7_000, 10), stats(1_000, 30));
    Arc::get_mut(&mut session.row.query).unwrap().class = Class::Session;
    let all = [
        old("steady", stats(7_000, 10), stats(1_000, 10)),
        old("worse", stats(7_000, 10), stats(1_000, 15)),
        old("worst", stats(7_000, 10), stats(1_000, 30)),
        old("better", stats(7_000, 10), stats(1_000, 5)),
        old("grown", stats(7_000, 10), stats(2_000, 10)),
        old("failing", failing(7_000, 7), failing(1_000, 50)),
        old("fails as ever", failing(7_000, 350), failing(1_000, 50)),
        old("rare", stats(19, 10), stats(1_000, 30)),
        compared("new", day(7), SeriesStats::default(), stats(9, 10)),
        session,
    ];
    let found = days::day(&all, day(7));
    assert_eq!(names(&found.worse), ["worst", "worse"]);
    assert_eq!(names(&found.better), ["better"]);
    assert_eq!(names(&found.new), ["new"]);
    assert_eq!(names(&found.grown), ["grown"]);
    assert_eq!(names(&found.failing), ["failing"]);
    let worst = &found.worse[0];
    assert_eq!((worst.mean_ms, worst.mean_ms_before, worst.extra_ms), (30.0, Some(10.0), 20_000.0));
    assert_eq!((worst.calls, worst.calls_before), (1_000, 1_000.0));
}

#[test]
fn what_is_younger_than_a_week_is_compared_with_the_days_that_it_was_there() {
    let all = [compared("young", day(5), stats(2_000, 10), stats(1_000, 10))];
    assert!(days::day(&all, day(7)).grown.is_empty(), "a thousand a day, as before");
}

#[test]
fn a_slower_statement_comes_with_its_cause_and_an_explain() {
    let version = set().server.version_number;
    let said = |today: SeriesStats| {
        let all = [old("select a from b where c = $1", stats(7_000, 10), today)];
        let day = days::day(&all, day(7));
        slower(&day.worse[0], version)
    };
    let plan = said(stats(1_000, 30));
    assert_eq!((plan.kind.as_str(), plan.database.as_deref()), ("slower_statement", Some("shop")));
    assert_eq!(plan.saves, Saves { ms_per_day: 20_000.0, ..Saves::default() });
    assert!(plan.evidence.contains("30 ms on average after 10 ms"), "{}", plan.evidence);
    assert!(plan.evidence.contains("its plan"), "{}", plan.evidence);
    assert!(plan.statement.unwrap().contains("EXPLAIN EXECUTE pgvitals_plan (NULL);"));
    let more = said(SeriesStats { rows: 40_000, ..stats(1_000, 30) });
    assert!(more.evidence.contains("40 rows, after 1"), "{}", more.evidence);
    let stalled = said(SeriesStats { client_stall: Nanos::from_millis(15_000), ..stats(1_000, 30) });
    assert!(stalled.evidence.contains("15.0 ms a call are waiting for the client"), "{}", stalled.evidence);
}
