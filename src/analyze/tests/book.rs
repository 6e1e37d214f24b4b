//! An alert's life.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::support::{day, hour, minute};
use crate::analyze::alert::{
    Acknowledgement, Alert, Change, Finding, Look, Notice, Quiet, Sighting, Silence, Subject, What,
};
use crate::analyze::book::Book;
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::level::days;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;

const SERVER: &str = "db:5432";

/// A book, and what was seen of one subject.
struct Story {
    book: Book,
    kind: Kind,
    subject: Subject,
    seen: Vec<Sighting>,
}

fn story(kind: Kind) -> Story {
    let subject = if kind.is_of_statement() {
        Subject::statement("shop", QueryHash::of("select 1"))
    } else {
        Subject::of("shop", "public.orders")
    };
    Story { book: Book::default(), kind, subject, seen: Vec::new() }
}

impl Story {
    fn look(&self, at: WallTime) -> Look {
        Look { server: SERVER.into(), kind: self.kind, at, blind: BTreeSet::new(), unknown: BTreeSet::new() }
    }

    fn finding(&self, sightings: Vec<Sighting>) -> Finding {
        Finding {
            server: SERVER.into(),
            kind: self.kind,
            subject: self.subject.clone(),
            threshold: 500.0,
            message: "so it is".into(),
            sightings,
        }
    }

    /// Judges with these sightings alone, and a look.
    fn judge(&mut self, now: WallTime, sightings: Vec<Sighting>) -> Vec<Change> {
        let findings = if sightings.is_empty() { Vec::new() } else { vec![self.finding(sightings)] };
        let changes = self.book.judge(now, &[self.look(now)], findings);
        self.book.apply(&changes);
        changes
    }

    /// One sighting now; what came of it.
    fn sees(&mut self, now: WallTime, value: f64, severity: Severity) -> (Option<What>, Option<Notice>) {
        told(&self.judge(now, vec![Sighting { at: now, value, severity }]))
    }

    /// A look that shows nothing.
    fn sees_nothing(&mut self, now: WallTime) -> (Option<What>, Option<Notice>) {
        told(&self.judge(now, Vec::new()))
    }

    fn rows(&self) -> &[Alert] {
        &self.book.alerts
    }
}

fn told(changes: &[Change]) -> (Option<What>, Option<Notice>) {
    assert!(changes.len() <= 1, "{changes:?}");
    (changes.first().map(|change| change.what), changes.first().and_then(|change| change.notice))
}

#[test]
fn a_slow_statement_lives_from_the_first_sighting_to_a_quiet_quarter_of_an_hour() {
    let mut story = story(Kind::SlowStatement);
    assert_eq!(story.sees(minute(0), 600.0, Severity::Alert), (Some(What::Opened), None));
    assert_eq!(story.sees(minute(5), 800.0, Severity::Alert), (Some(What::Seen), Some(Notice::Opened)));
    assert_eq!(story.sees(minute(6), 700.0, Severity::Alert), (Some(What::Seen), None));
    assert_eq!(story.sees(minute(7), 1_500.0, Severity::Critical), (Some(What::Escalated), Some(Notice::Escalated)));
    assert_eq!(story.sees(minute(8), 600.0, Severity::Alert), (Some(What::Seen), None));
    assert_eq!(story.sees_nothing(minute(22)), (None, None));
    assert_eq!(story.sees_nothing(minute(23)), (Some(What::Resolved), Some(Notice::Resolved)));
    assert_eq!(story.sees_nothing(minute(40)), (None, None));
    let [row] = story.rows() else { panic!("{:?}", story.rows()) };
    assert_eq!((row.count, row.value, row.worst, row.severity), (5, 600.0, 1_500.0, Severity::Critical));
    assert_eq!((row.opened_at, row.last_seen_at, row.resolved_at), (minute(0), minute(8), Some(minute(23))));
}

#[test]
fn what_is_critical_at_once_is_told_at_once() {
    let mut story = story(Kind::SlowStatement);
    assert_eq!(story.sees(minute(0), 2_000.0, Severity::Critical), (Some(What::Opened), Some(Notice::Opened)));
}

#[test]
fn one_slow_execution_now_and_then_is_never_told() {
    let mut story = story(Kind::SlowStatement);
    for round in 0..10 {
        let begin = hour(2 * round);
        assert_eq!(story.sees(begin, 600.0, Severity::Alert), (Some(What::Opened), None));
        let over = begin.after(Nanos::from_millis(16 * 60_000));
        assert_eq!(story.sees_nothing(over), (Some(What::Resolved), None));
    }
}

