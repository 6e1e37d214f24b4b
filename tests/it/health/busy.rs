//! It waits for nobody and holds up nobody.

use super::Patient;
use crate::support::clock::now;
use crate::support::postgres::Cluster;

/// "Never a lock that waits": a table that somebody rebuilds is seen with the size that its catalogue knows.
#[test]
fn a_table_that_is_being_changed_is_not_waited_for() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        client.query("create table held as select i as id from generate_series(1, 20000) i");
        client.query("create index held_part on held (id) where id > 5");
        client.query("create sequence held_numbers");
        client.query("vacuum analyze held");
        client.query("begin; lock table held in access exclusive mode; alter sequence held_numbers increment 2");
        let mut waiting = patient.client();
        waiting.query("create table free as select i as id from generate_series(1, 20000) i");
        waiting.query("create index free_id on free (id)");
        let seen = patient.look();
        client.query("rollback");
        let bytes = client.value("select pg_relation_size('held')").parse::<u64>().unwrap();
        assert_eq!(seen.table("held").figures.heap_bytes, bytes);
        assert!(seen.table("free").figures.heap_bytes >= bytes);
        let oid = client.value("select 'held_part'::regclass::oid").parse::<u32>().unwrap();
        let unread: Vec<u32> = seen.set.unread.iter().map(|key| key.relation.0).collect();
        assert!(unread.contains(&oid) && seen.indexes().count() == 1, "{unread:?}");
        assert_eq!(seen.index("free_id").definition.statement, "CREATE INDEX free_id ON public.free USING btree (id)");
        let mut here = seen.set.missing.iter().filter(|missing| missing.database.as_ref() == Some(&patient.name));
        assert!(here.all(|missing| missing.what == "indexes"), "{:?}", seen.set.missing);
        assert_eq!(patient.look().index("held_part").definition.predicate.as_deref(), Some("(id > 5)"));
    }
}

/// "Partitioned tables (5,000 partitions within 30 s)" (issue 6).
#[test]
fn five_thousand_partitions_are_seen_within_half_a_minute() {
    let cluster = Cluster::own(Cluster::newest().major);
    let patient = Patient { cluster, name: cluster.database() };
    let mut client = patient.client();
    client.query("create table many (id int not null, at int not null, note text) partition by range (at)");
    client.query("create index many_at on many (at)");
    client.query("create index many_id on many (id)");
    // Of two levels: one level of so many takes minutes to make.
    for part in 0..50 {
        let first = part * 100;
        client.query(&format!(
            "do $$ begin
                 create table many_{part} partition of many for values from ({first}) to ({first} + 100)
                     partition by range (at);
                 for i in {first} .. {first} + 99 loop
                     execute format('create table leaf_%s partition of many_{part} for values from (%s) to (%s)', i, i, i + 1);
                 end loop;
             end $$"
        ));
    }
    client.query("insert into many select i, i, 'x' from generate_series(0, 4999) i");
    client.query("select pg_stat_force_next_flush()");
    let begin = now();
    let seen = patient.look();
    let took = begin.elapsed();
    assert!(took.as_secs() < 30, "{took:?}");
    let root = seen.table("many");
    assert_eq!((root.figures.partitions, root.figures.live_tuples), (5_000, 5_000));
    assert_eq!(seen.index("many_at").figures.partitions, 5_000);
    assert!(root.figures.index_bytes > 0 && root.figures.size_bytes() > root.figures.index_bytes);
}
