//! Facts to findings: what is one, how bad, of what.

use std::collections::BTreeSet;

use super::support::{DATABASE, day, index, minute, set, table};
use crate::analyze::alert::Subject;
use crate::analyze::capacity::{Capacity, Growth};
use crate::analyze::forecast::FullIn;
use crate::analyze::judge::{Execution, Idle, Judge, Own};
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::settings::{Override, Settings};
use crate::analyze::{bloat, indexes};
use crate::base::units::Nanos;
use crate::snapshot::database::Database;
use crate::snapshot::history::{History, Sample};
use crate::snapshot::holder::{Slot, Transaction};
use crate::snapshot::relation::{Bloat, Method, Oid, Withheld};
use crate::snapshot::sequence::{Sequence, SequenceColumn};
use crate::snapshot::server::Connections;
use crate::snapshot::set::{Missing, Set};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;

fn execution(text: &str, at: u64, millis: u64) -> Execution {
    Execution {
        at: minute(at),
        database: "shop".into(),
        query_hash: QueryHash::of(text),
        class: Class::Data,
        summary: text.into(),
        duration: Nanos::from_millis(millis),
        is_running: false,
        is_exempt: false,
    }
}

fn judge(settings: &Settings) -> Judge<'_> {
    Judge { settings, server: "db:5432" }
}

/// What a set leads to: kinds, subjects, severities.
fn found(set: &Set) -> Vec<(Kind, String, Severity)> {
    let findings = judge(&Settings::default()).server(set);
    findings.iter().map(|one| (one.kind, one.subject.to_string(), one.sightings[0].severity)).collect()
}

#[test]
fn executions_of_data_beyond_the_threshold_are_found_by_statement() {
    let executions = [
        execution("SELECT a", 1, 501),
        execution("SELECT a", 2, 1_200),
        execution("SELECT a", 3, 400),
        execution("SELECT b", 1, 500),
        Execution { class: Class::Ddl, ..execution("CREATE INDEX", 1, 60_000) },
        Execution { class: Class::Introspection, ..execution("SELECT pg_class", 1, 60_000) },
        Execution { is_exempt: true, ..execution("SELECT report", 1, 60_000) },
        Execution { is_running: true, ..execution("SELECT c", 4, 30_000) },
    ];
    let settings = Settings::default();
    let mut findings = judge(&settings).slow_statements(&executions);
    findings.sort_by_key(|finding| finding.sightings.len());
    let [running, twice] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(running.subject, Subject::statement("shop", QueryHash::of("SELECT c")));
    assert!(running.message.contains("has been running for 30 s"), "{}", running.message);
    let severities: Vec<_> = twice.sightings.iter().map(|one| (one.at, one.severity)).collect();
    assert_eq!(severities, [(minute(1), Severity::Alert), (minute(2), Severity::Critical)]);
    assert_eq!(twice.message, "SELECT a in shop took 1.2 s, more than 500 ms");
}

#[test]
fn a_statement_s_own_threshold_holds_for_it_alone() {
    let rule = Override {
        kind: Kind::SlowStatement,
        database: None,
        query_hash: Some(QueryHash::of("SELECT a")),
        threshold: Some(5_000.0),
    };
    let settings = Settings { overrides: vec![rule], ..Settings::default() };
    let executions = [execution("SELECT a", 1, 4_000), execution("SELECT b", 1, 4_000)];
    let findings = judge(&settings).slow_statements(&executions);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].subject.query_hash, Some(QueryHash::of("SELECT b")));
}

#[test]
fn the_longest_idle_transaction_of_each_application_is_found() {
    let idle = |application: &str, minutes: u64| Idle {
        at: minute(100),
        database: "shop".into(),
        user: "app".into(),
        application: application.into(),
        idle: Nanos::from_millis(minutes * 60_000),
        after: None,
    };
    let sessions = [idle("web", 6), idle("web", 61), idle("web", 7), idle("cron", 4)];
    let findings = judge(&Settings::default()).idle_in_transaction(&sessions);
    let [one] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((one.sightings[0].value, one.sightings[0].severity), (3_660.0, Severity::Critical));
    assert_eq!(one.subject.to_string(), "shop app web");
}

#[test]
fn pgvitals_judges_itself_and_its_neighbours() {
    let settings = Settings::default();
    let own = Own {
        at: minute(10),
        upstream_down_since: Some(minute(7)),
        store_down_since: Some((minute(9), "connection refused".into())),
        partitions_ahead_days: Some(0.5),
        clocks: vec![("pod-1".into(), Nanos::from_millis(4_000)), ("pod-2".into(), Nanos::from_millis(6_000))],
        dropped: vec![("spool_full".into(), 3), ("too_old".into(), 0)],
    };
    let found: Vec<_> = judge(&settings).own(&own).iter().map(|one| (one.kind, one.subject.to_string())).collect();
    let expected = [
        (Kind::UpstreamDown, "server"),
        (Kind::PartitionsAhead, "server"),
        (Kind::Clock, "pod-2"),
        (Kind::SamplesDropped, "spool_full"),
    ];
    // The store has been down for less than two minutes.
    assert_eq!(found, expected.map(|(kind, subject)| (kind, subject.to_owned())));
    assert!(judge(&settings).own(&Own { at: minute(1), ..Own::default() }).is_empty());
}

