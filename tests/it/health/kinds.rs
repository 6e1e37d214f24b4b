//! "Indexes unused, duplicate, invalid, enforcing, supporting foreign keys: exactly the right ones named, on each
//! PostgreSQL version at hand" (issue 6): what rules need to know of each kind.

use ::pgvitals::snapshot::index::IndexDefinition;

use super::Patient;
use crate::support::postgres::Cluster;

const SCHEMA: [&str; 22] = [
    r#"create schema "Ünï q""uo.te'd""#,
    r#"create table "Ünï q""uo.te'd"."T b" ("Id x" serial primary key, "b B" text collate "C", n int)"#,
    r#"create index "I'd "" x" on "Ünï q""uo.te'd"."T b" (lower("b B") text_pattern_ops desc, n nulls first) include ("Id x")
        where "b B" <> ' WHERE '"#,
    "create table parent (id int primary key, code text not null unique, tag text)",
    "create table child (id int not null, parent_id int constraint child_parent references parent, note text, at date, r int4range,
        constraint child_key unique (id), constraint child_no_overlap exclude using gist (r with &&))",
    "create index child_parent_idx on child (parent_id, at)",
    "create index child_note on child using hash (note)",
    "create unique index child_at on child (id, at) with (fillfactor = 50)",
    "alter table child alter at set not null",
    "alter table child replica identity using index child_at",
    "create index child_cluster on child (note, id)",
    "cluster child using child_cluster",
    "create table events (id int not null, at date not null, primary key (id, at)) partition by range (at)",
    "create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01')",
    "create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01') partition by range (at)",
    "create table events_2025_a partition of events_2025 for values from ('2025-01-01') to ('2026-01-01')",
    "create index events_at on events (at)",
    "create index events_2024_own on events_2024 (id)",
    "insert into events select i, '2024-01-01'::date + i from generate_series(1, 700) i",
    "create materialized view seen as select 1 as x",
    "create unique index seen_x on seen (x)",
    "create schema pgvitals create table own (id int primary key)",
];

#[test]
fn each_kind_of_index_is_told() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        SCHEMA.iter().for_each(|sql| drop(client.query(sql)));
        client.query("create temp table passing (id int primary key)");
        client.query("insert into child (id, at) values (1, now()), (1000, now())");
        assert_eq!(
            super::sqlstate(&mut client, "create unique index concurrently broken on child ((at is null))"),
            "23505"
        );
        client.query("select pg_stat_force_next_flush()");
        let seen = patient.look();
        let of = |name: &str| seen.index(name).definition.clone();

        let key = of("child_key");
        assert!(key.enforces() && key.is_unique && !key.is_primary, "{key:?}");
        assert_eq!(key.constraint.as_deref(), Some("child_key"));
        let primary = of("parent_pkey");
        assert!(
            primary.is_primary && primary.is_replica_identity && primary.is_valid && primary.is_ready,
            "{primary:?}"
        );
        assert_eq!((primary.referenced_by, primary.method), (vec!["child_parent".to_owned()], "btree".to_owned()));
        assert_eq!(of("parent_code_key").referenced_by, Vec::<String>::new());
        let exclusion = of("child_no_overlap");
        assert!(exclusion.is_exclusion && exclusion.enforces() && !exclusion.is_unique, "{exclusion:?}");
        let foreign = of("child_parent_idx");
        assert_eq!((foreign.foreign_keys.as_slice(), foreign.enforces()), (&["child_parent".to_owned()][..], false));
        assert_eq!(of("child_note").foreign_keys, Vec::<String>::new());
        let identity = of("child_at");
        assert!(identity.is_replica_identity && identity.constraint.is_none() && identity.enforces(), "{identity:?}");
        assert_eq!(identity.fillfactor_percent, 50);
        assert!(of("child_cluster").is_clustered && !of("child_cluster").enforces());
        let broken = of("broken");
        assert!(!broken.is_valid && !broken.is_building && broken.has_expressions(), "{broken:?}");
        assert_eq!(seen.index("broken").names.table, "child");
        quoted(&of("I'd \" x"));

        let names: Vec<&str> = seen.indexes().map(|index| index.names.index.as_str()).collect();
        for absent in ["own_pkey", "passing_pkey", "events_2025_pkey", "pg_class_oid_index"] {
            assert!(!names.contains(&absent), "{absent}: {names:?}");
        }
        partitions(&seen);
    }
}

