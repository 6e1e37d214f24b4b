//! "Tables bloated by a known amount, checked with pgstattuple: estimate within 5 points of the ratio for tables over
//! 10 MB, B-tree indexes within 10" (issue 6), on each version.

use ::pgvitals::snapshot::relation::{Method, Withheld};

use super::{Patient, Seen};
use crate::support::client::Client;
use crate::support::postgres::Cluster;

/// Tables of more than 10 MB; what was done to each is in its name.
const TABLES: [(&str, &str); 6] = [
    ("fresh", ""),
    ("deleted", "delete from deleted where id % 5 < 2"),
    ("updated", "update updated set n = n + 1"),
    ("emptied", "delete from emptied where id % 10 <> 0"),
    ("sparse", "delete from sparse where id % 3 = 0"),
    ("mixed", "delete from mixed where id % 2 = 0"),
];

const INDEXES: [&str; 10] = [
    "fresh_pkey",
    "fresh_owner",
    "fresh_note",
    "deleted_pkey",
    "deleted_owner",
    "updated_pkey",
    "updated_owner",
    "emptied_pkey",
    "mixed_pkey",
    "mixed_pair",
];

fn fill(client: &mut Client) {
    for (table, options) in
        [("fresh", ""), ("deleted", ""), ("updated", ""), ("emptied", ""), ("sparse", "with (fillfactor = 70)")]
    {
        client.query(&format!(
            "create table {table} (id bigint primary key, owner int not null, note text, n int not null) {options}"
        ));
        client.query(&format!("create index {table}_owner on {table} (owner)"));
        client.query(&format!(
            "insert into {table}
             select i, (i * 7919) % 9000, repeat(md5(i::text), 2 + i % 4), i from generate_series(1, 75000) i"
        ));
    }
    client.query("create index fresh_note on fresh (note)");
    client.query(
        "create table mixed (
             a boolean, id bigint primary key, b smallint not null, at timestamptz, c numeric, d char(20) not null,
             e uuid, f text
         )",
    );
    client.query("create unique index mixed_pair on mixed (b, id)");
    client.query(
        "insert into mixed
         select i % 2 = 0, i, i % 100, case when i % 3 = 0 then now() end, i * 1.5, 'x' || i,
             case when i % 4 > 0 then md5(i::text)::uuid end, repeat('y', i % 90)
         from generate_series(1, 90000) i",
    );
    for (_, change) in TABLES {
        client.query(change);
    }
    client.query("select pg_stat_force_next_flush()");
    client.query("vacuum");
    client.query("analyze");
    client.query("select pg_stat_force_next_flush()");
}

/// What of the heap would not be there, were it filled as its fillfactor says.
fn heap_truth(client: &mut Client, table: &str, fillfactor: u32) -> f64 {
    client
        .value(&format!(
            "select greatest(100 - (100 - dead_tuple_percent - free_percent) * 100 / {fillfactor}, 0)
             from pgstattuple('{table}')"
        ))
        .parse()
        .unwrap()
}

/// What of the index a new one would not have: its leaves would be 90 % full. Where equal keys share entries density
/// does not tell, because they are joined one page at a time: there a new one is made and weighed.
fn btree_truth(client: &mut Client, index: &str) -> f64 {
    let sql = if index.ends_with("_owner") {
        let new = client
            .value(&format!("select replace(pg_get_indexdef('{index}'::regclass), 'INDEX {index}', 'INDEX new')"));
        client.query(&new);
        format!("select greatest(100 - 100.0 * pg_relation_size('new') / pg_relation_size('{index}'), 0)")
    } else {
        format!(
            "select greatest(100 * (1 - (leaf_pages * avg_leaf_density / 90 + internal_pages + 1)
                 / (index_size / current_setting('block_size')::int)), 0)
             from pgstatindex('{index}')"
        )
    };
    let truth = client.value(&sql).parse().unwrap();
    client.query("drop index if exists new");
    truth
}

/// What is further than `points` from the truth.
fn far(name: &str, percent: f64, truth: f64, points: f64) -> Option<String> {
    ((percent - truth).abs() > points).then(|| format!("{name}: {percent:.1} instead of {truth:.1}"))
}

#[test]
fn estimates_are_near_what_pgstattuple_finds() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        fill(&mut client);
        let estimated = patient.look();
        client.query("create extension pgstattuple");
        let mut wrong = Vec::new();
        for (name, _) in TABLES {
            let table = estimated.table(name);
            let bloat = table.figures.bloat.unwrap();
            assert_eq!((bloat.method, table.figures.withheld), (Method::Estimated, None), "{table:?}");
            assert!(table.figures.heap_bytes > 10 << 20, "{table:?}");
            let truth = heap_truth(&mut client, name, table.definition.fillfactor_percent);
            wrong.extend(far(name, bloat.percent, truth, 5.0));
        }
        for name in INDEXES {
            let bloat = estimated.index(name).figures.bloat.unwrap_or_else(|| panic!("{:?}", estimated.index(name)));
            wrong.extend(far(name, bloat.percent, btree_truth(&mut client, name), 10.0));
        }
        assert!(wrong.is_empty(), "{major}: {wrong:#?}");
        measured(&mut client, &patient.look());
    }
}

