//! What grows, and when it is full.

use super::support::{DATABASE, day, hour, set, table};
use crate::analyze::capacity::{self, Capacity};
use crate::analyze::judge::Judge;
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::settings::Settings;
use crate::snapshot::database::DatabaseFigures;
use crate::snapshot::history::{History, Sample};
use crate::snapshot::relation::{Key, Oid};
use crate::snapshot::sequence::Sequence;
use crate::snapshot::server::{Connections, Setting};
use crate::snapshot::set::Set;

const GIB: u64 = 1 << 30;

/// Thirty days of a database, by its figures on each.
fn database(figures: impl Fn(u64) -> DatabaseFigures) -> History {
    let mut history = History::default();
    let samples = (0..=30).map(|at| Sample { at: day(at), figures: figures(at) });
    history.databases.insert(DATABASE, samples.collect());
    history
}

fn of_size(bytes: u64) -> DatabaseFigures {
    DatabaseFigures { size_bytes: Some(bytes), ..DatabaseFigures::default() }
}

fn capacity_of(set: &Set, history: &History, disk: Option<u64>) -> Capacity {
    capacity::capacity(set, history, &Settings { disk_capacity_bytes: disk, ..Settings::default() })
}

#[test]
fn a_disk_is_full_when_the_growth_of_all_databases_says_so() {
    let mut history = database(|at| of_size((10 + at) * GIB));
    // A second database, made on the twelfth day.
    let young = (12..=30).map(|at| Sample { at: day(at), figures: of_size(2 * GIB) });
    history.databases.insert(Oid(6), young.collect());
    let capacity = capacity_of(&set(), &history, Some(62 * GIB));
    let disk = capacity.disk.clone().unwrap();
    assert_eq!(disk.now, (42 * GIB) as f64);
    assert!((disk.full.days.unwrap() - 20.0).abs() < 1.5, "{disk:?}");
    let settings = Settings::default();
    let judge = Judge { settings: &settings, server: "db" };
    let finding = judge.disk(day(30), &capacity).unwrap();
    assert_eq!((finding.kind, finding.sightings[0].severity), (Kind::DiskForecast, Severity::Warning));
    assert!(finding.message.contains("42 GiB of 62 GiB"), "{}", finding.message);

    let far = capacity_of(&set(), &history, Some(620 * GIB));
    assert!(judge.disk(day(30), &far).is_none());
    let unknown = capacity_of(&set(), &history, None);
    assert!(unknown.disk.is_some() && judge.disk(day(30), &unknown).is_none());
}

/// On the day on which pgvitals came one load was half of all that it had seen, and woke somebody.
#[test]
fn a_growth_that_was_watched_for_a_day_wakes_nobody() {
    let sizes = |days: u64| {
        let at = |at: u64| Sample { at: hour(at), figures: of_size((10 + at) * GIB) };
        History { databases: [(DATABASE, (0..=days * 24).map(at).collect())].into(), ..History::default() }
    };
    let settings = Settings::default();
    let judge = Judge { settings: &settings, server: "db" };
    let told = |days| judge.disk(day(days), &capacity_of(&set(), &sizes(days), Some(200 * GIB))).is_some();
    assert!(!told(2) && told(3));
    assert!(capacity_of(&set(), &sizes(2), Some(200 * GIB)).disk.unwrap().full.days.is_some(), "it is shown");
}

#[test]
fn the_fastest_growing_table_comes_first_and_parts_are_in_their_whole() {
    let mut history = History::default();
    let mut set = set();
    for (oid, per_day, root) in [(1, 10 << 20, None), (2, 50 << 20, None), (3, 900 << 20, Some(Oid(2)))] {
        let mut one = table(oid, &format!("t{oid}"), 0.0);
        one.root = root;
        let samples = (0..=10).map(|at| {
            let mut figures = one.figures.clone();
            figures.heap_bytes = GIB + at * per_day;
            Sample { at: day(at), figures }
        });
        history.tables.insert(Key { database: DATABASE, relation: Oid(oid) }, samples.collect());
        set.tables.push(one);
    }
    let capacity = capacity_of(&set, &history, None);
    let names: Vec<&str> = capacity.tables.iter().map(|growth| growth.name.as_str()).collect();
    assert_eq!(names, ["public.t2", "public.t1"]);
    assert_eq!(capacity.tables[0].trend.unwrap().per_day.round(), (50u64 << 20) as f64);
}

#[test]
fn ids_run_on_through_freezing() {
    // Ten million a day; vacuum freezes on the twentieth, back to fifty million.
    let age = |at: u64| if at < 20 { 100_000_000 + at * 10_000_000 } else { 50_000_000 + (at - 20) * 10_000_000 };
    let figures = |at| DatabaseFigures { xid_age: age(at), ..DatabaseFigures::default() };
    let history = database(figures);
    let capacity = capacity_of(&set(), &history, None);
    let xids = &capacity.wraparound[0];
    assert_eq!((xids.name.as_str(), xids.now, xids.peak), ("transaction ids", 150e6, 290e6));
    assert_eq!((xids.trend.unwrap().per_day, xids.limit), (10e6, Some(200e6)));
    assert_eq!(xids.full.days, Some(5.0));
    // Past the age at which vacuum is forced, what counts is where the server stops.
    let mut late = set();
    late.server.settings.push(Setting {
        name: "autovacuum_freeze_max_age".into(),
        value: "100000000".into(),
        unit: String::new(),
    });
    let capacity = capacity_of(&late, &history, None);
    assert_eq!(capacity.wraparound[0].limit, Some(2_144_483_648.0));
}

#[test]
fn sequences_end_in_the_direction_in_which_they_count() {
    let mut history = History::default();
    let mut set = set();
    for (oid, increment, limit) in [(7, 1, 1_000_000), (8, -1, -1_000_000)] {
        let values = (0..=10).map(|at: i64| Sample { at: day(at as u64), figures: increment * at * 10_000 });
        history.sequences.insert(Key { database: DATABASE, relation: Oid(oid) }, values.collect());
        set.databases[0].sequences.push(Sequence {
            oid: Oid(oid),
            schema: "public".into(),
            name: format!("s{oid}"),
            last_value: Some(increment * 100_000),
            increment,
            limit,
            ..Sequence::default()
        });
    }
    set.databases[0].sequences.push(Sequence { is_cycle: true, last_value: Some(1), ..Sequence::default() });
    let capacity = capacity_of(&set, &history, None);
    let days: Vec<_> = capacity.sequences.iter().map(|growth| growth.full.days.map(f64::round)).collect();
    assert_eq!(days, [Some(90.0), Some(90.0)]);
}

#[test]
fn connections_are_told_with_their_peak() {
    let mut history = History::default();
    let used = [10, 20, 95, 30, 12];
    history.connections = used
        .into_iter()
        .zip(0..)
        .map(|(used, at)| Sample {
            at: day(at),
            figures: Connections { limit: 100, reserved: 3, used, idle_in_transaction: 0 },
        })
        .collect();
    let connections = capacity_of(&set(), &history, None).connections.unwrap();
    assert_eq!((connections.now, connections.peak, connections.limit), (12.0, 95.0, Some(97.0)));
}