#[test]
fn a_healthy_server_has_no_findings() {
    let mut set = set();
    set.server.connections = Connections { limit: 100, reserved: 3, used: 77, idle_in_transaction: 0 };
    set.databases[0].figures.xid_age = 199_000_000;
    set.databases[0].figures.multixact_age = 399_000_000;
    set.server.slots.push(Slot {
        name: "standby".into(),
        is_active: true,
        retained_bytes: Some(2 << 30),
        ..Slot::default()
    });
    assert_eq!(found(&set), []);
}

#[test]
fn connections_count_against_what_applications_can_have() {
    let mut set = set();
    set.server.connections = Connections { limit: 100, reserved: 20, used: 65, idle_in_transaction: 1 };
    assert_eq!(found(&set), [(Kind::ConnectionSaturation, "server".into(), Severity::Alert)]);
    set.server.connections.used = 79;
    assert_eq!(found(&set)[0].2, Severity::Critical);
}

#[test]
fn wraparound_names_who_holds_vacuum_back() {
    let mut set = set();
    set.databases[0].figures.xid_age = 1_100_000_000;
    set.databases[0].figures.multixact_age = 1_800_000_000;
    set.server.slots.push(Slot { name: "o'clock".into(), xmin_age: Some(1_000_000_000), ..Slot::default() });
    set.server.transactions.push(Transaction {
        pid: 77,
        xmin_age: Some(2_000_000_000),
        is_vacuum: true,
        ..Transaction::default()
    });
    let expected = [
        (Kind::Wraparound, "shop transaction ids".to_owned(), Severity::Warning),
        (Kind::Wraparound, "shop multixacts".to_owned(), Severity::Critical),
    ];
    assert_eq!(found(&set), expected);
    let message = &judge(&Settings::default()).server(&set)[0].message;
    assert!(message.contains("SELECT pg_drop_replication_slot('o''clock');"), "{message}");
}

#[test]
fn a_sequence_ends_where_its_column_does() {
    let sequence = |name: &str, last: Option<i64>, start: i64, limit: i64, increment: i64| Sequence {
        oid: Oid(9),
        schema: "public".into(),
        name: name.into(),
        last_value: last,
        is_readable: true,
        start,
        increment,
        limit,
        ..Sequence::default()
    };
    let int4 = i64::from(i32::MAX);
    let mut set = set();
    assert_eq!(set.databases[0].oid, DATABASE);
    set.databases[0].sequences = vec![
        sequence("half", Some(int4 / 2), 1, int4, 1),
        Sequence {
            column: Some(SequenceColumn { table: "orders".into(), column: "id".into(), ..SequenceColumn::default() }),
            ..sequence("near", Some(1_700_000_000), 1, int4, 1)
        },
        sequence("down", Some(-2_000_000_000), -1, i64::from(i32::MIN), -1),
        // From the smallest on: at zero half of it is gone, not all.
        sequence("whole", Some(0), i64::from(i32::MIN), int4, 1),
        sequence("never used", None, 1, 10, 1),
        Sequence { is_cycle: true, ..sequence("round", Some(10), 1, 10, 1) },
        sequence("one", Some(1), 1, 1, 1),
        sequence("all", Some(i64::MAX), i64::MIN, i64::MAX, 1),
    ];
    let expected = [
        ("shop public.near", Severity::Warning),
        ("shop public.down", Severity::Critical),
        ("shop public.one", Severity::Critical),
        ("shop public.all", Severity::Critical),
    ];
    let expected = expected.map(|(subject, severity)| (Kind::SequenceExhaustion, subject.to_owned(), severity));
    assert_eq!(found(&set), expected);
    let message = &judge(&Settings::default()).server(&set)[0].message;
    assert!(message.contains("447483647 are left") && message.contains("orders.id"), "{message}");
}

#[test]
fn slots_are_found_when_nobody_reads_or_wal_is_lost() {
    let slot = |name: &str, is_active, retained: u64, status: &str| Slot {
        name: name.into(),
        is_active,
        retained_bytes: Some(retained),
        wal_status: Some(status.into()),
        ..Slot::default()
    };
    let mut set = set();
    set.server.slots = vec![
        slot("streams", true, 10 << 30, "extended"),
        slot("young", false, 100 << 20, "reserved"),
        slot("left", false, 3 << 30, "extended"),
        slot("huge", true, 100 << 30, "extended"),
        slot("lost", false, 0, "lost"),
        slot("losing", true, 1 << 20, "unreserved"),
    ];
    let expected = [
        ("left", Severity::Alert),
        ("huge", Severity::Critical),
        ("lost", Severity::Critical),
        ("losing", Severity::Critical),
    ];
    assert_eq!(found(&set), expected.map(|(name, severity)| (Kind::ReplicationSlot, name.to_owned(), severity)));
    assert_eq!(set.at, day(40));
}