#[test]
fn two_executions_in_one_look_are_two_sightings() {
    let mut story = story(Kind::SlowStatement);
    let twice = [30, 40].map(|second| minute(0).after(Nanos::from_millis(second * 1_000)));
    let sightings = twice.map(|at| Sighting { at, value: 600.0, severity: Severity::Alert }).to_vec();
    assert_eq!(told(&story.judge(minute(1), sightings.clone())), (Some(What::Opened), Some(Notice::Opened)));
    // The same window handed over again, after a restart or by another leader, counts nothing twice.
    assert_eq!(told(&story.judge(minute(3), sightings)), (None, None));
    assert_eq!(story.rows()[0].count, 2);
}

#[test]
fn no_data_is_not_resolved() {
    let mut story = story(Kind::HighBloat);
    story.sees(hour(0), 30.0, Severity::Warning);
    let nothing = story.book.judge(hour(30), &[], Vec::new());
    assert!(nothing.is_empty(), "{nothing:?}");
    let others = [
        Look { kind: Kind::InvalidIndex, ..story.look(hour(30)) },
        Look { server: "other:5432".into(), ..story.look(hour(30)) },
        Look { blind: BTreeSet::from(["shop".to_owned()]), ..story.look(hour(30)) },
        Look { unknown: BTreeSet::from([story.subject.clone()]), ..story.look(hour(30)) },
    ];
    assert!(story.book.judge(hour(30), &others, Vec::new()).is_empty());
}

#[test]
fn an_hourly_kind_is_over_when_two_snapshots_do_not_show_it() {
    let mut story = story(Kind::HighBloat);
    assert_eq!(story.sees(hour(0), 30.0, Severity::Warning), (Some(What::Opened), Some(Notice::Opened)));
    assert_eq!(story.sees_nothing(hour(1)), (Some(What::Missed), None));
    // The same snapshot judged again is no second one.
    assert!(story.book.judge(hour(1).after(Nanos::from_millis(60_000)), &[story.look(hour(1))], Vec::new()).is_empty());
    assert_eq!(story.sees(hour(2), 25.0, Severity::Warning), (Some(What::Seen), None));
    assert_eq!(story.sees_nothing(hour(3)), (Some(What::Missed), None));
    assert_eq!(story.sees_nothing(hour(4)), (Some(What::Resolved), Some(Notice::Resolved)));
}

#[test]
fn a_daily_kind_is_over_on_the_next_day_that_does_not_show_it() {
    let mut story = story(Kind::UnusedIndex);
    story.sees(day(0), 31.0, Severity::Warning);
    assert_eq!(story.sees_nothing(hour(6)), (None, None));
    assert_eq!(story.sees(day(1), 32.0, Severity::Warning), (Some(What::Seen), None));
    // Clocks were put forward: a day of 23 hours.
    assert_eq!(story.sees_nothing(hour(47)), (Some(What::Resolved), Some(Notice::Resolved)));
}

#[test]
fn what_comes_and_goes_is_held_open_and_told_once() {
    let mut story = story(Kind::IdleInTransaction);
    story.book.settings.cooldown = Nanos::from_millis(60_000);
    let mut told = Vec::new();
    for at in (0..60).step_by(4) {
        told.extend(story.sees(minute(at), 400.0, Severity::Alert).1);
        told.extend(story.sees_nothing(minute(at + 2)).1);
    }
    assert_eq!(told, [Notice::Opened, Notice::Resolved, Notice::Opened, Notice::Flapping]);
    let open: Vec<_> = story.rows().iter().filter(|row| row.is_open()).collect();
    assert!(matches!(open[..], [row] if row.is_flapping), "{open:?}");
    assert_eq!(story.sees_nothing(minute(100)), (None, None));
    assert_eq!(story.sees_nothing(minute(120)), (Some(What::Resolved), Some(Notice::Resolved)));
}

#[test]
fn what_is_known_is_told_again_only_when_it_gets_worse() {
    let mut story = story(Kind::HighBloat);
    story.sees(hour(0), 30.0, Severity::Warning);
    story.book.alerts[0].acknowledged = Some(Acknowledgement { by: "ann".into(), severity: Severity::Warning });
    assert_eq!(story.sees(hour(1), 40.0, Severity::Warning), (Some(What::Seen), None));
    assert_eq!(story.sees(hour(2), 60.0, Severity::Critical), (Some(What::Escalated), Some(Notice::Escalated)));
    assert_eq!(story.sees(hour(3), 60.0, Severity::Critical), (Some(What::Seen), None));
    story.sees_nothing(hour(4));
    assert_eq!(story.sees_nothing(hour(5)), (Some(What::Resolved), Some(Notice::Resolved)));
}

