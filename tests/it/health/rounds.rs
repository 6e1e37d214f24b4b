//! Rounds in the store: each slot once, what changed hourly, everything once a day, and back again.

use std::time::Duration;

use ::pgvitals::analyze::indexes::{self, Status};
use ::pgvitals::analyze::level::{IndexLevels, days};
use ::pgvitals::base::units::{Nanos, WallTime};
use ::pgvitals::pgclient::target::Target;
use ::pgvitals::runtime::clock::Clock;
use ::pgvitals::snapshot::relation::Oid;
use ::pgvitals::snapshot::set::Set;
use ::pgvitals::store::link::Link;
use ::pgvitals::store::read::Reader;
use ::pgvitals::store::read::health::Health;
use ::pgvitals::store::schema::Schema;
use ::pgvitals::store::settings::{Retention, Settings};
use ::pgvitals::store::snapshots::{Slot, Written, write};
use ::pgvitals::store::upkeep::maintain;
use ::pgvitals::tls::settings::Upstream;

use super::{Patient, block_on, client_as};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

const HOUR: Nanos = Nanos::from_millis(3_600_000);
pub(super) const SERVER: &str = "orders-db:5432";

/// A store beside what it is told of.
pub(super) struct Store {
    pub(super) patient: Patient,
}

impl Store {
    pub(super) fn new(major: u32) -> Self {
        let store = Self { patient: Patient::of(major) };
        Tool::pgvitals().args(&["migrate", "--store", &store.url("postgres")]).succeed();
        store
    }

    fn url(&self, role: &str) -> String {
        let (host, port) = self.patient.cluster.tcp.host_and_port();
        format!("postgres://{role}@{host}:{port}/{}", self.patient.name)
    }

    pub(super) fn settings(&self, role: &str) -> Settings {
        let day = Duration::from_secs(86_400);
        Settings {
            target: Target::new(&self.url(role), Upstream::default()).unwrap(),
            schema: Schema::default(),
            flush_interval: Duration::from_secs(10),
            spool_dir: None,
            spool_max: 1 << 30,
            max_size: 10 << 30,
            idle_close: Duration::from_secs(5),
            retention: Retention {
                minutes: None,
                hours: day * 60,
                days: day * 730,
                slow: day * 14,
                errors: day * 60,
                alerts: day * 730,
                snapshots: day * 90,
            },
        }
    }

    /// Writes a round for the hour that it began in.
    pub(super) fn write(&self, set: &Set) -> Option<Written> {
        block_on(async {
            let link = Link::open(&self.settings("pgvitals_writer"), Clock::start()).await.unwrap();
            write(&link, slot(set), set).await.unwrap()
        })
    }

    pub(super) fn read(&self, since: WallTime) -> Health {
        let reader = Reader::new(self.settings("pgvitals_reader"));
        block_on(reader.health(SERVER, since)).unwrap().expect("a round")
    }

    fn value(&self, sql: &str) -> String {
        client_as(&self.patient, "pgvitals_reader").value(sql)
    }
}

fn slot(set: &Set) -> Slot<'_> {
    let hour_us = HOUR.as_micros().cast_signed();
    let begin = set.at.unix_micros().div_euclid(hour_us) * hour_us;
    Slot { job: "collect", server: SERVER, at: WallTime::from_unix_micros(begin), after_idle: false }
}

/// A round at some hour of today (UTC), or of the day that begins so many hours after today's begin.
pub(super) fn at(set: &Set, hour: u64) -> Set {
    let day_us = 24 * HOUR.as_micros().cast_signed();
    let day = WallTime::from_unix_micros(set.at.unix_micros().div_euclid(day_us) * day_us);
    Set { at: day.after(Nanos::from_micros(hour * HOUR.as_micros())), ..set.clone() }
}

/// A round over a small database, without what other tests have made beside it.
pub(super) fn round(patient: &Patient) -> Set {
    let mut set = patient.look().set;
    let database = set.databases.iter().find(|database| database.name == patient.name).unwrap().oid;
    set.databases.retain(|one| one.oid == database);
    set.tables.retain(|one| one.key.database == database);
    set.indexes.retain(|one| one.key.database == database);
    set.missing.clear();
    set
}

