//! The store's owner, or its disk, takes something away and gives it back: calls stay exact.

use super::Store;
use super::writing::{BATCHES, await_answer, end, writing, written};
use crate::support::client::Client;
use crate::support::postgres::Cluster;

/// Calls 3 times before, 5 times while and 2 times after it was so, and once in each of these times: as the tables have it
/// at the end, summed and one by one.
#[track_caller]
fn outage(store: &Store, role: &str, said: &str, begin: impl FnOnce(), end_it: impl FnOnce()) -> [[u64; 4]; 2] {
    let monitored = Cluster::any();
    let database = monitored.database();
    let setup = writing(monitored, &store.url(role)).flag("slow-threshold", "1us").flag("store-idle-close", "1s");
    let pgvitals = setup.start();
    let mut client = Client::connect(pgvitals.address(), &database);
    let mut call = |when: &str, times: u32| {
        client.query("select 1 as always");
        (0..times).for_each(|_| drop(client.query(&format!("select 1 as {when}"))));
    };
    call("before", 3);
    await_answer(&pgvitals, store, BATCHES, |count| count > 0);
    begin();
    call("during", 5);
    pgvitals.log_until(said);
    end_it();
    call("after", 2);
    drop(client);
    end(&pgvitals);
    let mut reader = store.superuser();
    let summed = written(&mut reader);
    let queries = ["before", "during", "after", "always"].map(|when| format!("select $1 as {when}"));
    let summed = queries.each_ref().map(|query| summed.get(query).copied().unwrap_or_default());
    let one_by_one = queries.map(|query| {
        let told = "select count(*) from pgvitals.slow_statements join pgvitals.queries using (query_hash) where query";
        reader.value(&format!("{told} = '{query}'")).parse().unwrap()
    });
    [summed, one_by_one]
}

/// Nothing is missing and nothing is there twice.
const ALL: [[u64; 4]; 2] = [[3, 5, 2, 3]; 2];

#[test]
fn a_schema_that_is_dropped_is_made_again() {
    let store = Store::on(Cluster::newest());
    let drop_it = || drop(store.superuser().query("drop schema pgvitals cascade"));
    let [summed, one_by_one] = outage(&store, "postgres", "monitoring tables brought to this version", drop_it, || {});
    // What was written before is gone with it, and what is known of statements has to be told again.
    assert_eq!([&summed[1..3], &one_by_one[1..3]], [[5, 2]; 2]);
    assert!(one_by_one[3] >= 2, "{one_by_one:?}");
}

#[test]
fn row_level_security_that_is_turned_on_costs_nothing() {
    let store = Store::on(Cluster::newest());
    let turn =
        |how: &str| store.superuser().query(&format!("alter table pgvitals.slow_statements {how} row level security"));
    let (on, off) = (|| drop(turn("enable")), || drop(turn("disable")));
    assert_eq!(outage(&store, "pgvitals_writer", "row-level security forbids COPY", on, off), ALL);
}

#[test]
fn rights_that_are_taken_and_given_back_cost_nothing() {
    let store = Store::on(Cluster::newest());
    let take = || drop(store.superuser().query("revoke insert on pgvitals.slow_statements from pgvitals_writer"));
    let give = || drop(store.superuser().query("grant insert on pgvitals.slow_statements to pgvitals_writer"));
    assert_eq!(outage(&store, "pgvitals_writer", "the role lacks rights", take, give), ALL);
}

/// A journal may be found again after weeks, when the store has forgotten which of its batches were written: what is too
/// old is dropped and counted, and what comes behind it is written.
#[test]
fn a_batch_whose_day_is_forgotten_holds_up_nobody() {
    let store = Store::on(Cluster::newest());
    let mut admin = store.superuser();
    let past = "select partition from pgvitals.partitions('batches') where since <= now() order by since";
    let past: Vec<String> = admin.query(past).into_iter().map(|row| row[0].clone().unwrap()).collect();
    past.iter()
        .for_each(|day| drop(admin.query(&format!("alter table pgvitals.batches detach partition pgvitals.{day}"))));
    let monitored = Cluster::any();
    let database = monitored.database();
    let pgvitals = writing(monitored, &store.url("pgvitals_writer")).flag("slow-threshold", "1us").start();
    let mut client = Client::connect(pgvitals.address(), &database);
    client.query("select 1 as old");
    pgvitals.log_until("it is dropped");
    let today = past.last().unwrap();
    admin.query(&format!(
        "alter table pgvitals.batches attach partition pgvitals.{today}
         for values from (date_trunc('day', now(), 'UTC')::date) to (date_trunc('day', now(), 'UTC')::date + 1)"
    ));
    client.query("select 1 as fresh");
    drop(client);
    end(&pgvitals);
    let told = "select string_agg(query, ', ') from pgvitals.slow_statements join pgvitals.queries using (query_hash)";
    assert_eq!(admin.value(told), "select $1 as fresh");
}

/// ENOSPC from the kernel: the file of a table is `/dev/full` for a while.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_costs_nothing() {
    let store = Store::on(Cluster::own(Cluster::newest().major));
    let file = || {
        let path = "pg_relation_filepath('pgvitals.slow_statements_' || to_char(now() at time zone 'UTC', 'YYYYMM'))";
        store.cluster.data().join(store.superuser().value(&format!("select {path}")))
    };
    let fill = || {
        let mut admin = store.superuser();
        // A new file, which nobody has open or in memory.
        admin.query("create table public.kept as table pgvitals.slow_statements; truncate pgvitals.slow_statements");
        admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'pgvitals_writer'");
        admin.query("checkpoint");
        std::fs::rename(file(), file().with_extension("aside")).unwrap();
        std::os::unix::fs::symlink("/dev/full", file()).unwrap();
    };
    let empty = || {
        let mut admin = store.superuser();
        admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'pgvitals_writer'");
        std::fs::remove_file(file()).unwrap();
        std::fs::rename(file().with_extension("aside"), file()).unwrap();
        admin.query("insert into pgvitals.slow_statements table public.kept");
    };
    assert_eq!(outage(&store, "pgvitals_writer", "the store's disk is full", fill, empty), ALL);
}