fn quoted(definition: &IndexDefinition) {
    assert_eq!(
        definition.statement,
        "CREATE INDEX \"I'd \"\" x\" ON \"Ünï q\"\"uo.te'd\".\"T b\" USING btree (lower(\"b B\") text_pattern_ops DESC, n NULLS FIRST) \
         INCLUDE (\"Id x\") WHERE (\"b B\" <> ' WHERE '::text)"
    );
    assert_eq!(definition.predicate.as_deref(), Some("(\"b B\" <> ' WHERE '::text)"));
    assert_eq!(definition.include, ["\"Id x\""]);
    let [expression, column] = definition.columns.as_slice() else { panic!("{definition:?}") };
    assert_eq!((expression.is_expression, expression.text.as_str()), (true, "lower(\"b B\")"));
    assert_eq!(expression.opclass, "pg_catalog.text_pattern_ops");
    assert_eq!(expression.collation, "pg_catalog.\"C\"");
    // DESC alone means NULLS FIRST.
    assert!(expression.is_descending && expression.is_nulls_first, "{expression:?}");
    assert_eq!((column.text.as_str(), column.collation.as_str()), ("n", ""));
    assert!(!column.is_descending && column.is_nulls_first, "{column:?}");
}

/// "Partitions summed to their root" (STORE §2).
fn partitions(seen: &super::Seen) {
    let (root, leaf) = (seen.index("events_at"), seen.index("events_2024_at_idx"));
    assert_eq!(leaf.root, Some(root.key.relation));
    assert_eq!((root.root, root.figures.partitions, root.definition.is_partitioned), (None, 2, true));
    let sub = seen.index("events_2025_a_at_idx");
    assert_eq!(sub.root, Some(root.key.relation), "the topmost, not the one between");
    assert_eq!(root.figures.size_bytes, leaf.figures.size_bytes + sub.figures.size_bytes);
    assert_eq!(seen.index("events_2024_own").root, None, "it can go alone");
    let table = seen.table("events");
    assert_eq!((table.figures.partitions, table.figures.live_tuples), (2, 700));
    assert_eq!(seen.table("events_2025_a").root, Some(table.key.relation));
    let [one, other] = ["events_2024", "events_2025_a"].map(|name| seen.table(name).figures.size_bytes());
    assert_eq!(table.figures.size_bytes(), one + other);
}

/// Counters, as they were counted; "`last_idx_scan` where the version has it (16+), statistics reset time" (issue 6).
#[test]
fn scans_are_counted() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        client.query("create table t (id int primary key, n int)");
        client.query("create index t_n on t (n)");
        client.query("insert into t select i, i from generate_series(1, 100) i");
        client.query("set enable_seqscan = off; set enable_bitmapscan = off");
        (0..3).for_each(|_| drop(client.query("select count(n) from t where n between 5 and 6")));
        client.query("select pg_stat_force_next_flush()");
        let seen = patient.look();
        let (used, unused) = (&seen.index("t_n").figures, &seen.index("t_pkey").figures);
        assert_eq!((used.scans, used.tuples_read, unused.scans), (3, 6, 0));
        assert_eq!((used.last_scan.is_some(), unused.last_scan), (major >= 16, None));
        assert_eq!(used.stats_reset, None);
        assert_eq!(seen.table("t").figures.inserted, 100);
        client.query("select pg_stat_reset()");
        let after = patient.look();
        assert_eq!(after.index("t_n").figures.scans, 0);
        assert!(
            after.index("t_n").figures.stats_reset.is_some_and(|reset| reset > seen.set.at),
            "{after:?}",
            after = after.set.at
        );
    }
}

/// "Limit = min(sequence max, column type)", "CYCLE", "unowned too", "NULL `last_value`: unused or unreadable, say which"
/// (FIELD, Sequences).
#[test]
fn each_kind_of_sequence_is_told() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        client.query("create table narrow (id smallint generated always as identity, other int)");
        client.query("create sequence wide");
        client.query("create table user_of_it (id int default nextval('wide'), b bigint default nextval('wide'))");
        client.query("create sequence down increment -2 minvalue -7 start 5 maxvalue 9 cycle");
        client.query("select nextval('wide'), nextval('down'), nextval('down')");
        let seen = patient.look();
        let database = seen.set.databases.iter().find(|database| database.name == patient.name).unwrap();
        let of = |name: &str| database.sequences.iter().find(|sequence| sequence.name == name).unwrap();
        let identity = of("narrow_id_seq");
        assert_eq!((identity.limit, identity.last_value, identity.is_readable), (32_767, None, true));
        assert!(identity.column.as_ref().is_some_and(|column| column.is_identity && column.data_type == "smallint"));
        let wide = of("wide");
        assert_eq!((wide.limit, wide.last_value), (2_147_483_647, Some(1)), "{wide:?}");
        assert!(wide.column.as_ref().is_some_and(|column| column.table == "user_of_it" && column.column == "id"));
        let down = of("down");
        assert_eq!((down.first, down.limit, down.start, down.last_value), (9, -7, 5, Some(3)));
        assert!(down.is_cycle && down.increment == -2 && down.column.is_none());
        client.query("create role \"No rights\" login; alter table narrow owner to postgres");
        let blind = patient.look_as("No%20rights");
        let database = blind.set.databases.iter().find(|database| database.name == patient.name).unwrap();
        let wide = database.sequences.iter().find(|sequence| sequence.name == "wide").unwrap();
        assert_eq!((wide.last_value, wide.is_readable), (None, false));
        drop(blind);
        client.query("drop role \"No rights\"");
    }
}
