//! "Indexes unused, duplicate, invalid, enforcing, supporting foreign keys: exactly the right ones named, on each
//! PostgreSQL version at hand", "with the exact statement to run" (issue 6): rules over what was really seen, and their
//! statements really run.

use ::pgvitals::analyze::indexes::{self, IndexUse, Status};
use ::pgvitals::analyze::judge::Judge;
use ::pgvitals::analyze::level::{IndexLevels, Use, days};
use ::pgvitals::analyze::recommend::{self, Recommendation};
use ::pgvitals::analyze::redundant::{Redundancy, redundant};
use ::pgvitals::analyze::{Settings, bloat, level};
use ::pgvitals::base::units::Nanos;
use ::pgvitals::snapshot::history::{History, Round, Sample};
use ::pgvitals::snapshot::index::{Index, IndexFigures};
use ::pgvitals::snapshot::relation::{Bloat, Method};
use ::pgvitals::snapshot::set::Set;

use super::{Patient, sqlstate};
use crate::support::client::Client;
use crate::support::postgres::Cluster;

const SCHEMA: [&str; 19] = [
    "create table customers (id int primary key, code text not null unique)",
    r#"create table "Or'd""ers" (id int primary key, customer int references customers, at date, note text, total int)"#,
    r#"create index orders_customer on "Or'd""ers" (customer)"#,
    r#"create index orders_at on "Or'd""ers" (at)"#,
    r#"create index orders_at_total on "Or'd""ers" (at, total)"#,
    r#"create index orders_at_total_down on "Or'd""ers" (at, total desc)"#,
    r#"create index total_1 on "Or'd""ers" (total)"#,
    r#"create index total_2 on "Or'd""ers" (total)"#,
    r#"create index total_some on "Or'd""ers" (total) where total > 100"#,
    r#"create index "No'te ""x""" on "Or'd""ers" (note text_pattern_ops desc nulls last) include (id) with (fillfactor = 70)"#,
    r#"create index orders_lower on "Or'd""ers" (lower(note))"#,
    r#"create index orders_hash on "Or'd""ers" using hash (note)"#,
    r#"insert into "Or'd""ers" select i, null, '2024-01-01', 'same', i from generate_series(1, 1000) i"#,
    "create table events (id int not null, at date not null) partition by range (at)",
    "create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01')",
    "create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01')",
    r#"create index "Events at" on events (at)"#,
    "create table counted (id serial primary key)",
    "select setval('counted_id_seq', 2000000000)",
];

/// Indexes of the schema that are used every day; nobody uses the others.
const USED: [&str; 7] =
    ["orders_at", "orders_at_total", "orders_at_total_down", "total_1", "total_2", "total_some", "counted_pkey"];

/// Forty-five days, hour by hour, that end with the set.
fn history(set: &Set) -> History {
    let begin = set.at.before(days(45));
    let at = |hours: u64| begin.after(Nanos::new(level::HOUR.get() * hours));
    let mut history = History::default();
    for database in &set.databases {
        let rounds = (0..=45 * 24).map(|hours| Round { at: at(hours), after_idle: false, is_full: hours % 24 == 0 });
        history.rounds.insert(database.oid, rounds.collect());
    }
    for index in &set.indexes {
        let is_used = USED.contains(&index.names.index.as_str());
        let samples = (0..=45).map(|day| {
            let scans = index.figures.scans + if is_used { day } else { 0 };
            Sample { at: at(day * 24), figures: IndexFigures { scans, ..index.figures.clone() } }
        });
        history.indexes.insert(index.key, samples.collect());
    }
    history
}

/// What was seen of the test's database.
fn look(patient: &Patient) -> Set {
    let seen = patient.look();
    let mut set = seen.set;
    set.databases.retain(|database| database.name == patient.name);
    set.tables.retain(|table| table.names.database == patient.name);
    set.indexes.retain(|index| index.names.database == patient.name);
    // The tests' servers run without autovacuum, which would be the cause of all bloat; and others' tests hold slots and
    // transactions of the whole server.
    set.server.settings.retain(|setting| setting.name != "autovacuum");
    (set.server.slots, set.server.transactions, set.server.prepared, set.server.standbys) = Default::default();
    set
}

/// In which all is large.
const LEVELS: IndexLevels = IndexLevels { active: days(7), unused: days(30), large_bytes: 1 };

fn names<'a>(indexes: impl Iterator<Item = &'a Index>) -> Vec<&'a str> {
    let mut names: Vec<&str> = indexes.map(|index| index.names.index.as_str()).collect();
    names.sort_unstable();
    names
}

/// The definition and the validity of an index.
fn definition(client: &mut Client, index: &Index) -> String {
    let (schema, name) = (index.names.schema.replace('\'', "''"), index.names.index.replace('\'', "''"));
    client.value(&format!(
        "select concat(pg_get_indexdef(i.indexrelid), ' ', i.indisvalid) from pg_index i join pg_class c on c.oid = i.indexrelid
         where c.relnamespace = '{schema}'::regnamespace and c.relname = '{name}'"
    ))
}

