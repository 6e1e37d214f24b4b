//! "with `store.spool_dir` in a journal on disk …, replayed in order on return and on restart" (issue 5)

use std::path::Path;

use super::Store;
use super::writing::{Calls, bench, counted, end, kill, run, writing, written};
use crate::support::client::Client;
use crate::support::clock::{PATIENCE, now};
use crate::support::http::Events;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Waits until so many bytes are in the journal.
#[track_caller]
fn await_spool(pgvitals: &Pgvitals, wanted: impl Fn(f64) -> bool) {
    let end = now() + PATIENCE;
    let mut events = Events::subscribe(pgvitals.http);
    while !wanted(pgvitals.metric("pgvitals_spool_bytes")) {
        assert!(now() < end, "{} bytes in the journal", pgvitals.metric("pgvitals_spool_bytes"));
        events.await_event("live");
    }
}

/// Waits until a second with this text is in a journal.
#[track_caller]
fn await_second(pgvitals: &Pgvitals, directory: &Path, text: &str) {
    let end = now() + PATIENCE;
    let holds = |path: &Path| {
        let content = std::fs::read(path).unwrap_or_default();
        content.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    };
    let mut events = Events::subscribe(pgvitals.http);
    let noted = || {
        let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|name| name == "seconds")).any(|path| holds(&path))
    };
    while !noted() {
        assert!(now() < end, "no second with {text}");
        events.await_event("live");
    }
}

/// SIGKILL once everything that the server had counted before is on disk. Returns that: what came after it, a second at
/// most, is lost. One worker, so that what it completed before the marker is in the marker's harvest.
pub(super) fn kill_late(pgvitals: &Pgvitals, directory: &Path, monitored: &Cluster, database: &str) -> Calls {
    let before = counted(monitored, database);
    Client::connect(pgvitals.address(), database).query("select 1 as marker");
    await_second(pgvitals, directory, "marker");
    kill("-KILL", pgvitals.keeper.pid);
    before
}

/// A pgvitals with a journal, of which [`kill_late`] knows what it costs.
pub(super) fn journaling(monitored: &Cluster, url: &str, directory: &Path) -> Setup {
    writing(monitored, url).flag("store-spool-dir", &directory.to_string_lossy()).flag("workers", "1")
}

/// Calls that pgbench's clients had in flight: the server counts one before pgvitals sees its end.
const IN_FLIGHT: u64 = 4;

/// Calls that a death cost: no more than the server counted after `before`.
#[track_caller]
pub(super) fn lost(counted: &Calls, written: &Calls, before: &Calls) -> u64 {
    let of = |calls: &Calls, query: &String| calls.get(query).copied().unwrap_or_default();
    let lost = counted.iter().map(|(query, all)| {
        let (here, kept) = (of(written, query), of(before, query));
        assert!(kept <= here + IN_FLIGHT && here <= *all, "{query}: {here} of {all}, of which {kept} are journaled");
        all - here
    });
    let lost = lost.sum();
    assert!(written.keys().all(|query| counted.contains_key(query)), "{written:#?} {counted:#?}");
    lost
}

/// "a SIGKILL loses at most that second": in the middle of a minute, under load, with a store that works.
#[test]
fn a_death_in_the_middle_of_a_minute_costs_its_last_second() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::newest());
    let database = bench(monitored);
    let directory = tempfile::tempdir().unwrap();
    let life = || journaling(monitored, &store.url("pgvitals_writer"), directory.path()).start();
    let first = life();
    let before = std::thread::scope(|scope| {
        let load = Tool::postgres("pgbench", monitored.major).against(first.address(), &database);
        let load = scope.spawn(|| load.args(&["-n", "-c", "4", "-T", "600", "-R", "200"]).run());
        let mut events = Events::subscribe(first.http);
        (0..4).for_each(|_| drop(events.await_event("live")));
        let before = kill_late(&first, directory.path(), monitored, &database);
        assert_ne!(load.join().unwrap().code, Some(0), "it goes with pgvitals");
        before
    });
    let second = life();
    run(monitored, &second, &database, &["-t", "10"]);
    end(&second);
    let counted = counted(monitored, &database);
    let lost = lost(&counted, &written(&mut store.superuser()), &before);
    println!("{lost} of {} calls were lost", counted.values().sum::<u64>());
    assert_eq!(store.superuser().value("select count(*) from pgvitals.instances"), "2");
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["spool-0.redb"]);
}

/// The store hangs for two lives: one that ends in order, one that is killed. The third writes what they left.
#[test]
fn what_ended_processes_left_is_written_by_the_next_one() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::own(Cluster::newest().major));
    let database = bench(monitored);
    let directory = tempfile::tempdir().unwrap();
    let life = || {
        let setup = journaling(monitored, &store.url("pgvitals_writer"), directory.path());
        setup.flag("slow-threshold", "1us").start()
    };
    kill("-STOP", store.cluster.pid());
    let first = life();
    run(monitored, &first, &database, &["-t", "20"]);
    end(&first);

    let second = life();
    await_spool(&second, |bytes| bytes > 0.0);
    let mut client = Client::connect(second.address(), &database);
    client.query("select 'killed' as life");
    await_second(&second, directory.path(), "life");
    kill("-KILL", second.keeper.pid);

    kill("-CONT", store.cluster.pid());
    let third = life();
    third.log_until("the journal holds batches of an earlier life");
    await_spool(&third, |bytes| bytes == 0.0);
    let mut reader = store.superuser();
    assert_eq!(written(&mut reader), counted(monitored, &database));
    assert_eq!(reader.value("select count(*) from pgvitals.instances"), "2");
    end(&third);
}