pub(super) fn furnish(patient: &Patient) {
    let mut client = patient.client();
    client.query("create table \"T 1\" (id int primary key, n int, \"ä\" text)");
    client.query("create index \"N'1\" on \"T 1\" (n) where n > 1");
    client.query("create table t2 (id int generated always as identity primary key, n int)");
    client.query("create table parts (id int not null) partition by range (id)");
    client.query("create table parts_1 partition of parts for values from (0) to (9)");
    client.query("create index parts_id on parts (id)");
    client.query("insert into t2 (n) select i from generate_series(1, 1000) i");
    client.query("select setval('t2_id_seq', 2000000000)");
    client.query("analyze");
    client.query("select pg_stat_force_next_flush()");
}

/// What was seen comes back as it was, on each version.
#[test]
fn a_round_is_written_once_and_comes_back_as_it_was() {
    for major in Cluster::majors() {
        let store = Store::new(major);
        furnish(&store.patient);
        let set = round(&store.patient);
        assert!(set.tables.len() == 4 && set.indexes.len() == 5, "{:?}", set.indexes);
        let written = store.write(&set).expect("a slot that nobody had written");
        assert_eq!((written.tables, written.indexes, written.databases), (4, 5, 1));
        assert_eq!(store.write(&set), None, "the same slot again");
        assert_eq!(store.value("select count(*) from pgvitals.index_snapshots"), "5");

        let mut expected = set.clone();
        expected.tables.sort_by(|one, other| one.names.table.cmp(&other.names.table));
        expected.indexes.sort_by(|one, other| (&one.names.table, one.key).cmp(&(&other.names.table, other.key)));
        // Of sequences those that are used up to a hundredth.
        expected.databases[0].sequences.retain(|sequence| sequence.name == "t2_id_seq");
        let mut health = store.read(set.at.before(HOUR));
        health.set.indexes.sort_by(|one, other| (&one.names.table, one.key).cmp(&(&other.names.table, other.key)));
        assert_eq!(health.set, expected);
        let sequence = &health.history.sequences.values().next().unwrap()[0];
        assert_eq!((sequence.at, sequence.figures), (set.at, 2_000_000_000));
    }
}

/// "Hourly rows only for objects whose figures changed, one full set a day" (STORE §2); what is gone is gone at once.
#[test]
fn what_changed_is_written_hourly_and_everything_once_a_day() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let mut set = round(&store.patient);
    let names = |set: &Set| set.indexes.iter().map(|one| one.names.index.clone()).collect::<Vec<_>>();
    let find = |set: &mut Set, name: &str| set.indexes.iter().position(|one| one.names.index == name).unwrap();
    assert_eq!(store.write(&at(&set, 1)).map(|written| (written.tables, written.indexes)), Some((4, 5)));
    assert_eq!(store.write(&at(&set, 2)).map(|written| (written.tables, written.indexes)), Some((0, 0)));

    let used = find(&mut set, "N'1");
    set.indexes[used].figures.scans += 3;
    for table in &mut set.tables {
        table.figures.xid_age += 100; // That alone is no change.
    }
    // A partition's change is in its parent's sums.
    let leaf = find(&mut set, "parts_1_id_idx");
    set.indexes[leaf].figures.scans += 1;
    let root = find(&mut set, "parts_id");
    set.indexes[root].figures.scans += 1;
    assert_eq!(store.write(&at(&set, 3)).map(|written| (written.tables, written.indexes)), Some((0, 2)));

    // Renamed and dropped.
    set.indexes[used].names.index = "renamed".to_owned();
    let dropped = find(&mut set, "t2_pkey");
    set.indexes.remove(dropped);
    assert_eq!(store.write(&at(&set, 4)).map(|written| (written.tables, written.indexes)), Some((0, 2)));
    let health = store.read(at(&set, 0).at);
    let mut found = names(&health.set);
    found.sort();
    assert_eq!(found, ["T 1_pkey", "parts_1_id_idx", "parts_id", "renamed"]);
    let key = health.set.indexes.iter().find(|one| one.names.index == "renamed").unwrap().key;
    let history: Vec<u64> = health.history.indexes[&key].iter().map(|sample| sample.figures.scans).collect();
    assert_eq!(history, [0, 3, 3], "a rename restarts no history");
    let database = health.set.databases[0].oid;
    let rounds: Vec<bool> = health.history.rounds[&database].iter().map(|round| round.is_full).collect();
    assert_eq!(rounds, [true, false, false, false]);

    // The next day begins with everything that is left, and what comes back is there again.
    assert_eq!(store.write(&at(&set, 24)).map(|written| (written.tables, written.indexes)), Some((4, 4)));
    let again = round(&store.patient);
    assert_eq!(
        store.write(&at(&again, 25)).map(|written| written.indexes),
        Some(3),
        "renamed back, made again, counters"
    );
    assert_eq!(names(&store.read(at(&set, 0).at).set).len(), 5);
}

