//! Pages of many statements: what is read of them first and last makes no difference to any figure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Store;
use super::writing::writing;
use crate::support::pgvitals::Pgvitals;
use crate::support::postgres::Cluster;

/// Two services with sixty statements each, of which every third is both's; hours that are rolled up and minutes that
/// aren't. Durations, calls and errors differ from row to row.
const FLEET: &str = "
    insert into pgvitals.servers (server) values ('db:5432');
    insert into pgvitals.services (service) values ('orders'), ('billing');
    insert into pgvitals.instances (boot, instance, service_id, version, started_at)
        select gen_random_uuid(), service || '-1', service_id, '0', now() from pgvitals.services;
    create table public.made as
        select i, v.service_id, to_hex(281474976710656 + case when i % 3 = 0 then i else i + 1000 * v.service_id end)
            as hash, 1000 * v.service_id + i as series_id
        from generate_series(1, 60) i, pgvitals.services v;
    insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version)
        select lpad(hash, 16, '0'), 'select ' || min(i) || ' from Ümlaut_' || hash, 'select',
            case when min(i) % 10 = 7 then 'session' else 'data' end, 'SELECT', 1
        from public.made group by hash;
    insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
        select series_id, 'db:5432', lpad(hash, 16, '0'), 'shop' || i % 2, 'app', 'web-' || service_id from public.made;
    insert into pgvitals.query_stats_hour
        select series_id, date_trunc('hour', now(), 'UTC') - h * interval '1 hour', i, 1, 1, 7000 * i + 13 * h, 1, 0,
            9000 + i * h, service_id, 3 + i % 5, i % 4, 0, 0, 100 + i, 3 + i % 5, 0, 0, 3 + i % 5, 0, 0,
            array[1000 + 100 * i, 9000 + 100 * h], array[2 + i % 5, 1]
        from public.made, generate_series(2, 5) h;
    insert into pgvitals.rollups (resolution, bucket)
        select 'hour', date_trunc('hour', now(), 'UTC') - h * interval '1 hour' from generate_series(2, 5) h;
    insert into pgvitals.query_stats
        select m.series_id, date_trunc('hour', now(), 'UTC') - d * interval '1 minute', 1, 1, 1, 50000 + 31 * i, 1, 0,
            50000, n.instance_id, 1, 0, 0, 0, 50000, 0, 0, 1, 1, 0, 0, array[50000], array[1]
        from public.made m join pgvitals.instances n using (service_id), generate_series(1, 3) d";

fn fleet() -> (Pgvitals, Store) {
    let store = Store::on(Cluster::newest());
    let mut admin = store.superuser();
    FLEET.split(";\n").for_each(|sql| drop(admin.query(sql)));
    (writing(Cluster::any(), &store.url("pgvitals_reader")).start(), store)
}

/// What every sort that sums tell is.
const SORTS: [&str; 6] = ["total_ms", "calls", "mean_ms", "errors", "max_ms", "rows"];

fn asked(pgvitals: &Pgvitals, parameters: &str) -> Value {
    pgvitals.performance(&format!("hours=8&{parameters}"))
}

fn rows(answer: &Value) -> Vec<Value> {
    answer["queries"].as_array().unwrap().clone()
}

/// What tells a row apart.
fn key(row: &Value) -> String {
    ["query_hash", "database", "user", "application"].map(|part| row[part].to_string()).join(" ")
}

/// All pages, one after the other.
fn paged(pgvitals: &Pgvitals, parameters: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = asked(pgvitals, &format!("metric=queries&limit=30&{parameters}{cursor}"));
        let page = rows(&answer);
        assert!(page.len() <= 30 && !page.is_empty(), "{answer:#}");
        all.extend(page);
        match answer["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(answer["total"], all.len());
                return all;
            }
        }
    }
}