#[test]
fn looks_leave_out_what_could_not_be_seen() {
    let settings = Settings::default();
    let judge = judge(&settings);
    let mut set = set();
    set.databases.push(Database { oid: Oid(6), name: "closed".into(), is_seen: false, ..Database::default() });
    let mut withheld = table(1, "withheld", 0.0);
    withheld.figures.bloat = None;
    set.tables = vec![withheld, table(2, "known", 5.0)];
    let bloated = bloat::tables(&set, &History::default(), &settings);
    let looks = judge.snapshot_looks(&set, &bloated);
    let of = |kind| looks.iter().find(|look| look.kind == kind).unwrap();
    assert_eq!(of(Kind::HighBloat).blind, BTreeSet::from(["closed".to_owned()]));
    assert_eq!(of(Kind::HighBloat).unknown, BTreeSet::from([Subject::of("shop", "public.withheld")]));
    assert!(of(Kind::InvalidIndex).unknown.is_empty() && of(Kind::Wraparound).blind.is_empty());

    set.missing.push(Missing { database: Some("shop".into()), what: "sequences".into(), ..Missing::default() });
    set.missing.push(Missing { what: "slots".into(), ..Missing::default() });
    let looks = judge.snapshot_looks(&set, &[]);
    let blind = looks.iter().find(|look| look.kind == Kind::SequenceExhaustion).map(|look| look.blind.len());
    assert_eq!(blind, Some(2), "a question that failed says nothing of sequences");
    assert!(looks.iter().all(|look| look.kind != Kind::ReplicationSlot));
    let lost = Missing { what: "databases".into(), ..Missing::default() };
    let nowhere = Set { databases: Vec::new(), missing: vec![lost], ..set.clone() };
    let kinds: Vec<Kind> = judge.snapshot_looks(&nowhere, &[]).iter().map(|look| look.kind).collect();
    assert_eq!(kinds, [Kind::ConnectionSaturation, Kind::ReplicationSlot]);
    assert!(judge.day_looks(&nowhere, &[], &Capacity::default()).is_empty());

    set.indexes.push(index(10, "unseen", &["a"]));
    let uses = indexes::uses(&set, &History::default(), &settings.index);
    let looks = judge.day_looks(&set, &uses, &Capacity::default());
    let [unused] = &looks[..] else { panic!("{looks:?}") };
    assert_eq!((unused.kind, unused.unknown.len()), (Kind::UnusedIndex, 1));
}

/// A table whose statistics go stale and come back each day opened and resolved its alert each day.
#[test]
fn few_dead_rows_do_not_say_that_space_is_used_again() {
    let settings = Settings::default();
    let mut table = table(1, "orders", 60.0);
    let estimated = Sample { at: day(39), figures: table.figures.clone() };
    let history = History { tables: [(table.key, vec![estimated])].into(), ..History::default() };
    table.figures.bloat = Some(Bloat { percent: 2.0, wasted_bytes: 1 << 20, method: Method::DeadTuples });
    let mut unknown = |reason, history: &History| {
        table.figures.withheld = Some(reason);
        let set = Set { tables: vec![table.clone()], ..set() };
        let looks = judge(&settings).snapshot_looks(&set, &bloat::tables(&set, history, &settings));
        looks.iter().find(|look| look.kind == Kind::HighBloat).map(|look| look.unknown.len())
    };
    assert_eq!(unknown(Withheld::StaleStatistics, &history), Some(1), "what the estimate said still counts");
    assert_eq!(unknown(Withheld::StaleStatistics, &History::default()), Some(0), "there was never more to be known");
    assert_eq!(unknown(Withheld::Toasted, &history), Some(0), "no estimate will come");
}

#[test]
fn each_kind_but_those_of_pgvitals_itself_is_looked_at_once() {
    let settings = Settings::default();
    let judge = judge(&settings);
    let growth = || {
        let sizes = (0..10).map(|at| (day(at), at as f64)).collect::<Vec<_>>();
        let trend = crate::analyze::forecast::trend(&sizes);
        Growth {
            database: None,
            name: String::new(),
            now: 9.0,
            peak: 9.0,
            limit: Some(1e9),
            trend,
            full: FullIn::default(),
            past: Vec::new(),
        }
    };
    let mut looks = judge.snapshot_looks(&set(), &[]);
    looks.extend(judge.day_looks(&set(), &[], &Capacity { disk: Some(growth()), ..Capacity::default() }));
    looks.extend(judge.statement_looks(minute(90)));
    let kinds: BTreeSet<Kind> = looks.iter().map(|look| look.kind).collect();
    assert_eq!(kinds.len(), looks.len());
    let own = [Kind::UpstreamDown, Kind::StoreDown, Kind::Clock, Kind::SamplesDropped, Kind::PartitionsAhead];
    assert!(kinds.is_disjoint(&BTreeSet::from(own)));
    assert_eq!(kinds.into_iter().chain(own).collect::<BTreeSet<_>>(), Kind::ALL.iter().copied().collect());
    let regression = looks.iter().find(|look| look.kind == Kind::Regression).unwrap();
    assert_eq!(regression.at, minute(60), "what is judged by hours is looked at once an hour");
}
