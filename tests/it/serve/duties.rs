//! What one process does for all: `pgvitals serve` while it is there, a sidecar when it is not.

use super::{Cluster, DAILY, HOURLY, Setup, Store, busy, calm_sidecar, serving, sidecar};
use crate::jobs::{SECRET, steps};
use crate::store::writing::{end, kill};
use crate::support::clock::{PATIENCE, now};
use crate::support::http::{Answer, Events, request};
use crate::support::pgvitals::Pgvitals;

/// Whether the one that serves holds the lease of who judges.
const JUDGED_BY_SERVE: &str = "select count(*) from pgvitals.leases j join pgvitals.leases s using (holder)
    where j.duty = 'judge' and s.duty = 'serve' and j.until > now()";
/// Whether a sidecar does.
const JUDGED_BY_SIDECAR: &str = "select count(*) from pgvitals.leases j join pgvitals.instances i on i.boot = j.holder
    where j.duty = 'judge' and j.until > now()";

/// Asks each second, with traffic through the sidecars meanwhile.
#[track_caller]
fn await_while_busy(sidecars: &[&Pgvitals], store: &Store, sql: &str, is: impl Fn(&str) -> bool) {
    let (end, mut client, mut events) = (now() + PATIENCE, store.superuser(), Events::subscribe(sidecars[0].http));
    loop {
        sidecars.iter().for_each(|sidecar| busy(sidecar));
        let value = client.value(sql);
        if is(&value) {
            return;
        }
        assert!(now() < end, "{sql}: {value}, {:?}", client.query("select * from pgvitals.leases"));
        events.await_event("live");
    }
}

/// "Sidecars take these leases only when no `serve` was seen for 5 minutes" (STORE §4): judging, roll-up and retention are
/// left to it; when it was killed and is not seen, a sidecar takes over, and gives back when the next one is there.
#[test]
fn sidecars_leave_it_to_who_serves_and_take_over_when_it_is_gone() {
    let store = Store::on(Cluster::newest());
    let first = serving(&store).start();
    let of_serve = "select count(*) from pgvitals.leases where duty = 'serve'";
    let sidecar = sidecar(&store, "db").start();
    await_while_busy(&[&sidecar], &store, JUDGED_BY_SERVE, |count| count == "1");
    first.log_until("roll-up and retention done");
    let batches = "select count(*) > 3 from pgvitals.batches";
    await_while_busy(&[&sidecar], &store, batches, |are_enough| are_enough == "t");
    let mut admin = store.superuser();
    assert_eq!(admin.value(JUDGED_BY_SERVE), "1", "idle or not it judges");
    assert_eq!(admin.value(JUDGED_BY_SIDECAR), "0");
    assert!(!sidecar.keeper.log.text().contains("roll-up and retention done"), "{}", sidecar.keeper.log.text());

    kill("-KILL", first.keeper.pid);
    // Its lease runs out after 30 s; that it was there counts for five minutes.
    let judged = "select count(*) from pgvitals.leases where duty = 'judge' and until > now()";
    await_while_busy(&[&sidecar], &store, judged, |count| count == "0");
    assert_eq!(admin.value(of_serve), "1");
    busy(&sidecar);
    admin.query("update pgvitals.leases set until = until - interval '5 minutes' where duty = 'serve'");
    await_while_busy(&[&sidecar], &store, JUDGED_BY_SIDECAR, |count| count == "1");

    let _second = serving(&store).start();
    await_while_busy(&[&sidecar], &store, JUDGED_BY_SERVE, |count| count == "1");
    assert_eq!(admin.value(of_serve), "1", "one row, whoever it is");
    end(&sidecar);
    assert_eq!(admin.value(JUDGED_BY_SERVE), "1", "`serve` alone renews its lease while idle");
}