/// Runs what takes an index away, sees it gone, and brings it back.
fn there_and_back(client: &mut Client, index: &Index, statement: &str, undo: &str) {
    let before = definition(client, index);
    client.query(statement);
    let name = index.names.index.replace('\'', "''");
    assert_eq!(client.value(&format!("select count(*) from pg_class where relname = '{name}'")), "0", "{statement}");
    client.query("reset lock_timeout");
    client.query(undo);
    assert_eq!(definition(client, index), before, "{undo}");
}

#[test]
fn exactly_the_right_indexes_are_named_and_their_statements_work() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        SCHEMA.iter().for_each(|sql| drop(client.query(sql)));
        let broken = r#"create unique index concurrently broken on "Or'd""ers" (note)"#;
        assert_eq!(sqlstate(&mut client, broken), "23505");
        let set = look(&patient);
        let uses = indexes::uses(&set, &history(&set), &LEVELS);
        let of = |level: Use| -> Vec<&IndexUse<'_>> {
            uses.iter().filter(|one| one.status == Status::Used(level)).collect()
        };
        let named = |level| names(of(level).into_iter().map(|one| one.index));
        assert_eq!(named(Use::Drop), ["Events at", "No'te \"x\"", "orders_hash"], "{major}");
        assert_eq!(named(Use::Unused), ["orders_customer", "orders_lower"], "{major}");
        assert_eq!(
            named(Use::LowUsage),
            ["Or'd\"ers_pkey", "broken", "customers_code_key", "customers_pkey"],
            "{major}"
        );
        let mut used = USED;
        used.sort_unstable();
        assert_eq!(named(Use::Active), used, "{major}");
        for one in of(Use::Drop).into_iter().chain(of(Use::Unused)) {
            there_and_back(&mut client, one.index, one.statement.as_deref().unwrap(), one.undo.as_deref().unwrap());
        }

        let found = redundant(&set);
        let pairs: Vec<_> = found.iter().map(|one| (&*one.index.names.index, &*one.by.names.index, one.how)).collect();
        let expected =
            [("total_2", "total_1", Redundancy::Duplicate), ("orders_at", "orders_at_total_down", Redundancy::Prefix)];
        let expected_too =
            [("total_2", "total_1", Redundancy::Duplicate), ("orders_at", "orders_at_total", Redundancy::Prefix)];
        assert!(pairs == expected || pairs == expected_too, "{major}: {pairs:?}");
        for one in &found {
            there_and_back(&mut client, one.index, &one.statement, one.undo.as_deref().unwrap());
        }

        let invalid = indexes::invalid(&set);
        assert_eq!(names(invalid.iter().copied()), ["broken"], "{major}");
        client.query(r#"delete from "Or'd""ers" where id > 1"#);
        client.query(&indexes::mend(invalid[0]));
        assert!(definition(&mut client, invalid[0]).ends_with(" t"), "{major}");
    }
}

/// Recommendations for a set.
fn recommended(set: &Set) -> Vec<Recommendation> {
    let settings = Settings::default();
    let history = History::default();
    let judge = Judge { settings: &settings, server: "db:5432" };
    let mut bloated = bloat::tables(set, &history, &settings);
    bloated.extend(bloat::indexes(set, &history, &settings));
    recommend::recommend(&recommend::Facts {
        set,
        uses: &[],
        redundant: &[],
        bloated: &bloated,
        findings: &judge.server(set),
        worse: &[],
        bloat_min_wasted_bytes: settings.bloat_min_wasted_bytes,
        total_ms_per_day: 1.0,
    })
}

#[test]
fn what_is_advised_for_tables_indexes_and_keys_is_sql_that_runs() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        SCHEMA.iter().for_each(|sql| drop(client.query(sql)));
        let mut set = look(&patient);
        let bloat = Some(Bloat { percent: 60.0, wasted_bytes: 1 << 30, method: Method::Estimated });
        for index in &mut set.indexes {
            index.figures.bloat = bloat.filter(|_| index.names.index.starts_with("No'te"));
        }
        let mut ran = Vec::new();
        for (live, dead) in [(100_000, 90_000), (1_000_000, 150_000)] {
            for table in &mut set.tables {
                table.figures.bloat = bloat.filter(|_| table.names.table == "Or'd\"ers");
                (table.figures.live_tuples, table.figures.dead_tuples) = (live, dead);
            }
            for advice in recommended(&set) {
                // Each statement by itself, as an owner runs them.
                let statement = advice.statement.unwrap();
                statement.split('\n').for_each(|sql| drop(client.query(sql)));
                ran.push(advice.kind);
            }
        }
        ran.sort_unstable();
        ran.dedup();
        assert_eq!(ran, ["autovacuum", "reindex", "vacuum", "widen_key"], "{major}");
        let key = "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'counted'::regclass and attname = 'id'";
        assert_eq!(client.value(key), "bigint");
        assert_eq!(client.value("select nextval('counted_id_seq') > 2000000000"), "t");
        let options = r#"select reloptions from pg_class where relname = 'Or''d"ers'"#;
        assert!(client.value(options).contains("autovacuum_vacuum_scale_factor"), "{major}");
    }
}