#[test]
fn what_stays_critical_is_told_once_a_day_until_somebody_knows() {
    let mut story = story(Kind::Wraparound);
    let mut told = Vec::new();
    for at in 0..72 {
        told.extend(story.sees(hour(at), 85.0, Severity::Critical).1);
    }
    assert_eq!(told, [Notice::Opened, Notice::Reminder, Notice::Reminder]);
    story.book.alerts[0].acknowledged = Some(Acknowledgement { by: "ann".into(), severity: Severity::Critical });
    assert_eq!(story.sees(hour(99), 85.0, Severity::Critical), (Some(What::Seen), None));
}

#[test]
fn a_silence_keeps_quiet_and_what_is_still_there_is_told_after_it() {
    let mut story = story(Kind::HighBloat);
    let silence = Silence {
        server: None,
        kind: Some(Kind::HighBloat),
        database: None,
        subject: Some("shop public.orders".into()),
        until: minute(90),
        by: "ann".into(),
    };
    story.book.silences.push(silence);
    assert_eq!(story.sees(hour(0), 30.0, Severity::Warning), (Some(What::Opened), None));
    let quiet = story.rows()[0].silenced.clone();
    assert_eq!(
        quiet,
        Some(Quiet { by: "ann".into(), until: minute(90) }),
        "one that opens meanwhile says who wants quiet"
    );
    assert_eq!(story.sees(hour(1), 60.0, Severity::Critical), (Some(What::Escalated), None));
    assert_eq!(story.sees(hour(2), 60.0, Severity::Critical), (Some(What::Seen), Some(Notice::Opened)));
}

#[test]
fn a_silence_matches_what_it_names_and_nothing_else() {
    let mut story = story(Kind::HighBloat);
    story.sees(hour(0), 30.0, Severity::Warning);
    let any = Silence { server: None, kind: None, database: None, subject: None, until: hour(9), by: "ann".into() };
    let row = &story.rows()[0];
    let covers = |silence: Silence| silence.covers(row, hour(1));
    assert!(covers(any.clone()) && covers(Silence { database: Some("shop".into()), ..any.clone() }));
    assert!(!covers(Silence { server: Some("other".into()), ..any.clone() }));
    assert!(!covers(Silence { kind: Some(Kind::Clock), ..any.clone() }));
    assert!(!covers(Silence { database: Some("bank".into()), ..any.clone() }));
    assert!(!covers(Silence { subject: Some("shop public.order".into()), ..any.clone() }));
    assert!(!any.covers(row, hour(9)));
}

#[test]
fn in_its_first_day_a_server_s_statements_are_learned_in_silence() {
    let mut slow = story(Kind::SlowStatement);
    slow.book.servers.insert(SERVER.into(), hour(0));
    for at in 0..100 {
        let (what, notice) = slow.sees(minute(14 * at), 600.0, Severity::Alert);
        assert!(what.is_some() && notice.is_none(), "{at}");
    }
    // It goes on as it was known, and is told when it gets worse.
    assert_eq!(slow.sees(hour(24), 600.0, Severity::Alert).1, None);
    assert_eq!(slow.sees(minute(24 * 60 + 5), 3_000.0, Severity::Critical).1, Some(Notice::Opened));

    let mut bloat = story(Kind::HighBloat);
    bloat.book.servers.insert(SERVER.into(), hour(0));
    assert_eq!(bloat.sees(hour(1), 30.0, Severity::Warning).1, Some(Notice::Opened));

    let mut eager = story(Kind::SlowStatement);
    eager.book.servers.insert(SERVER.into(), hour(0));
    eager.book.settings.learn = Nanos::ZERO;
    assert_eq!(eager.sees(hour(1), 3_000.0, Severity::Critical).1, Some(Notice::Opened));
}

