//! Partitions come and go without holding anybody up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Store, furnish};
use crate::support::client::Client;
use crate::support::clock::now;
use crate::support::postgres::Cluster;

const ROW: &str = "insert into pgvitals.query_stats values
    (1, now(), 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, '{1}', '{1}')";

/// What `maintain` does four days from now, apart from what it makes.
pub(super) fn maintain(admin: &mut Client) -> Vec<(String, String)> {
    let rows = admin.query(
        "select action, partition from pgvitals.maintain_at(
             now() + interval '4 days', '2 days', '60 days', '700 days', '90 days', '90 days'
         ) where action <> 'made'",
    );
    rows.into_iter().map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap())).collect()
}

pub(super) fn actions(done: &[(String, String)]) -> Vec<&str> {
    done.iter().map(|(action, _)| action.as_str()).collect()
}

/// "Test: a reader's transaction open for minutes over both; no flush later than 2 s" (STORE §4).
#[test]
fn a_partition_is_retired_beside_an_open_reader_and_nobody_waits() {
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    store.writer().query(ROW);
    let mut admin = store.superuser();
    let mut kept = maintain(&mut admin);
    while actions(&kept).contains(&"dropped") {
        kept = maintain(&mut admin); // Days without rows.
    }
    assert_eq!(actions(&kept), ["kept"], "minutes that are in no hour stay: {kept:?}");
    assert!(kept[0].1.starts_with("query_stats_2"), "{kept:?}");
    for row in store.writer().query(
        "select resolution, bucket::text from pgvitals.roll_ups_due(now() + interval '4 days') where resolution = 'hour'",
    ) {
        store.writer().query(&format!("select pgvitals.roll_up_hour('{}')", row[1].as_ref().unwrap()));
    }

    let mut reader = store.reader();
    reader.query("begin");
    reader.query("select count(*) from pgvitals.query_stats");
    let (done, today) = (AtomicBool::new(false), ROW.replace("now()", "now() + interval '4 days'"));
    let slowest = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (mut writer, mut slowest) = (store.writer(), Duration::ZERO);
            while !done.load(Ordering::Relaxed) {
                let begin = now();
                writer.query(&today);
                slowest = slowest.max(begin.elapsed());
            }
            slowest
        });
        for _ in 0..5 {
            let busy = maintain(&mut admin);
            assert!(!busy.is_empty() && actions(&busy).iter().all(|action| *action == "busy"), "{busy:?}");
        }
        reader.query("commit");
        let gone = maintain(&mut admin);
        done.store(true, Ordering::Relaxed);
        assert!(actions(&gone).ends_with(&["dropped"]), "{gone:?}");
        assert_eq!(actions(&gone).iter().filter(|action| **action == "dropped").count(), 1, "one at a call");
        writing.join().unwrap()
    });
    assert!(slowest < Duration::from_secs(2), "a flush waited for {slowest:?}");
}

/// "14 days ahead"; bounds carry `+00`, whatever the session's time zone.
#[test]
fn partitions_are_made_ahead_in_any_time_zone() {
    let store = Store::on(Cluster::newest());
    let mut writer = store.writer();
    writer.query("set time zone 'America/St_Johns'");
    writer.query("select * from pgvitals.maintain()");
    let mut admin = store.superuser();
    let bounds = admin.query(
        "select pg_get_expr(c.relpartbound, c.oid) from pg_class c
         where c.relispartition and c.relnamespace = 'pgvitals'::regnamespace and c.relname like 'query_stats_2%'",
    );
    assert!(bounds.len() >= 16, "{bounds:?}");
    admin.query("set time zone 'UTC'");
    let ahead = "select bool_and(d <@ tstzrange(b.since, b.until)) from (
             select min(since) as since, max(until) as until from pgvitals.partitions('query_stats')
         ) b, (values (now()), (now() + interval '14 days'), (now() - interval '2 days')) t (d)";
    assert_eq!(admin.value(ahead), "t");
    let odd = "select count(*) from pgvitals.partitions('query_stats') where until - since <> interval '1 day'
         or since <> date_trunc('day', since, 'UTC')";
    assert_eq!(admin.value(odd), "0");
    let far = ROW.replace("now()", "now() + interval '30 days'");
    assert_eq!(super::sqlstate(&mut writer, &far), "23514", "no DEFAULT partition");
}

/// A batch whose hour is being rolled up is told to wait, and a roll-up waits for batches; neither for other hours.
#[test]
fn a_roll_up_and_a_batch_keep_out_of_each_others_hour() {
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    let (mut leader, mut writer) = (store.writer(), store.writer());
    let now = writer.value("select date_trunc('hour', now(), 'UTC')");
    let hour = |ago| format!("'{now}'::timestamptz - interval '{ago} hours'");
    leader.query("begin");
    leader.query(&format!("select pgvitals.roll_up_hour({})", hour(2)));
    let hold = |ago| format!("select * from pgvitals.hold_hours(array[{}])", hour(ago));
    assert_eq!(super::sqlstate(&mut writer, &hold(2)), "55P03");
    writer.query(&hold(3));
    leader.query("commit");
    assert_eq!(writer.query(&hold(2))[0][1..], ["t", "t", "f"].map(|flag| Some(flag.to_owned())));
    writer.query("begin");
    writer.query(&hold(4));
    leader.query("set lock_timeout = '50ms'");
    assert_eq!(super::sqlstate(&mut leader, &format!("select pgvitals.roll_up_hour({})", hour(4))), "55P03");
    writer.query("commit");
    leader.query(&format!("select pgvitals.roll_up_hour({})", hour(4)));
    writer.query("begin isolation level repeatable read");
    assert_eq!(super::sqlstate(&mut writer, &hold(4)), "25000", "its snapshot would be older than its lock");
}