/// A page's rows are those that come when everything is read, in their order, whatever they are sorted by, with the
/// percentiles that SQL makes of the same buckets.
#[test]
fn a_page_of_a_fleet_has_the_figures_of_the_whole() {
    let (pgvitals, store) = fleet();
    let groups =
        [("hash", &SORTS[..]), ("hash,database", &SORTS[..1]), ("hash,database,user,application", &SORTS[..1])];
    for (group, sorts) in groups {
        // Sorted by a percentile, all durations are read.
        let whole =
            rows(&asked(&pgvitals, &format!("metric=queries&instance=all&limit=1000&sort=p95_ms&group_by={group}")));
        assert!(whole.len() >= 100, "{}", whole.len());
        let by_key: BTreeMap<String, &Value> = whole.iter().map(|row| (key(row), row)).collect();
        for sort in sorts {
            let all = paged(&pgvitals, &format!("instance=all&sort={sort}&group_by={group}"));
            assert_eq!(all.len(), whole.len(), "{sort}");
            for row in &all {
                assert_eq!(Some(&row), by_key.get(&key(row)), "{sort}, by {group}");
            }
            let figures: Vec<f64> = all.iter().map(|row| row[*sort].as_f64().unwrap()).collect();
            assert!(figures.is_sorted_by(|a, b| a >= b), "{sort}: {figures:?}");
        }
    }
    let mut admin = store.superuser();
    let first = &rows(&asked(&pgvitals, "metric=queries&instance=all&limit=1"))[0];
    let expected = admin.value(&format!(
        "select round(pgvitals.percentile(0.95, buckets_us, counts)::numeric, 3)
         from pgvitals.query_stats_at(now() - interval '8 hours', now()) join pgvitals.series using (series_id)
         where query_hash = {}",
        first["query_hash"].to_string().replace('"', "'")
    ));
    let (mine, theirs) = (first["p95_ms"].as_f64().unwrap(), expected.parse::<f64>().unwrap());
    assert!((mine / theirs - 1.0).abs() < 0.01, "{mine} is not {theirs}");
}

#[test]
fn what_is_searched_or_filtered_is_paged_alike() {
    let (pgvitals, _store) = fleet();
    let all = rows(&asked(&pgvitals, "metric=queries&instance=all&limit=1000"));
    let found = paged(&pgvitals, "instance=all&search=%C3%BCMLAUT_1000");
    let expected = all.iter().filter(|row| row["query"].as_str().unwrap().to_lowercase().contains("ümlaut_1000"));
    assert!(found.len() > 20 && found.len() == expected.count(), "{}", found.len());
    let orders = paged(&pgvitals, "service=orders");
    assert_eq!(orders.len(), 60);
    assert_eq!(
        paged(&pgvitals, "instance=all&database=shop1").len(),
        all.iter()
            .filter(|row| {
                row["query"].as_str().unwrap()["select ".len()..].split(' ').next().unwrap().parse::<u32>().unwrap() % 2
                    == 1
            })
            .count()
    );
}

/// The headline's percentiles are of all data statements, its `top` of those with most time.
#[test]
fn the_headline_of_a_fleet_is_of_all_and_its_top_of_the_largest() {
    let (pgvitals, _store) = fleet();
    let all = rows(&asked(&pgvitals, "metric=queries&instance=all&limit=1000"));
    let data: Vec<&Value> = all.iter().filter(|row| row["class"] == "data").collect();
    let summary = asked(&pgvitals, "metric=summary&instance=all&limit=5");
    let top = summary["top"].as_array().unwrap();
    assert_eq!(top.iter().collect::<Vec<_>>(), data[..5], "{summary:#}");
    let calls: u64 = data.iter().map(|row| row["calls"].as_u64().unwrap()).sum();
    assert_eq!(summary["totals"]["calls"], calls);
    assert_eq!(summary["totals"]["p99_ms"], 50.175, "the slowest call of each minute: {summary:#}");
}

/// "`sparkline=p95_ms` adds 24 points to each row returned" (API.md), from the tables as well.
#[test]
fn sparklines_are_of_the_tables_too() {
    let (pgvitals, _store) = fleet();
    let answer = pgvitals.performance("metric=queries&instance=all&limit=1&sparkline=p95_ms&hours=48");
    let points = answer["queries"][0]["sparkline"].as_array().unwrap();
    assert_eq!(points.len(), 24);
    let known: Vec<f64> = points.iter().filter_map(Value::as_f64).collect();
    assert!((2..=4).contains(&known.len()), "four hours and three minutes, two hours a point: {points:?}");
    assert!(known.iter().any(|ms| (50.0..50.5).contains(ms)), "{points:?}");
}
