//! Alerts about sessions, about servers that are away, and about pgvitals itself, of a whole fleet by its tables.

use serde_json::Value;

use super::{SLEEP, await_alert, eager, file, hook, received, slow, travel};
use crate::notify::Receiver;
use crate::store::Store;
use crate::store::writing::writing;
use crate::support::address::Address;
use crate::support::client::Client;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::{Cluster, free_port};

/// Thresholds that a test can wait for.
const SOON: &str = "
    [[alerts.override]]
    kind = 'idle_in_transaction'
    threshold = '1s'
    [[alerts.override]]
    kind = 'upstream_down'
    threshold = '1s'
";

/// More partitions than anybody makes.
const PARTITIONS: &str = "
    [[alerts.override]]
    kind = 'partitions_ahead'
    threshold = '100d'
";

/// Every batch is 20 s off: one with the true offset would end the alert.
const WRONG_CLOCK: &str = "
    create function wrong_clock() returns trigger language plpgsql as $$
        begin new.clock_offset_us := -20000000; return new; end $$;
    create trigger wrong_clock before insert on pgvitals.batches for each row execute function wrong_clock()
";

/// The store hears of this at once, so that there is something to judge.
fn wake(pgvitals: &Pgvitals, database: &str) {
    slow(pgvitals, database, &[&format!("/* pgvitals:no-alert */ {SLEEP}")]);
}

fn is(alert: &Value, kind: &str, is_open: bool) -> bool {
    alert["kind"] == kind && alert["resolved_at"].is_null() == is_open
}

#[test]
fn a_session_that_idles_in_its_transaction_is_found_until_it_ends_it() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let database = monitored.database();
    let (_soon, soon) = file(SOON);
    let setup = eager(writing(monitored, &store.url("pgvitals_writer"))).flag("config", &soon);
    let pgvitals = setup.flag("alerts-cooldown", "1s").start();
    let mut client = Client::connect(pgvitals.address(), &database);
    client.query("begin");
    client.query("select 1 from pg_class");
    wake(&pgvitals, &database);
    let found = await_alert(&pgvitals, "an idle session", |alert| is(alert, "idle_in_transaction", true));
    assert_eq!((&found["subject"], &found["threshold"]), (&format!("{database} postgres").into(), &1.0.into()));
    assert!(found["message"].as_str().unwrap().contains("after statement "), "{found:#}");
    client.query("commit");
    pgvitals.await_merge("its end", |pgvitals| {
        // What is known moves on with what is written.
        wake(pgvitals, &database);
        super::alerts(pgvitals).into_iter().find(|alert| is(alert, "idle_in_transaction", false))
    });
}

/// "*Upstream down*: metric and log on every sidecar, notified by the last lease holder" (DESIGN §7), and its end as well.
#[test]
fn a_server_that_goes_away_is_told_and_so_is_its_return() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let receiver = Receiver::start("http_receiver.py", &[]);
    let ((_hook, hook), (_soon, soon)) = (hook(&receiver), file(SOON));
    let port = free_port();
    let place = || Address::Tcp((std::net::Ipv4Addr::LOCALHOST, port).into());
    // A server is there while a second pgvitals leads to it.
    let way = || Setup::default().route(place(), &monitored.tcp).start();
    let first = way();
    let setup = Setup::before(&place()).flag("store", &store.url("pgvitals_writer")).flag("store-flush-interval", "1s");
    let setup = eager(setup.flag("server", "orders-db")).flag("config", &soon).flag("alerts-cooldown", "1s");
    let pgvitals = setup.flag("notify-webhook-url-file", &hook).start();
    wake(&pgvitals, "postgres");
    let batches = "select count(*) from pgvitals.batches";
    pgvitals.await_merge("a batch", |_| (store.superuser().value(batches) != "0").then_some(()));
    drop(first);
    assert!(Client::try_connect(pgvitals.address(), "postgres").is_err());
    let found = await_alert(&pgvitals, "a server that is away", |alert| is(alert, "upstream_down", true));
    assert_eq!((&found["subject"], &found["severity"]), (&"server".into(), &"critical".into()), "{found:#}");
    assert!(found["message"].as_str().unwrap().starts_with("orders-db has not been reachable for"), "{found:#}");
    assert_eq!(pgvitals.metric(r#"pgvitals_alerts_open{kind="upstream_down",severity="critical"}"#), 1.0);
    pgvitals.log_until("orders-db has not been reachable");
    travel(&store, 2);
    assert_eq!(received(&receiver, 1)[0]["event"], "opened");

    let _second = way();
    pgvitals.await_merge("its return", |pgvitals| {
        travel(&store, 20);
        wake(pgvitals, "postgres");
        super::alerts(pgvitals).into_iter().find(|alert| is(alert, "upstream_down", false))
    });
    travel(&store, 20);
    wake(&pgvitals, "postgres");
    let told = received(&receiver, 2);
    assert_eq!((&told[1]["kind"], &told[1]["event"]), (&"upstream_down".into(), &"resolved".into()), "{told:#?}");
}

/// "And pgvitals' own (partitions ahead, clock, samples dropped)" (issue 6), whichever instance it is about.
#[test]
fn what_is_wrong_with_pgvitals_itself_is_found_in_the_tables() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let database = monitored.database();
    let (_partitions, partitions) = file(PARTITIONS);
    let setup = eager(writing(monitored, &store.url("pgvitals_writer"))).flag("config", &partitions);
    let pgvitals = setup.flag("alerts-cooldown", "1s").start();
    wake(&pgvitals, &database);
    let partitions = await_alert(&pgvitals, "too few partitions", |alert| is(alert, "partitions_ahead", true));
    assert!((14.0..16.0).contains(&partitions["value"].as_f64().unwrap()), "{partitions:#}");
    assert_eq!(partitions["severity"], "critical", "fewer than a third of what is wanted: {partitions:#}");
    let mut admin = store.superuser();
    admin.query(WRONG_CLOCK);
    admin.query("update pgvitals.batches set clock_offset_us = -20000000");
    let clock = await_alert(&pgvitals, "a clock that is wrong", |alert| is(alert, "clock", true));
    let instance = admin.value("select instance from pgvitals.instances");
    assert_eq!((&clock["subject"], &clock["severity"]), (&instance.into(), &"warning".into()), "{clock:#}");
    assert_eq!(clock["value"], 20.0);
    admin.query(
        "insert into pgvitals.conditions (instance_id, at, facts)
         select min(instance_id), clock_timestamp(), '{\"dropped\": [[\"spool\", 12]]}' from pgvitals.instances",
    );
    let dropped = await_alert(&pgvitals, "samples that were dropped", |alert| is(alert, "samples_dropped", true));
    assert_eq!((&dropped["subject"], &dropped["value"]), (&"spool".into(), &12.0.into()), "{dropped:#}");
    let lasting = super::alerts(&pgvitals);
    assert!(lasting.iter().all(|alert| alert["resolved_at"].is_null()), "{lasting:#?}");

    admin.query("drop trigger wrong_clock on pgvitals.batches");
    admin.query("update pgvitals.batches set clock_offset_us = 0");
    admin.query("delete from pgvitals.conditions");
    for kind in ["clock", "samples_dropped"] {
        pgvitals.await_merge("its end", |pgvitals| {
            wake(pgvitals, &database);
            super::alerts(pgvitals).into_iter().find(|alert| is(alert, kind, false))
        });
    }
}
