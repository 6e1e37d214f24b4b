//! A slot of a job is done once, whoever asks how often; with a store, all of a fleet together.

use super::{DAILY, HOURLY, Site, cluster, steps, url};
use crate::support::address::Address;
use crate::support::client::{Client, startup};
use crate::support::pgvitals::Setup;
use crate::support::server::Server;

/// A pgvitals whose store is this database of the server that it looks at.
fn site(database: &str) -> Site {
    let (cluster, url) = (cluster(), url(&cluster().tcp, database));
    Site::new(Setup::before(&cluster.tcp).flag("store", &url).flag("server", "db"))
}

const ROUNDS: &str = "select count(*) from pgvitals.server_samples";
const ROWS: &str =
    "select (select count(*) from pgvitals.index_samples) + (select count(*) from pgvitals.table_samples)
    + (select count(*) from pgvitals.database_samples) + (select count(*) from pgvitals.server_samples)
    + (select count(*) from pgvitals.job_runs)";

/// "The same slot again: no new rows", of one process and of another one.
#[test]
fn a_slot_is_done_once_in_a_fleet() {
    let database = cluster().database();
    let mut client = cluster().client(&database);
    client.query("create table songs (id int primary key)");
    let (first, second) = (site(&database), site(&database));
    let ran = first.answer(HOURLY, 200);
    assert_eq!(
        steps(&ran),
        ["index_snapshots", "table_snapshots", "database_snapshots", "findings", "alerts"],
        "{ran}"
    );
    let rows = client.value(ROWS);
    for site in [&first, &second] {
        let again = site.answer(HOURLY, 200);
        // The hour may have ended in between.
        if again["started_at"].as_str().unwrap()[..13] == ran["started_at"].as_str().unwrap()[..13] {
            assert_eq!((&again["skipped"], steps(&again).len()), (&"already_done".into(), 0), "{again}");
            assert_eq!(client.value(ROWS), rows);
        }
    }
    let rounds: u64 = client.value(ROUNDS).parse().unwrap();
    let forced = second.answer(&format!("{HOURLY}?force=1"), 200);
    assert_eq!(steps(&forced).len(), 5, "{forced}");
    assert_eq!(client.value(ROUNDS), (rounds + 1).to_string());
    // Whoever asks sees what one of them saw.
    for site in [&first, &second] {
        let answer = site.pgvitals.performance(&format!("metric=indexes&database={database}"));
        assert_eq!(answer["source"], "store");
        let songs = answer["indexes"].as_array().unwrap().iter().find(|row| row["index"] == "songs_pkey");
        assert!(songs.is_some(), "{answer}");
    }
}

/// A session goes around pgvitals when none of its kind was seen here; its first minute is in no table yet.
#[test]
fn who_goes_around_is_told_from_who_came_just_now() {
    let database = cluster().database();
    let site = site(&database);
    let session = |address: &Address, application: &str| {
        let parameters = [("user", "postgres"), ("database", &*database), ("application_name", application)];
        Client::start(address, &startup(&parameters))
    };
    let mut through = session(site.pgvitals.address(), "comes through");
    let _around = session(&cluster().unix, "goes around");
    through.query("create table songs (id int primary key)");
    site.pgvitals.await_merge("the statement", |pgvitals| (!pgvitals.statements("").is_empty()).then_some(()));
    site.answer(HOURLY, 200);
    let coverage = site.pgvitals.performance(&format!("metric=coverage&database={database}"));
    let around = coverage["around"].as_array().unwrap();
    let has = |application: &str| around.iter().any(|one| one["application"] == application);
    assert_eq!((has("goes around"), has("comes through")), (true, false), "{coverage}");
    assert_eq!(coverage["around_is_final"], false, "another instance's first minute may be on its way: {coverage}");
}

/// The store's own job: once a local day, and what came of it is kept.
#[test]
fn maintenance_is_done_once_a_day() {
    let database = cluster().database();
    let site = site(&database);
    let ran = site.answer(DAILY, 200);
    assert_eq!(steps(&ran), ["roll_up", "retention", "forecasts", "reports"], "{ran}");
    let mut client = cluster().client(&database);
    let kept = "select string_agg(s ->> 'name' || ' ' || (s ->> 'ok'), ', ')
        from pgvitals.job_runs, jsonb_array_elements(steps) s where job = 'daily-maintenance' and server = ''";
    assert_eq!(client.value(kept), "roll_up true, retention true, forecasts true, reports true");
    assert_eq!(site.answer(DAILY, 200)["skipped"], "already_done");
    assert!(site.pgvitals.metric("pgvitals_task_last_success_timestamp_seconds{task=\"daily-maintenance\"}") > 1e9);
}

/// "A second call meanwhile gets 409 with the running one's start", in this process and in another one.
#[test]
fn a_job_that_runs_is_not_started_again() {
    let database = cluster().database();
    let (came, comes) = std::sync::mpsc::sync_channel(8);
    let (go, wait) = std::sync::mpsc::sync_channel::<()>(8);
    let (came, wait) = (std::sync::Mutex::new(came), std::sync::Mutex::new(wait));
    // A monitored server that says nothing until it is told to hang up.
    let silent = Server::start(move |_| {
        came.lock().unwrap().send(()).unwrap();
        let _told = wait.lock().unwrap().recv();
    });
    let store = url(&cluster().tcp, &database);
    let (host, port) = silent.address.host_and_port();
    let monitor = format!("postgres://postgres@{host}:{port}/postgres?sslmode=disable");
    let busy = || {
        let setup = Setup::before(&cluster().tcp).flag("store", &store).flag("server", "db");
        Site::new(setup.flag("monitor-url", &monitor))
    };
    let (here, there) = (busy(), busy());
    let running = std::thread::scope(|scope| {
        let running = scope.spawn(|| here.call("POST", HOURLY));
        comes.recv().unwrap();
        for site in [&here, &there] {
            let refused = site.answer(HOURLY, 409);
            assert_eq!(refused["type"], "urn:pgvitals:problem:already-running", "{refused}");
            assert!(refused["running_since"].as_str().unwrap().starts_with("20"), "{refused}");
        }
        go.send(()).unwrap();
        running.join().unwrap()
    });
    assert_eq!(running.status, 207, "{running:?}");
    let mut client = Client::connect(&cluster().unix, &database);
    assert_eq!(client.value("select count(*) from pgvitals.leases where until > now()"), "0", "it is given back");
}