/// "Renames, repack, REINDEX CONCURRENTLY must not restart a history" (STORE §2): the last has another oid.
#[test]
fn an_index_that_is_made_anew_in_place_keeps_its_history() {
    for major in Cluster::majors() {
        let store = Store::new(major);
        furnish(&store.patient);
        let mut client = store.patient.client();
        client.query("set enable_seqscan = off; set enable_bitmapscan = off");
        (0..3).for_each(|_| drop(client.query("select count(*) from t2 where id = 7")));
        client.query("select pg_stat_force_next_flush()");
        let find = |set: &Set| set.indexes.iter().find(|one| one.names.index == "t2_pkey").unwrap().key;
        let before = round(&store.patient);
        store.write(&at(&before, 1)).unwrap();
        client.query("reindex index concurrently t2_pkey");
        let after = round(&store.patient);
        assert_ne!(find(&before), find(&after));
        store.write(&at(&after, 2)).unwrap();
        let health = store.read(at(&before, 0).at);
        let scans = health.history.indexes[&find(&after)].iter().map(|sample| sample.figures.scans);
        assert_eq!(scans.collect::<Vec<_>>(), [3, 3], "PostgreSQL {major}");
        assert!(!health.history.indexes.contains_key(&find(&before)));
    }
}

/// More objects than one statement takes.
#[test]
fn a_large_database_is_written_in_parts_of_one_round() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let mut set = round(&store.patient);
    let (table, index) = (set.tables[0].clone(), set.indexes[0].clone());
    for more in 1..=5_000 {
        let mut table = table.clone();
        table.key.relation = Oid(1_000_000 + more);
        set.tables.push(table);
        let mut index = index.clone();
        (index.key.relation, index.names.index) = (Oid(2_000_000 + more), format!("index {more}"));
        set.indexes.push(index);
    }
    assert_eq!(store.write(&at(&set, 1)).map(|written| (written.tables, written.indexes)), Some((5_004, 5_005)));
    set.indexes.last_mut().unwrap().figures.scans += 1;
    set.tables.pop();
    assert_eq!(store.write(&at(&set, 2)).map(|written| (written.tables, written.indexes)), Some((1, 1)));
    let health = store.read(at(&set, 0).at);
    assert_eq!((health.set.tables.len(), health.set.indexes.len()), (5_003, 5_005));
    assert_eq!(health.history.indexes[&set.indexes.last().unwrap().key].len(), 2);
}

/// A database that could not be looked at is in the round; its objects are not, and are not taken for dropped.
#[test]
fn a_database_that_was_not_seen_loses_nothing() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let set = round(&store.patient);
    store.write(&at(&set, 1)).unwrap();
    let mut blind = at(&set, 2);
    blind.databases[0].is_seen = false;
    (blind.tables, blind.indexes) = (Vec::new(), Vec::new());
    assert_eq!(store.write(&blind).map(|written| (written.databases, written.indexes)), Some((1, 0)));
    let health = store.read(at(&set, 0).at);
    assert_eq!((health.set.databases[0].is_seen, health.set.indexes.len()), (false, 0));
    assert_eq!(health.history.rounds[&health.set.databases[0].oid].len(), 1);
    store.write(&at(&set, 3)).unwrap();
    assert_eq!(store.read(at(&set, 0).at).set.indexes.len(), 5);
}

/// An index that could not be read is not taken for dropped.
#[test]
fn an_index_of_a_locked_table_is_not_gone() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let set = round(&store.patient);
    store.write(&at(&set, 1)).unwrap();
    let mut locked = at(&set, 2);
    let index = locked.indexes.remove(0);
    locked.unread.push(index.key);
    assert_eq!(store.write(&locked).map(|written| written.indexes), Some(0));
    assert_eq!(store.read(at(&set, 0).at).set.indexes.len(), 5);
}

/// Two that want the same slot at once: one writes.
#[test]
fn two_at_once_write_one_round() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let set = round(&store.patient);
    let written = block_on(async {
        let settings = store.settings("pgvitals_writer");
        let [one, other] = [Link::open(&settings, Clock::start()).await, Link::open(&settings, Clock::start()).await];
        let (one, other) = (one.unwrap(), other.unwrap());
        tokio::join!(write(&one, slot(&set), &set), write(&other, slot(&set), &set))
    });
    let written = [written.0.unwrap().is_some(), written.1.unwrap().is_some()];
    assert_eq!(written.iter().filter(|written| **written).count(), 1, "{written:?}");
    assert_eq!(store.value("select count(*) from pgvitals.index_snapshots"), "5");
}

