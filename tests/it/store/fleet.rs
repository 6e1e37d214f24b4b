//! Many sidecars, one store.

use pgvitals::pgclient::target::Target;
use pgvitals::store::read::Reader;
use pgvitals::store::read::fleet::Fleet;
use pgvitals::store::settings::Settings;
use pgvitals::tls::settings::Upstream;
use serde_json::Value;

use super::Store;
use super::idle::settings;
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

/// A member of `metric=fleet`, by its service: all instances have their host's name.
fn member<'a>(answer: &'a Value, service: &str) -> &'a Value {
    let named = |one: &&Value| one["service"] == service;
    answer["members"].as_array().unwrap().iter().find(named).unwrap_or_else(|| panic!("no {service}: {answer:#}"))
}

/// "*Fleet* (…, cost of pgvitals itself …)" (issue 7): each instance says it with its batches, one of an older version doesn't.
#[test]
fn each_instance_says_what_it_costs_and_all_add_up() {
    let (monitored, store) = (Cluster::any(), Store::on(Cluster::newest()));
    let start = |name: &str| writing(monitored, &store.url("postgres")).flag("service", name).start();
    let sidecars = ["one", "two"].map(start);
    for (sidecar, calls) in sidecars.iter().zip([200, 300]) {
        let mut client = Client::connect(sidecar.address(), "postgres");
        (0..calls).for_each(|_| drop(client.query("select 1 as told")));
    }
    let told = "select count(*) from (
            select 1 from pgvitals.batches group by instance_id having max(calls) >= 200 and max(cpu_us) > 0
        ) x";
    await_answer(&sidecars[0], &store, told, |count| count == 2);
    // Of an older program, which wrote a moment ago.
    store.superuser().query(
        "with served as (
            insert into pgvitals.services (service) values ('old') returning service_id
        ), made as (
            insert into pgvitals.instances (boot, instance, service_id, version, started_at)
            select gen_random_uuid(), 'pod', service_id, '0.0.9', now() - interval '2 hours' from served
            returning instance_id
        )
        insert into pgvitals.batches (instance_id, sequence, day, first_bucket, last_bucket, rows)
        select instance_id, 1, current_date, now(), now(), 7 from made",
    );
    let answer = sidecars[0].performance("metric=fleet");
    let old = member(&answer, "old");
    assert_eq!(old["rows_per_hour"], 7);
    for name in ["cpu_us_per_query", "cpu_cores", "resident_bytes", "series", "calls", "dropped"] {
        assert!(old[name].is_null(), "{name} of one that does not tell: {old:#}");
        let known = ["one", "two"].map(|service| member(&answer, service)[name].as_f64());
        assert!(known.iter().all(Option::is_some), "{name}: {answer:#}");
    }
    let number = |value: &Value| value.as_f64().unwrap();
    let [one, two] = ["one", "two"].map(|service| member(&answer, service));
    assert!(number(&one["calls"]) >= 200.0 && number(&two["calls"]) >= 300.0, "{answer:#}");
    assert_eq!(number(&one["dropped"]) + number(&two["dropped"]), 0.0);
    let cost = &answer["cost"];
    assert_eq!(cost["instances"], 2, "{answer:#}");
    for name in ["calls", "resident_bytes"] {
        assert_eq!(number(&cost[name]), number(&one[name]) + number(&two[name]), "{name}: {answer:#}");
    }
    let cores = number(&one["cpu_cores"]) + number(&two["cpu_cores"]);
    assert!((number(&cost["cpu_cores"]) - cores).abs() < 1e-6 && cores > 0.0, "{answer:#}");
    // Together it is the mean by statements, so it lies between both.
    let each = [one, two].map(|one| number(&one["cpu_us_per_query"]));
    let together = number(&cost["cpu_us_per_query"]);
    assert!(each[0].min(each[1]) <= together + 0.1 && together <= each[0].max(each[1]) + 0.1, "{answer:#}");
    // What it said of itself is what it says itself, some seconds later.
    let own = &sidecars[1].performance("metric=summary&limit=1")["self"];
    assert!(number(&own["resident_bytes"]) < 3.0 * number(&two["resident_bytes"]), "{own:#}");
    assert!(number(&own["cpu_cores"]) > 0.0, "{own:#}");
}