/// "30 s, renewed only while there is work" (STORE §4): a judge that was killed is missed for half a minute, however long its
/// rounds are, and while it lives nobody takes over in the middle of one.
#[test]
fn a_judge_that_is_killed_is_soon_replaced() {
    let store = Store::on(Cluster::newest());
    // Its rounds are so far apart that the lease is renewed between two of them.
    let judge = calm_sidecar(&store, "db").flag("service", "judge").flag("alerts-interval", "15s").start();
    let holder = "select coalesce(string_agg(service, ' '), '') from pgvitals.leases j
        join pgvitals.instances i on i.boot = j.holder join pgvitals.services using (service_id)
        where j.duty = 'judge' and j.until > clock_timestamp()";
    await_while_busy(&[&judge], &store, holder, |name| name == "judge");
    let heir = sidecar(&store, "db").flag("service", "heir").start();
    let mut admin = store.superuser();
    let since = admin.value("select since from pgvitals.leases where duty = 'judge'");
    // A round makes it last for 30 s, and rounds are 15 s apart: what ends between them was renewed by no round.
    let renewed = format!(
        "select since = '{since}' and extract(epoch from until - since)::integer % 15 between 2 and 13
         from pgvitals.leases where duty = 'judge'"
    );
    await_while_busy(&[&judge, &heir], &store, &renewed, |is_renewed| is_renewed == "t");
    assert_eq!(admin.value(holder), "judge", "whoever else would judge each second");

    kill("-KILL", judge.keeper.pid);
    let left = "select until <= clock_timestamp() + interval '30 seconds' from pgvitals.leases where duty = 'judge'";
    assert_eq!(admin.value(left), "t", "never for longer than 30 s");
    admin.query("update pgvitals.leases set until = clock_timestamp() where duty = 'judge'");
    await_while_busy(&[&heir], &store, holder, |name| name == "heir");
}

fn call(serve: &Pgvitals, path: &str) -> Answer {
    request(serve.http, "POST", path, &[("authorization", &format!("Bearer {SECRET}"))])
}

/// "a cron call runs the steps for every server that its receiver can collect from, the store's own steps once" (issue 6)
#[test]
fn cron_calls_work_where_no_proxy_is() {
    let (monitored, store) = (Cluster::own(Cluster::newest().major), Store::on(Cluster::newest()));
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    let secret = secret.path().display().to_string();
    let with_secret = |setup: Setup| setup.flag("cron-secret-file", &secret);
    let (host, port) = monitored.tcp.host_and_port();
    let url = format!("postgres://postgres@{host}:{port}/postgres");

    let blind = with_secret(serving(&store)).start();
    let nothing = call(&blind, HOURLY);
    assert!(nothing.status == 503 && nothing.body.contains("[[monitor]]"), "{nothing:?}");
    let maintained = call(&blind, DAILY);
    assert_eq!((maintained.status, steps(&maintained.json()).len()), (200, 4), "{maintained:?}");

    let monitor = format!("[[monitor]]\nserver = 'db'\nurl = '{url}'\n");
    let serve = with_secret(serving(&store)).file(&monitor).start();
    let ran = call(&serve, HOURLY);
    assert_eq!((ran.status, steps(&ran.json()).len()), (200, 5), "{ran:?}");
    assert_eq!(call(&serve, DAILY).json()["skipped"], "already_done", "the store's own steps once");
    // The slot is the fleet's: a sidecar that may ask the same server has nothing left to do.
    let sidecar = with_secret(sidecar(&store, "db")).flag("monitor-url", &url).start();
    let hour = |answer: &Answer| answer.json()["started_at"].as_str().unwrap()[..13].to_owned();
    let again = call(&sidecar, HOURLY);
    if hour(&again) == hour(&ran) {
        assert_eq!(again.json()["skipped"], "already_done", "{again:?}");
    }
    for serve in [&blind, &serve] {
        let bloat = serve.performance("metric=bloat&threshold=0");
        assert_eq!((&bloat["source"], &bloat["servers"]), (&"store".into(), &serde_json::json!(["db"])), "{bloat:#}");
    }
    assert!(serve.metric("pgvitals_xid_used_ratio{server=\"db\"}") > 0.0);
}

/// Its own scheduler looks at the servers of its `[[monitor]]`s, without a statement through itself.
#[test]
fn its_scheduler_looks_at_its_monitors() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let (host, port) = monitored.tcp.host_and_port();
    let monitor = format!("[[monitor]]\nserver = 'db'\nurl = 'postgres://postgres@{host}:{port}/postgres'\n");
    let setup = Setup::serving(&store.url("postgres")).flag("jobs-daily", "off").flag("jobs-first", "1s");
    let serve = setup.flag("collect-when-idle", "always").file(&monitor).start();
    serve.keeper.log.await_line("a round", |line| (line.contains("job done") && line.contains("hourly")).then_some(()));
    assert_eq!(store.superuser().value("select count(*) from pgvitals.server_samples"), "1");
}