/// "`pgstattuple_approx` instead of the estimate where the extension and the right are there; which method was used is in
/// the row" (issue 6).
fn measured(client: &mut Client, seen: &Seen) {
    for (table, _) in TABLES {
        let table = seen.table(table);
        let bloat = table.figures.bloat.unwrap();
        assert_eq!(bloat.method, Method::Measured, "{table:?}");
        let truth = heap_truth(client, &table.names.table, table.definition.fillfactor_percent);
        assert!((bloat.percent - truth).abs() <= 3.0, "{}: {bloat:?} instead of {truth:.1}", table.names.table);
    }
}

/// "Withheld with a reason rather than wrong": where statistics do not tell, the dead rows that were counted stand in.
#[test]
fn where_statistics_do_not_tell_there_is_no_estimate() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        let rows = "select i as id, repeat('x', 100) as note from generate_series(1, 30000) i";
        for table in ["never", "stale", "named", "toasted"] {
            client.query(&format!("create table {table} as {rows}"));
        }
        client.query("alter table named add column who name default 'somebody'");
        client.query("alter table toasted add column large text");
        client.query("alter table toasted alter large set storage external");
        client.query("update toasted set large = repeat('z', 9000) where id % 100 = 0");
        client.query("create table few as select 1 as id");
        client.query("create index partial on stale (id) where id > 10");
        client.query("create index expression on named (lower(note))");
        client.query("create index other on named using hash (id)");
        client.query("create index pair on named ((id % 10), note)");
        client.query("alter table named add column kind int default 1, add column sort int default 2");
        client.query("create index twins on named (kind, sort)");
        client.query("create index long on toasted (note)");
        client.query("create table parted (id int) partition by range (id)");
        client.query("create index parted_id on parted (id)");
        let invalid = "create unique index concurrently invalid on named (kind)";
        assert_eq!(super::sqlstate(&mut client, invalid), "23505");
        // What this session counted, before ANALYZE begins anew.
        client.query("select pg_stat_force_next_flush()");
        client.query("vacuum analyze stale, named, toasted, few");
        client.query("update stale set id = id + 1 where id % 4 = 0");
        client.query("select pg_stat_force_next_flush()");
        let seen = patient.look();
        for (table, reason) in [
            ("never", Withheld::NeverAnalyzed),
            ("stale", Withheld::StaleStatistics),
            ("named", Withheld::NameColumn),
            ("toasted", Withheld::Toasted),
            ("few", Withheld::Small),
            ("parted", Withheld::Partitioned),
        ] {
            assert_eq!(seen.table(table).figures.withheld, Some(reason), "{major} {table}");
        }
        for (index, reason) in [
            ("partial", Withheld::PartialIndex),
            ("expression", Withheld::ExpressionIndex),
            ("pair", Withheld::ExpressionIndex),
            ("other", Withheld::OtherMethod),
            ("twins", Withheld::Deduplicated),
            ("long", Withheld::Toasted),
            ("invalid", Withheld::InvalidIndex),
            ("parted_id", Withheld::Partitioned),
        ] {
            assert_eq!(seen.index(index).figures.withheld, Some(reason), "{major} {index}");
        }
        let dead = seen.table("stale").figures.bloat.unwrap();
        assert_eq!(dead.method, Method::DeadTuples);
        assert!((15.0..25.0).contains(&dead.percent), "7,500 dead rows beside 30,000: {dead:?}");
    }
}

/// "TOAST counts with its table" (FIELD (b)), in its size and, where it can be measured, in its bloat.
#[test]
fn toast_counts_with_its_table() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        client.query("create table letters (id int primary key, text text)");
        client.query("alter table letters alter text set storage external");
        client.query("insert into letters select i, repeat('x', 9000) from generate_series(1, 3000) i");
        client.query("delete from letters where id % 3 <> 0");
        client.query("select pg_stat_force_next_flush()");
        client.query("vacuum analyze letters");
        let toast = "(select reltoastrelid from pg_class where relname = 'letters')";
        let bytes: u64 = client.value(&format!("select pg_total_relation_size({toast})")).parse().unwrap();
        let seen = patient.look();
        let figures = &seen.table("letters").figures;
        assert_eq!((figures.toast_bytes, figures.withheld), (bytes, Some(Withheld::Toasted)));
        assert!(bytes > 20 << 20 && figures.size_bytes() > figures.heap_bytes + bytes, "{figures:?}");

        client.query("create extension pgstattuple");
        let truth = format!(
            "select 100 * sum(dead_tuple_len + free_space) / sum(table_len)
             from (select * from pgstattuple('letters') union all select * from pgstattuple({toast})) both_of_them"
        );
        let truth: f64 = client.value(&truth).parse().unwrap();
        let seen = patient.look();
        let figures = &seen.table("letters").figures;
        let bloat = figures.bloat.unwrap();
        assert_eq!((bloat.method, figures.withheld), (Method::Measured, None));
        assert!((bloat.percent - truth).abs() <= 3.0 && truth > 50.0, "{bloat:?} instead of {truth:.1}");
        assert!(bloat.wasted_bytes > 10 << 20, "most of it is TOAST: {bloat:?}");
    }
}
