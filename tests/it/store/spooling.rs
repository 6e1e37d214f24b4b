//! "with `store.spool_dir` in a journal on disk …, replayed in order on return and on restart" (issue 5)

use super::Store;
use super::writing::{bench, counted, end, kill, run, writing, written};
use crate::support::client::Client;
use crate::support::clock::{PATIENCE, now};
use crate::support::http::Events;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

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

/// The store hangs for two lives: one that ends in order, one that is killed. The third writes what they left.
#[test]
fn what_ended_processes_left_is_written_by_the_next_one() {
    let monitored = Cluster::any();
    let store = Store::on(Cluster::own(Cluster::newest().major));
    let database = bench(monitored);
    let directory = tempfile::tempdir().unwrap();
    let life = || {
        let setup = writing(monitored, &store.url("pgvitals_writer")).flag("slow-threshold", "1us");
        setup.flag("store-spool-dir", &directory.path().to_string_lossy()).start()
    };
    kill("-STOP", store.cluster.pid());
    let first = life();
    run(monitored, &first, &database, &["-t", "20"]);
    end(&first);
    let expected = counted(monitored, &database);

    let second = life();
    await_spool(&second, |bytes| bytes > 0.0);
    let before = second.metric("pgvitals_spool_bytes");
    Client::connect(second.address(), &database).query("select 'killed' as life");
    await_spool(&second, |bytes| bytes > before);
    kill("-KILL", second.keeper.pid);

    kill("-CONT", store.cluster.pid());
    let third = life();
    third.keeper.log.await_line("the journal", |line| line.contains("batches=2").then_some(()));
    await_spool(&third, |bytes| bytes == 0.0);
    let mut reader = store.superuser();
    assert_eq!(written(&mut reader), expected, "all of the first life, whose open minute was journaled at its end");
    let told = "select count(*) from pgvitals.slow_statements join pgvitals.queries using (query_hash)
                where query = 'select $1 as life'";
    assert_eq!(reader.value(told), "1", "of the second what was closed when it was killed");
    assert_eq!(reader.value("select count(*) from pgvitals.instances"), "2");
    end(&third);
}
