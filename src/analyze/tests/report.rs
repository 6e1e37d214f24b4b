//! Recommendations and the daily report: what is in them, in which order, and as what page.

use super::support::{DATABASE, day, hour, index, rounds, scans, set, table};
use crate::analyze::alert::Subject;
use crate::analyze::capacity::{self, Capacity};
use crate::analyze::days::Day;
use crate::analyze::indexes::{self, IndexUse};
use crate::analyze::judge::Judge;
use crate::analyze::recommend::{self, Recommendation};
use crate::analyze::redundant::redundant;
use crate::analyze::report::{self, Report, Totals};
use crate::analyze::settings::Settings;
use crate::analyze::{bloat, book::Book, page};
use crate::snapshot::history::History;
use crate::snapshot::holder::{Slot, Transaction};
use crate::snapshot::relation::{Bloat, Method};
use crate::snapshot::sequence::{Sequence, SequenceColumn};
use crate::snapshot::set::Set;

/// A server with one of each.
fn troubled() -> (Set, History) {
    let mut history = History::default();
    history.rounds.insert(DATABASE, rounds(40));
    let mut set = set();
    set.databases[0].figures.size_bytes = Some(10 << 30);
    let mut unused = index(10, "unused_long", &["a", "b"]);
    unused.figures.size_bytes = 500 << 20;
    unused.figures.bloat = Some(Bloat { percent: 80.0, wasted_bytes: 400 << 20, method: Method::Estimated });
    let mut duplicate = index(13, "twin_b", &["c"]);
    duplicate.figures.size_bytes = 50 << 20;
    let mut invalid = index(14, "half", &["d"]);
    invalid.definition.is_valid = false;
    set.indexes = vec![unused, index(11, "short", &["a"]), index(12, "twin_a", &["c"]), duplicate, invalid];
    for one in &set.indexes {
        let is_used = one.names.index != "unused_long";
        let counter: Vec<_> = (0..=40).map(|at| (day(at), if is_used { at } else { 7 })).collect();
        scans(&mut history, one, &counter);
    }
    set.tables = vec![table(1, "orders", 60.0), table(2, "small", 90.0)];
    set.tables[1].figures.bloat = Some(Bloat { percent: 90.0, wasted_bytes: 1 << 20, method: Method::Estimated });
    set.server.slots.push(Slot { name: "left".into(), retained_bytes: Some(5 << 30), ..Slot::default() });
    set.server.transactions.push(Transaction { pid: 7, began_at: Some(day(38)), ..Transaction::default() });
    set.databases[0].sequences.push(Sequence {
        schema: "public".into(),
        name: "orders_id_seq".into(),
        last_value: Some(2_000_000_000),
        start: 1,
        increment: 1,
        limit: i64::from(i32::MAX),
        column: Some(SequenceColumn {
            schema: "public".into(),
            table: "orders".into(),
            column: "id".into(),
            data_type: "integer".into(),
            is_identity: false,
        }),
        ..Sequence::default()
    });
    (set, history)
}

fn recommended(set: &Set, history: &History) -> Vec<Recommendation> {
    let settings = Settings::default();
    let judge = Judge { settings: &settings, server: "db" };
    let uses = indexes::uses(set, history, &settings.index);
    let mut bloated = bloat::tables(set, history, &settings);
    bloated.extend(bloat::indexes(set, history, &settings));
    recommend::recommend(&recommend::Facts {
        set,
        uses: &uses,
        redundant: &redundant(set),
        bloated: &bloated,
        findings: &judge.server(set),
        worse: &[],
        bloat_min_wasted_bytes: settings.bloat_min_wasted_bytes,
        total_ms_per_day: 1e6,
    })
}