/// Partitions are made ahead and go with `store.retention.snapshots`; definitions go with their last sample.
#[test]
fn snapshots_are_kept_as_long_as_was_said() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    store.write(&round(&store.patient)).unwrap();
    let mut settings = store.settings("pgvitals_writer");
    settings.retention.snapshots = Duration::from_secs(40 * 86_400);
    block_on(async {
        let link = Link::open(&settings, Clock::start()).await.unwrap();
        while maintain(&link, &settings.retention).await.unwrap() {}
    });
    let mut admin = store.patient.client();
    assert_eq!(admin.value("select snapshots_kept = '40 days' from pgvitals.meta"), "t");
    let tables = ["job_runs", "index_samples", "table_samples", "database_samples", "server_samples"];
    for table in tables {
        let ahead = format!("select max(until) > now() + interval '13 days' from pgvitals.partitions('{table}')");
        assert_eq!(admin.value(&ahead), "t", "{table}");
    }
    // By then everything is older.
    let later = "select count(*) from pgvitals.maintain_at(
        now() + interval '75 days', '1 day', '1 day', '1 day', '1 day', '1 day') where action = 'dropped'";
    while admin.value(later) != "0" {}
    assert_eq!(admin.value("select count(*) from pgvitals.index_samples"), "0");
    admin.query("select pgvitals.forget_definitions(now() + interval '1 day')");
    assert_eq!(admin.value("select count(*) from pgvitals.index_definitions"), "0");
}

/// Of an index, by what the store knows since then: its verdict, its last use, and since when it is known.
fn verdict(health: &Health, name: &str) -> (Status, Option<WallTime>, WallTime) {
    let uses = indexes::uses(&health.set, &health.history, &IndexLevels::default());
    let one = uses.iter().find(|one| one.index.names.index == name).unwrap();
    (one.status, one.evidence.last_used, one.evidence.since)
}

/// Neither a partition of the owner's table that is dropped nor one of the store's own that retention removes is a use of
/// an index, or a reset of its counter: the one is a hole, the other is history that is not there.
#[test]
fn a_partition_that_is_dropped_is_no_use_of_an_index() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let mut client = store.patient.client();
    client.query("create table parts_2 partition of parts for values from (9) to (99)");
    let mut set = round(&store.patient);
    let counted = |set: &mut Set, scans: u64| {
        let root = set.indexes.iter_mut().find(|one| one.names.index == "parts_id").unwrap();
        root.figures.scans = scans;
        root.figures.partitions
    };
    assert_eq!(counted(&mut set, 900), 2);
    store.write(&at(&set, 1)).unwrap();
    client.query("drop table parts_1");
    let mut set = round(&store.patient);
    assert_eq!(counted(&mut set, 400), 1);
    store.write(&at(&set, 2)).unwrap();
    let health = store.read(at(&set, 0).at);
    assert_eq!(verdict(&health, "parts_id"), (Status::NotEnoughHistory, None, at(&set, 1).at));

    // A month ago it had been scanned more often.
    let old = "select pgvitals.make_partition('index_samples', 'index_samples_old',
            date_trunc('month', now(), 'UTC') - interval '3 months',
            (select min(since) from pgvitals.partitions('index_samples')));
        insert into pgvitals.index_samples
            (at, scans, tuples_read, tuples_fetched, size_bytes, server_id, database, relation, definition_id, partitions)
        select at - interval '33 days', 5000, 0, 0, size_bytes, server_id, database, relation, definition_id, partitions
        from pgvitals.index_samples where at = (select min(at) from pgvitals.index_samples)";
    old.split(';').for_each(|sql| drop(client.query(sql)));
    let since = at(&set, 0).at.before(days(34));
    let (_, last_used, known) = verdict(&store.read(since), "parts_id");
    assert_eq!((last_used, known), (None, at(&set, 1).at.before(days(33))));
    client.query("alter table pgvitals.index_samples detach partition pgvitals.index_samples_old");
    let (status, last_used, known) = verdict(&store.read(since), "parts_id");
    assert_eq!((status, last_used, known), (Status::NotEnoughHistory, None, at(&set, 1).at));
}