#[test]
fn beyond_ten_new_statements_an_hour_the_rest_are_one_alert() {
    let mut book = Book::default();
    let findings = |at: WallTime, count: u64| -> Vec<Finding> {
        let finding = |n| Finding {
            subject: Subject::statement("shop", QueryHash::of(&format!("select {n}"))),
            ..story(Kind::SlowStatement).finding(vec![Sighting {
                at,
                value: 600.0 + n as f64,
                severity: if n == 3 { Severity::Critical } else { Severity::Alert },
            }])
        };
        (0..count).map(finding).collect()
    };
    let changes = book.judge(minute(1), &[], findings(minute(1), 25));
    book.apply(&changes);
    assert!(changes.iter().all(|change| change.what == What::Opened) && changes.len() == 11, "{changes:?}");
    let more = book.alerts.iter().find(|row| row.subject.name == "(more)").unwrap();
    // Its figures are those of the worst that it stands for: a count of statements would be told as milliseconds.
    assert_eq!((more.value, more.threshold, more.message.contains("15 more")), (615.0, 500.0, true));
    // The worst took the places.
    assert!(book.alerts.iter().any(|row| row.severity == Severity::Critical && row.value == 603.0));
    assert!(book.alerts.iter().all(|row| row.value >= 603.0));
    // Another server has ten of its own.
    let elsewhere = findings(minute(2), 12).into_iter().map(|one| Finding { server: "other".into(), ..one }).collect();
    assert_eq!(book.judge(minute(2), &[], elsewhere).len(), 11);
    // After an hour there is room again; those that are open already count on.
    let later = book.judge(minute(62), &[], findings(minute(62), 25));
    let count = |what| later.iter().filter(|change| change.what == what).count();
    assert_eq!((count(What::Seen), count(What::Opened)), (11, 10), "{later:?}");
}

#[test]
fn other_kinds_have_no_limit() {
    let book = Book::default();
    let finding = |n: u64| Finding {
        subject: Subject::of("shop", format!("public.t{n}")),
        ..story(Kind::HighBloat).finding(vec![Sighting { at: hour(1), value: 30.0, severity: Severity::Warning }])
    };
    assert_eq!(book.judge(hour(1), &[], (0..50).map(finding).collect()).len(), 50);
}

#[test]
fn less_is_worse_where_days_are_counted() {
    let mut story = story(Kind::DiskForecast);
    story.sees(day(0), 20.0, Severity::Warning);
    story.sees(day(1), 25.0, Severity::Warning);
    story.sees(day(2), 15.0, Severity::Warning);
    assert_eq!((story.rows()[0].value, story.rows()[0].worst), (15.0, 15.0));
    story.sees(day(3), 22.0, Severity::Warning);
    assert_eq!((story.rows()[0].value, story.rows()[0].worst), (22.0, 15.0));
}

#[test]
fn distinct_subjects_have_distinct_texts() {
    let hash = QueryHash::of("select 1");
    let subjects = [
        Subject::server(),
        Subject::named("slot"),
        Subject::of("shop", "public.orders"),
        Subject::of("shop", ""),
        Subject::statement("shop", hash),
        Subject { database: None, query_hash: Some(hash), name: String::new() },
    ];
    let texts: BTreeSet<String> = subjects.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), subjects.len(), "{texts:?}");
    assert_eq!(Subject::server().to_string(), "server");
}

proptest! {
    /// However often it is judged, by whom, and after which restarts: each sighting is counted once, and no row is
    /// written more than once a minute but to open, escalate or resolve it.
    #[test]
    fn each_sighting_is_counted_once(
        gaps_s in proptest::collection::vec(1u64..900, 1..60),
        every_s in 5u64..300,
    ) {
        let mut story = story(Kind::SlowStatement);
        let mut at = minute(0);
        for gap in &gaps_s {
            at = at.after(Nanos::from_millis(gap * 1_000));
            story.seen.push(Sighting { at, value: 600.0, severity: Severity::Alert });
        }
        let mut now = minute(0);
        let mut written = WallTime::default();
        while now < at.after(days(1)) && !(now > at && story.rows().iter().all(|row| !row.is_open())) {
            now = now.after(Nanos::from_millis(every_s * 1_000));
            let window = (now.before(Nanos::from_millis(3_600_000)), now);
            let seen = story.seen.iter().filter(|one| window.0 < one.at && one.at <= window.1).copied().collect();
            // Nothing is kept but rows.
            story.book = Book { alerts: story.book.alerts.clone(), ..Book::default() };
            for change in story.judge(now, seen) {
                if change.what == What::Seen {
                    prop_assert!(now.since(written) >= Nanos::from_millis(60_000));
                }
                written = now;
            }
        }
        let counted: u64 = story.rows().iter().map(|row| row.count).sum();
        prop_assert_eq!(counted, story.seen.len() as u64);
        prop_assert!(story.rows().iter().all(|row| !row.is_open()));
    }
}
