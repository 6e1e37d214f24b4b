//! Many sidecars, one store.

use super::Store;
use super::pooler::Pooler;
use super::writing::{await_answer, end, writing, written};
use crate::support::client::Client;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

/// "Fifty sidecars, one store behind PgBouncer in transaction mode, two of the same name: migrations once, one lease, sums
/// exact" (issue 5); here all have the same, their host's
#[test]
fn fifty_sidecars_share_a_store_behind_a_pooler() {
    let monitored = Cluster::any();
    let store = Store::empty(Cluster::newest());
    let database = monitored.database();
    let pooler = Pooler::before(&store, "postgres", 4);
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", pooler.port, store.database);
    let start = || writing(monitored, &url).flag("workers", "1").flag("slow-threshold", "1us").start();
    let sidecars: Vec<Pgvitals> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..50).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let work = || {
        for (sidecar, n) in sidecars.iter().zip(1..) {
            let mut client = Client::connect(sidecar.address(), &database);
            (0..n % 7).for_each(|_| drop(client.query("select 1 as each")));
            client.query("select 1, 2 as all_of_them");
        }
    };
    work();
    let writers = "select count(distinct instance_id) from pgvitals.batches";
    await_answer(&sidecars[0], &store, writers, |count| count == 50);
    work();
    sidecars.iter().for_each(end);
    let mut reader = store.superuser();
    let each = 2 * (1..=50).map(|n| n % 7).sum::<u64>();
    let all = [("select $1 as each", each), ("select $1, $2 as all_of_them", 100)];
    assert_eq!(written(&mut reader), all.map(|(query, calls)| (query.to_owned(), calls)).into());
    let migrated =
        |sidecar: &&Pgvitals| sidecar.keeper.log.text().contains("monitoring tables brought to this version");
    assert_eq!(sidecars.iter().filter(migrated).count(), 1);
    assert_eq!(reader.value("select count(*) || ' ' || count(distinct instance) from pgvitals.instances"), "50 1");
    assert_eq!(reader.value("select string_agg(duty, ' ') from pgvitals.leases"), "global");
    let twice = "select count(*) - count(distinct (instance_id, sequence)) from pgvitals.batches";
    assert_eq!(reader.value(twice), "0");
}