#[test]
fn what_averts_a_standstill_comes_first_then_what_saves_most() {
    let (set, history) = troubled();
    let list = recommended(&set, &history);
    let named: Vec<_> = list.iter().map(|one| (one.kind.as_str(), one.subject.as_str())).collect();
    let expected = [
        ("drop_slot", "left"),
        ("widen_key", "shop public.orders_id_seq"),
        ("end_transaction", "the transaction of process 7 (another role, state unknown)"),
        ("repack", "shop public.orders"),
        ("drop_index", "shop public.unused_long"),
        ("duplicate_index", "shop public.twin_b"),
        ("invalid_index", "shop public.half"),
    ];
    // `short` is a prefix of an index that goes itself, `small` wastes too little, and nobody rebuilds what is dropped.
    assert_eq!(named, expected);
    assert!(list.iter().all(|one| one.statement.is_some() && !one.evidence.is_empty() && !one.risk.is_empty()));
    let widen = list[1].statement.as_deref().unwrap();
    assert!(widen.starts_with("ALTER TABLE public.orders ALTER COLUMN id TYPE bigint;"), "{widen}");
}

#[test]
fn a_healthy_server_needs_nothing() {
    assert_eq!(recommended(&set(), &History::default()), []);
}

/// A report on the troubled server.
fn reported(uses: &[IndexUse<'_>], set: &Set, history: &History) -> Report {
    let settings = Settings::default();
    let judge = Judge { settings: &settings, server: "db" };
    let mut book = Book::default();
    book.servers.insert("db".into(), day(39));
    let changes = book.judge(hour(39 * 24 + 5), &[], judge.server(set));
    book.apply(&changes);
    book.alerts.iter_mut().for_each(|alert| alert.opened_at = hour(39 * 24 + 5));
    let mut old = book.alerts[0].clone();
    (old.opened_at, old.subject) = (day(38), Subject::named("yesterday's"));
    book.alerts.push(old);
    let bloated = bloat::tables(set, history, &settings);
    let capacity: Capacity = capacity::capacity(set, history, &settings);
    report::report(&report::Facts {
        server: "db",
        day: "2026-07-10",
        from: day(39),
        to: day(40),
        totals: Totals { calls: 1_000.0, errors: 1.0, total_ms: 5_000.0, p95_ms: Some(12.5) },
        totals_before: Totals { calls: 900.0, ..Totals::default() },
        statements: &Day::default(),
        alerts: &book.alerts,
        bloated: &bloated,
        uses,
        capacity: &capacity,
        recommendations: &recommended(set, history),
    })
}

#[test]
fn a_report_has_what_the_owner_asked_for_and_survives_being_kept() {
    let (set, history) = troubled();
    let uses = indexes::uses(&set, &history, &Settings::default().index);
    let report = reported(&uses, &set, &history);
    assert_eq!(report.alerts.len(), 2);
    assert!(report.alerts.iter().all(|alert| alert.subject != "yesterday's"));
    let unused: Vec<&str> = report.unused_indexes.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(unused, ["shop public.unused_long"]);
    assert_eq!(
        report.bloat.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(),
        ["shop public.orders", "shop public.small"]
    );
    assert_eq!(report.recommendations.len(), 7);
    let kept = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&kept).unwrap(), report);
}

#[test]
fn text_and_html_say_the_same_and_let_nothing_through() {
    let (mut set, history) = troubled();
    set.server.slots[0].name = "<script>alert(1)</script>\u{1b}[2J&".into();
    let uses = indexes::uses(&set, &history, &Settings::default().index);
    let report = reported(&uses, &set, &history);
    let (text, html) = (page::text(&report), page::html(&report));
    for said in
        ["db on 2026-07-10", "What to do", "Unused indexes", "unused_long", "DROP INDEX CONCURRENTLY", "12.5 ms"]
    {
        assert!(text.contains(said) && html.contains(said), "{said}");
    }
    assert!(!text.contains('\u{1b}') && !html.contains('\u{1b}'));
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    let empty = page::text(&Report::default());
    assert!(empty.contains("Nothing this week.") && empty.contains("None got slower."), "{empty}");
}
