//! `store.max_size`: the monitor must not fill the owner's disk. And partitions, which must not run out.

use super::writing::{BATCHES, await_answer, end, writing, written};
use super::{Store, furnish};
use crate::support::client::Client;
use crate::support::http::Events;
use crate::support::postgres::Cluster;

/// Fills minutes of the day that was so many days ago; what all tables take then.
fn fill(store: &Store, days_ago: u32) -> u64 {
    let mut admin = store.superuser();
    admin.query(&format!(
        "insert into pgvitals.query_stats
         select 1, date_trunc('day', now(), 'UTC') - interval '{days_ago} days' + m * interval '1 second',
             1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, '{{1}}', '{{1}}' from generate_series(0, 39999) m"
    ));
    admin.value("select bytes from pgvitals.weigh()").parse().unwrap()
}

fn bytes(store: &Store) -> u64 {
    store.superuser().value("select bytes from pgvitals.weigh()").parse().unwrap()
}

/// "above it minutes' retention shrinks" (STORE §2): minutes that are in hours go before their time.
#[test]
fn a_store_that_is_too_large_keeps_minutes_for_less_time() {
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    let (small, large) = (bytes(&store), fill(&store, 2));
    assert!(large > small + (4 << 20), "{small} {large}");
    let most = (small + (2 << 20)).to_string();
    store.superuser().query("update pgvitals.meta set size_bytes = null");
    let setup = writing(Cluster::any(), &store.url("pgvitals_writer")).flag("store-max-size", &format!("{most}B"));
    let pgvitals = setup.flag("slow-threshold", "1us").start();
    let mut client = Client::connect(pgvitals.address(), &Cluster::any().database());
    client.query("select 1");
    pgvitals.log_until("roll-up and retention done");
    pgvitals.log_until("minutes are kept shorter");
    assert!(bytes(&store) < most.parse().unwrap(), "{most}");
    let hours = "select sum(calls) from pgvitals.query_stats_hour where series_id = 1";
    assert_eq!(store.superuser().value(hours), "40000");
    assert_eq!(pgvitals.metric("pgvitals_store_full"), 0.0);
    let ahead = pgvitals.metric("pgvitals_store_partitions_ahead_seconds") / 86_400.0;
    assert!((13.0..60.0).contains(&ahead), "{ahead} days");
    let own = &pgvitals.performance("metric=summary")["self"];
    assert!(
        own["store_bytes"].as_u64().unwrap() > 1 << 20 && own["partitions_ahead_days"].as_f64().unwrap() > 13.0,
        "{own}"
    );
}

/// "then writing stops" and begins again by itself; what was measured meanwhile is there.
#[test]
fn a_store_that_stays_too_large_is_not_written_to() {
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    let most = bytes(&store) + (2 << 20);
    fill(&store, 0);
    store.superuser().query("update pgvitals.meta set size_bytes = null");
    let setup = writing(Cluster::any(), &store.url("pgvitals_writer")).flag("store-max-size", &format!("{most}B"));
    let pgvitals = setup.flag("slow-threshold", "1us").start();
    let mut client = Client::connect(pgvitals.address(), &Cluster::any().database());
    client.query("select 1 as before");
    pgvitals.log_until("roll-up and retention done");
    let batches = await_answer(&pgvitals, &store, BATCHES, |_| true);
    client.query("select 1 as during");
    pgvitals.log_until("CRITICAL");
    assert_eq!(pgvitals.metric("pgvitals_store_full"), 1.0);
    client.query("select 1 as during");
    let mut events = Events::subscribe(pgvitals.http);
    (0..3).for_each(|_| drop(events.await_event("live")));
    assert_eq!(await_answer(&pgvitals, &store, BATCHES, |_| true), batches, "nothing more is written");

    store.superuser().query("truncate pgvitals.query_stats");
    assert!(bytes(&store) <= most, "it is small now, and was weighed");
    client.query("select 1 as after");
    drop(client);
    end(&pgvitals);
    let calls = written(&mut store.superuser());
    let calls = ["before", "during", "after"].map(|when| calls.get(&format!("select $1 as {when}")).copied());
    assert_eq!(calls, [Some(1), Some(2), Some(1)]);
    assert_eq!(pgvitals.keeper.log.text().matches("CRITICAL").count(), 1);
}

/// A writer that may not make partitions goes on while there are some, and says when they run out.
#[test]
fn partitions_that_run_out_are_said() {
    let store = Store::on(Cluster::newest());
    let mut admin = store.superuser();
    let ahead = "select partition from pgvitals.partitions('query_stats') where since > now() + interval '1 day'";
    for row in admin.query(ahead) {
        admin.query(&format!("drop table pgvitals.{}", row[0].as_ref().unwrap()));
    }
    let five = "interval, interval, interval, interval, interval";
    for retentions in [five, &format!("{five}, interval")] {
        admin.query(&format!("revoke execute on function pgvitals.maintain({retentions}) from pgvitals_writer"));
    }
    let pgvitals = writing(Cluster::any(), &store.url("pgvitals_writer")).flag("slow-threshold", "1us").start();
    Client::connect(pgvitals.address(), &Cluster::any().database()).query("select 1");
    pgvitals.log_until("about to run out");
    let ahead = pgvitals.metric("pgvitals_store_partitions_ahead_seconds") / 86_400.0;
    assert!((1.0..3.0).contains(&ahead), "{ahead} days");
    await_answer(&pgvitals, &store, BATCHES, |count| count > 0);
}