/// Recent CPU time is what lies between two batches of an hour, and since the start where there is one alone.
#[test]
fn cores_are_of_the_hour_up_to_the_last_batch() {
    let store = Store::on(Cluster::newest());
    store.superuser().query(
        "insert into pgvitals.services (service) values ('orders');
        insert into pgvitals.instances (boot, instance, service_id, version, started_at)
        select gen_random_uuid(), i, 1, '0.1.0', now() - interval '10 hours' from unnest(array['long', 'once']) i;
        insert into pgvitals.batches
            (instance_id, sequence, day, rows, written_at, cpu_us, resident_bytes, calls, dropped, series)
        select i.instance_id, s, current_date, 1, now() - interval '20 minutes' * (4 - s), 1e6 * c, 1000 * s, 100 * s, s, s
        from pgvitals.instances i, unnest(array[1, 2, 3, 4], array[100, 400, 500, 1120]) u (s, c)
        where i.instance = 'long' or s = 4",
    );
    let fleet = fleet(&store);
    let of = |name: &str| fleet.members.iter().find(|one| one.instance == name).unwrap();
    let seconds = |name: &str| {
        let recent = of(name).recent.unwrap();
        (recent.cpu.as_secs_f64(), recent.time.as_secs_f64())
    };
    // The first batch is older than an hour before the last by a moment, or not: it is of the same instant.
    assert_eq!(seconds("long"), (1020.0, 3600.0));
    let (cpu, time) = seconds("once");
    assert!(cpu == 1120.0 && (time - 36_000.0).abs() < 1.0, "since its start: {cpu} {time}");
    let cost = of("long").cost.unwrap();
    assert_eq!((cost.calls, cost.dropped, cost.series, cost.resident_bytes), (400, 4, 4, Some(4_000)));
}

/// A program that is newer than the tables reads them nevertheless: nobody says what it costs.
#[test]
fn tables_of_an_older_version_answer_without_costs() {
    let store = Store::on(Cluster::newest());
    store.superuser().query(
        "insert into pgvitals.services (service) values ('orders');
        insert into pgvitals.instances (boot, instance, service_id, version, started_at)
        values (gen_random_uuid(), 'pod', 1, '0.0.9', now());
        insert into pgvitals.batches (instance_id, sequence, day, rows) values (1, 1, current_date, 5);
        alter table pgvitals.batches drop column cpu_us, drop column resident_bytes, drop column calls,
            drop column dropped, drop column series;
        delete from pgvitals.migrations where version >= 14;
        update pgvitals.meta set schema_version = 13",
    );
    let fleet = fleet(&store);
    let [member] = &fleet.members[..] else { panic!("{fleet:?}") };
    assert_eq!((member.rows, member.cost, member.recent), (5, None, None));
}

/// Who has written nothing for hours is still in front of the server that it measured last.
#[test]
fn an_idle_instance_has_the_servers_of_its_own_last_minutes() {
    let store = Store::on(Cluster::newest());
    store.superuser().query(
        "insert into pgvitals.services (service) values ('orders');
        insert into pgvitals.instances (boot, instance, service_id, version, started_at)
        values (gen_random_uuid(), 'asleep', 1, '0.1.0', now() - interval '1 day');
        insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
        values (1, 'first:5432', 'a', '', '', ''), (2, 'second:5432', 'a', '', '', ''), (3, 'old:5432', 'a', '', '', '');
        insert into pgvitals.query_stats
        select s, date_trunc('minute', now()) - interval '3 hours' - m * interval '1 minute', 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0,
            0, 1, 1, 0, 0, 0, 0, 0, '{1}', '{1}'
        from unnest(array[1, 2, 3], array[0, 4, 5]) u (s, m);
        insert into pgvitals.batches (instance_id, sequence, day, rows, idle, written_at, last_bucket)
        values (1, 1, current_date, 3, true, now() - interval '3 hours', date_trunc('minute', now()) - interval '3 hours')",
    );
    let fleet = fleet(&store);
    let [member] = &fleet.members[..] else { panic!("{fleet:?}") };
    assert_eq!(member.servers, ["first:5432", "second:5432"]);
}

fn fleet(store: &Store) -> Fleet {
    let target = Target::new(&store.url("pgvitals_reader"), Upstream::default()).unwrap();
    let reader = Reader::new(Settings { target, ..settings(store, std::path::Path::new("/")) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reader.fleet()).unwrap()
}
