//! Who is told when, and who not: silences, acknowledgements, escalation, as a receiver hears of them. The alert is of a
//! sequence, whose severity a test can set.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::{act, alerts, eager, hook, received, travel};
use crate::jobs::{HOURLY, Site, url};
use crate::notify::Receiver;
use crate::store::Store;
use crate::store::writing::writing;
use crate::support::client::Client;
use crate::support::postgres::Cluster;

/// A server of these tests' own: others' databases would ring as well.
static CLUSTER: LazyLock<&'static Cluster> =
    LazyLock::new(|| Cluster::own(*Cluster::majors().last().expect("a PostgreSQL is at hand")));

/// One after the other: each would hear the others' bells.
static TURN: Mutex<()> = Mutex::new(());

/// A server with a sequence, looked at when a test says so.
struct Bell {
    store: Store,
    client: Client,
    site: Site,
    receiver: Receiver,
    _hook: tempfile::NamedTempFile,
    _turn: MutexGuard<'static, ()>,
}

impl Bell {
    fn hang() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (store, database) = (Store::on(*CLUSTER), "bell");
        CLUSTER.recreate(database);
        let mut client = CLUSTER.client(database);
        client.query("create table orders (id int generated always as identity primary key)");
        let receiver = Receiver::start("http_receiver.py", &[]);
        let (file, hook) = hook(&receiver);
        let setup = eager(writing(*CLUSTER, &store.url("pgvitals_writer"))).flag("notify-webhook-url-file", &hook);
        let site = Site::new(setup.flag("monitor-url", &url(&CLUSTER.tcp, database)));
        Self { store, client, site, receiver, _hook: file, _turn: turn }
    }

    /// So much of the sequence is used, and a round sees it. Two minutes have passed since the last one.
    #[track_caller]
    fn used(&mut self, percent: u64) {
        let value = (u64::from(u32::MAX >> 1) * percent / 100).max(1);
        self.client.query(&format!("select setval('orders_id_seq', {value})"));
        self.look_after(2);
    }

    #[track_caller]
    fn look_after(&self, minutes: u32) {
        travel(&self.store, minutes);
        let round = self.site.answer(&format!("{HOURLY}?force=1"), 200);
        assert_eq!(round["success"], true, "{round}");
    }

    /// How many messages wait or were sent.
    fn messages(&self) -> String {
        self.store.superuser().value("select count(*) from pgvitals.notifications")
    }

    /// Twenty minutes later what waited has been told: so many messages ever, of which this is the last.
    #[track_caller]
    fn told(&self, count: usize) -> serde_json::Value {
        self.look_after(20);
        received(&self.receiver, count).remove(count - 1)
    }

    fn alert(&self) -> serde_json::Value {
        let mut all = alerts(&self.site.pgvitals);
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

/// "Acknowledge and silence for a time", "escalation", "the last message must tell the final state" (issue 6, FIELD (e)):
/// whoever knows is not told again until it is worse, a silenced alert rings nobody until its time is over, and what is
/// worse then is told then.
#[test]
fn a_silenced_alert_rings_nobody_until_its_time_is_over() {
    let mut bell = Bell::hang();
    bell.used(80);
    let id = bell.alert()["id"].clone();
    let first = bell.told(1);
    assert_eq!((&first["event"], &first["severity"], &first["id"]), (&"opened".into(), &"warning".into(), &id));

    assert_eq!(act(&bell.site.pgvitals, &id, "ack", r#"{"by": "ada"}"#).status, 200);
    bell.used(81);
    assert_eq!((bell.alert()["count"].as_u64(), bell.messages()), (Some(3), "1".to_owned()), "seen, and known");

    assert_eq!(act(&bell.site.pgvitals, &id, "silence", r#"{"by": "ada", "minutes": 60}"#).status, 200);
    bell.used(95);
    assert_eq!((bell.alert()["severity"].as_str(), bell.messages()), (Some("critical"), "1".to_owned()), "silenced");

    let passes = "update pgvitals.silences set until = until - interval '1 hour'";
    bell.store.superuser().query(passes);
    bell.used(95);
    let worse = bell.told(2);
    assert_eq!((&worse["event"], &worse["severity"], &worse["id"]), (&"escalated".into(), &"critical".into(), &id));

    bell.used(0);
    assert!(bell.alert()["resolved_at"].is_null(), "one look that doesn't show it is not enough");
    bell.used(0);
    let over = bell.told(3);
    assert_eq!((&over["event"], &over["acknowledged_by"]), (&"resolved".into(), &"ada".into()), "{over:#}");
    assert!(!bell.alert()["resolved_at"].is_null());
}

/// Nobody hears of the end of what was silenced to its end, nor of what opens anew meanwhile.
#[test]
fn what_comes_and_goes_within_a_silence_is_never_told() {
    let mut bell = Bell::hang();
    bell.used(80);
    bell.told(1);
    let id = bell.alert()["id"].clone();
    assert_eq!(act(&bell.site.pgvitals, &id, "silence", r#"{"by": "ada", "minutes": 60}"#).status, 200);
    bell.used(0);
    bell.used(0);
    assert!(!bell.alert()["resolved_at"].is_null());
    bell.used(95);
    let mut reader = bell.store.superuser();
    assert_eq!(reader.value("select count(*) from pgvitals.alerts where resolved_at is null"), "1", "a row of its own");
    assert_eq!(bell.messages(), "1");
}

/// A store that can be read and not written to, as one whose disk is full: what was told would be told again each time that
/// somebody looks what waits.
#[test]
fn what_a_store_takes_no_word_of_is_told_once() {
    let mut bell = Bell::hang();
    bell.store.superuser().query(
        "create function public.full() returns trigger language plpgsql as $$ begin
             if current_user = 'pgvitals_writer' then
                 raise exception 'no space left on device' using errcode = 'disk_full';
             end if;
             return new;
         end $$;
         create trigger full_disk before update on pgvitals.notifications for each row execute function public.full()",
    );
    bell.used(80);
    assert_eq!(bell.told(1)["event"], "opened");
    bell.look_after(2);
    bell.look_after(2);
    bell.store.superuser().query("drop trigger full_disk on pgvitals.notifications");
    bell.used(95);
    assert_eq!(bell.told(2)["event"], "escalated");
    let noted = "select sent_at is not null from pgvitals.notifications where event = 'opened'";
    assert_eq!(bell.store.superuser().value(noted), "t");
}

/// "Flapping held open" (issue 6): what comes and goes is told as such, and over when it was quiet for an hour.
#[test]
fn what_comes_and_goes_is_held_open_until_a_quiet_hour() {
    let mut bell = Bell::hang();
    for percent in [80, 0, 0, 80, 0, 0] {
        bell.used(percent);
    }
    let mut reader = bell.store.superuser();
    let mut rows = || {
        reader.value(
            "select string_agg(concat(is_flapping, ' ', resolved_at is null), ', ' order by id) from pgvitals.alerts",
        )
    };
    assert_eq!(rows(), "f f, t t");
    bell.used(0);
    assert_eq!(rows(), "f f, t t");
    let told = "select count(*) from pgvitals.notifications where event like 'flapping%'";
    assert_eq!(bell.store.superuser().value(told), "1");
    bell.look_after(70);
    assert_eq!(rows(), "f f, t f");
}
