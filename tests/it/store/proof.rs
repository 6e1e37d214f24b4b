//! The proof of issue 5: whatever is killed, calls stay exact.

use super::Store;
use super::partitions::{actions, maintain};
use super::spooling::{journaling, kill_late, lost};
use super::writing::{BATCHES, await_answer, bench, counted, end, kill, run, written};
use crate::support::clock::now;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// Rolls up all that will be over in four days; how much that was.
fn roll_up(store: &Store) -> usize {
    let mut leader = store.writer();
    let due = "select resolution, bucket::text from pgvitals.roll_ups_due(now() + interval '4 days', '0')";
    let due = leader.query(due);
    for row in &due {
        let [Some(resolution), Some(bucket)] = &row[..] else { panic!("{row:?}") };
        leader.query(&format!("select pgvitals.roll_up_{resolution}('{bucket}')"));
    }
    due.len()
}

/// Kills the backend of a writer whose COMMIT is on disk and has not been answered, and with it, as PostgreSQL has it,
/// all others.
fn kill_in_commit(pgvitals: &Pgvitals, store: &Store) {
    let mut admin = store.superuser();
    // Nobody is the standby that COMMIT now waits for.
    admin.query("alter system set synchronous_standby_names = 'nobody'");
    admin.query("select pg_reload_conf()");
    let waiting = "select coalesce(max(pid), 0) from pg_stat_activity
         where usename = 'pgvitals_writer' and wait_event = 'SyncRep' and query = 'commit'";
    let writer = await_answer(pgvitals, store, waiting, |pid| pid > 0);
    admin.query("alter system reset synchronous_standby_names");
    kill("-KILL", writer);
    await_answer(pgvitals, store, "select pg_reload_conf()::integer", |_| true);
}

/// Today's minutes go while a reader has them open and the writer writes: it waits for nobody.
fn retire_beside_a_reader(pgvitals: &Pgvitals, store: &Store) {
    let mut admin = store.superuser();
    let mut reader = store.reader();
    reader.query("begin");
    reader.query("select count(*) from pgvitals.query_stats");
    let mut busy = maintain(&mut admin);
    while actions(&busy).contains(&"dropped") {
        busy = maintain(&mut admin); // What nobody reads.
    }
    assert!(actions(&busy).contains(&"busy"), "{busy:?}");
    let before = await_answer(pgvitals, store, BATCHES, |_| true);
    await_answer(pgvitals, store, BATCHES, |count| count > before);
    reader.query("commit");
    let today = "select count(*) from pgvitals.partitions('query_stats') where since <= now() and now() < until";
    while admin.value(today) != "0" {
        roll_up(store);
        let done = maintain(&mut admin);
        assert!(actions(&done).contains(&"dropped"), "{done:?}");
    }
}

/// "pgbench runs meanwhile SIGKILL of the store's server, then of its backend during COMMIT, then of pgvitals itself …; calls
/// per statement equal `pg_stat_statements` but for what pgvitals' own SIGKILL cost" (issue 5)
#[test]
fn whatever_is_killed_calls_stay_exact() {
    let begin = now();
    let monitored = Cluster::any();
    let store = Store::on(Cluster::immortal(Cluster::newest().major));
    let database = bench(monitored);
    let directory = tempfile::tempdir().unwrap();
    // Each statement is a slow one, so that there is something to write each second.
    let url = store.url("pgvitals_writer");
    let life = || journaling(monitored, &url, directory.path()).flag("slow-threshold", "1us").start();
    let first = life();
    let before = std::thread::scope(|scope| {
        let load = Tool::postgres("pgbench", monitored.major).against(first.address(), &database);
        let load = scope.spawn(|| load.args(&["-n", "-c", "4", "-T", "600", "-R", "50"]).run());
        await_answer(&first, &store, BATCHES, |count| count > 1);

        store.cluster.kill();
        let after = await_answer(&first, &store, BATCHES, |_| true);
        await_answer(&first, &store, BATCHES, |count| count > after);
        assert!(roll_up(&store) > 0);
        kill_in_commit(&first, &store);
        let after = await_answer(&first, &store, BATCHES, |_| true);
        await_answer(&first, &store, BATCHES, |count| count > after);
        retire_beside_a_reader(&first, &store);

        let before = kill_late(&first, directory.path(), monitored, &database);
        assert_ne!(load.join().unwrap().code, Some(0), "it goes with pgvitals");
        before
    });
    let killed = counted(monitored, &database);
    let second = life();
    run(monitored, &second, &database, &["-t", "20"]);
    end(&second);
    let (counted, mut reader) = (counted(monitored, &database), store.superuser());
    let cost = lost(&counted, &written(&mut reader), &before);
    println!(
        "{cost} of {} calls were lost, of {} in the last second; {:.0} s",
        counted.values().sum::<u64>(),
        killed.values().sum::<u64>() - before.values().sum::<u64>(),
        begin.elapsed().as_secs_f64()
    );
    assert_eq!(roll_up(&store), 0, "all was rolled up when it came");
    let twice = "select count(*) - count(distinct (instance_id, sequence)) from pgvitals.batches";
    assert_eq!(reader.value(twice), "0");
    let refused = |life: &Pgvitals| life.keeper.log.text().contains("it is dropped");
    assert!(!refused(&first) && !refused(&second));
}
