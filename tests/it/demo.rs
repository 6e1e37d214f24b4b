//! `pgvitals demo`: a month that never was, in the tables, over HTTP and as reports (docs/demo.md).

use std::sync::LazyLock;

use jiff::Timestamp;
use pgvitals::base::units::WallTime;
use pgvitals::demo::course::Course;
use pgvitals::demo::shop::Shop;
use serde_json::Value;

use crate::store::Store;
use crate::support::client::Client;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::{Output, Tool};

/// A month, and a pgvitals that shows it.
struct Site {
    store: Store,
    said: String,
    pgvitals: Pgvitals,
}

fn site() -> &'static Site {
    static SITE: LazyLock<Site> = LazyLock::new(|| {
        let store = Store::empty(Cluster::newest());
        let played = demo(&store, &["--disk-capacity", "240GiB"]);
        assert_eq!(played.code, Some(0), "{played:?}");
        let setup = Setup::before(&store.cluster.tcp).flag("store", &store.url("postgres"));
        let setup = setup.flag("disk-capacity", "240GiB").flag("jobs-hourly", "off").flag("jobs-daily", "off");
        Site { said: played.stdout, pgvitals: setup.start(), store }
    });
    &SITE
}

fn demo(store: &Store, arguments: &[&str]) -> Output {
    Tool::pgvitals().args(&["demo", "--store", &store.url("postgres")]).args(arguments).run()
}

/// What `demo` said that it played: executions, and from when to when.
fn played(said: &str) -> (u64, String, String) {
    let line = said.lines().find(|line| line.contains(" executions of ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let [_, calls, .., "from", from, "to", to] = words[..] else { panic!("{line}") };
    (calls.parse().unwrap(), from.to_owned(), to.to_owned())
}

fn time(text: &str) -> WallTime {
    WallTime::from_unix_micros(text.parse::<Timestamp>().unwrap().as_microsecond())
}

fn calls(answer: &Value) -> u64 {
    answer["queries"].as_array().unwrap().iter().map(|one| one["calls"].as_u64().unwrap()).sum()
}

fn ask(parameters: &str) -> Value {
    site().pgvitals.performance(&format!("server=demo&limit=1000&{parameters}"))
}

/// Names of rows for which a field has this value.
fn named<'a>(answer: &'a Value, list: &str, name: &str, field: &str, value: &str) -> Vec<&'a str> {
    let rows = answer[list].as_array().unwrap().iter().filter(|row| row[field] == value);
    rows.map(|row| row[name].as_str().unwrap()).collect()
}

#[test]
fn each_execution_that_was_played_is_counted_once() {
    let (all, from, to) = played(&site().said);
    assert_eq!(calls(&ask(&format!("metric=queries&from={from}&to={to}"))), all);

    let mut client = site().store.superuser();
    let minutes =
        "select to_char(minutes_from at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from pgvitals.meta";
    let fine_from = time(&rows(&mut client, minutes)[0]);
    let shop = Shop::new("demo", Course::new(1, time(&to), 30));
    for hours in [24, 168, 720] {
        let answer = ask(&format!("metric=queries&hours={hours}"));
        let begin = time(answer["window"]["from"].as_str().unwrap());
        assert_eq!(calls(&answer), shop.calls(fine_from, begin, time(&to)), "{hours} h");
        assert_eq!(answer["demo"], true);
    }
}

#[test]
fn statements_of_a_route_add_up_to_it() {
    let figures = |answer: &Value| (answer["calls"].clone(), answer["rows"].clone());
    let sums = |rows: &[Value]| {
        let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
        (Value::from(sum("calls")), Value::from(sum("rows")))
    };
    // A whole hour: what runs beside it moves nothing.
    let tags = ask("metric=tags&key=route&hours=6");
    let window =
        format!("from={}&to={}", tags["window"]["from"].as_str().unwrap(), tags["window"]["to"].as_str().unwrap());
    let tags = ask(&format!("metric=tags&key=route&{window}"));
    let routes = tags["tags"].as_array().unwrap();
    assert!(routes.len() > 10, "{tags:#}");
    for route in routes {
        let value = route["value"].as_str().unwrap();
        let answer = ask(&format!("metric=queries&{window}&route={}", value.replace('{', "%7B").replace('}', "%7D")));
        let rows = answer["queries"].as_array().unwrap();
        assert_eq!(
            (sums(rows), rows.len()),
            (figures(route), route["statements"].as_u64().unwrap() as usize),
            "{value}"
        );
        assert!(rows.iter().all(|row| row["p95_ms"].as_f64().unwrap() > 0.0 && row["query"] != ""), "{answer:#}");
        assert_eq!((&answer["demo"], &answer["source"]), (&Value::Bool(true), &"store".into()));
        let steps =
            ask(&format!("metric=timeline&step=hour&{window}&route={}", value.replace('{', "%7B").replace('}', "%7D")));
        let steps: u64 = steps["series"]["calls"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
        assert_eq!(route["calls"], steps, "{value}");
    }
}

#[test]
fn what_is_wrong_with_the_shop_is_told() {
    let indexes = ask("metric=indexes");
    assert_eq!(named(&indexes, "indexes", "index", "status", "drop"), ["orders_status_created_at_idx"]);
    let mut unused = named(&indexes, "indexes", "index", "status", "unused");
    unused.sort_unstable();
    assert_eq!(unused, ["customers_phone_idx", "products_legacy_number_idx"]);

    let bloat = ask("metric=bloat&threshold=20");
    let [carts] = &bloat["tables"].as_array().unwrap()[..] else { panic!("{bloat}") };
    assert_eq!((carts["table"].as_str(), carts["level"].as_str()), (Some("carts"), Some("critical")));
    assert_eq!(carts["statement"], "ALTER TABLE public.carts SET (autovacuum_enabled = on);");

    let capacity = ask("metric=capacity");
    let days = |list: &str| capacity[list][0]["full_in_days"].as_f64().unwrap_or(f64::NAN);
    assert!((10.0..25.0).contains(&days("sequences")), "{}", capacity["sequences"]);
    let text = capacity.to_string();
    assert!(text.contains("events_id_seq"), "{text}");

    let advice = ask("metric=recommendations").to_string();
    for subject in ["carts", "payments_order_id_idx1", "orders_status_created_at_idx", "events_id_seq"] {
        assert!(advice.contains(subject), "{subject}: {advice}");
    }
}

/// "Chart of an index's use and a table's size/bloat over time", and what its instances cost.
#[test]
fn each_object_has_a_past_and_each_instance_its_cost() {
    let sum = |list: &Value| list.as_array().unwrap().iter().filter_map(Value::as_f64).sum::<f64>();
    let last = |list: &Value| list.as_array().unwrap().iter().rev().find_map(Value::as_f64).unwrap();
    let object = |metric: &str, name: &str| {
        ask(&format!("metric={metric}&database=shop&schema=public&name={name}&hours=720&step=day"))
    };
    let unused = object("index", "orders_status_created_at_idx");
    assert_eq!(
        (&unused["usage"]["status"], sum(&unused["series"]["scans"])),
        (&Value::from("drop"), 0.0),
        "{unused:#}"
    );
    assert_eq!(unused["recommendations"][0]["kind"], "drop_index");
    assert!(unused["recommendations"][0]["risk"].as_str().unwrap().len() > 10);
    assert!(unused["definition"].as_str().unwrap().starts_with("CREATE INDEX orders_status_created_at_idx ON"));
    let used = object("index", "orders_pkey");
    let series = &used["series"];
    let (steps, scans) = (series["at"].as_array().unwrap().len(), sum(&series["scans"]));
    assert!((30..=31).contains(&steps) && steps == series["size_bytes"].as_array().unwrap().len(), "{series}");
    assert_eq!(last(&series["size_bytes"]), used["size_bytes"].as_f64().unwrap());
    let a_day = used["scans_per_day"].as_f64().unwrap();
    assert!(
        (scans / 30.0 / a_day - 1.0).abs() < 0.5,
        "a day's are like the last week's: {scans} in all, {a_day} a day"
    );
    // Each scan that was counted in the time falls into one step.
    let hours = ask("metric=index&database=shop&schema=public&name=orders_pkey&hours=720&step=hour");
    assert!((sum(&hours["series"]["scans"]) / scans - 1.0).abs() < 0.05, "{scans}");

    let carts = object("table", "carts");
    let bloat = &ask("metric=bloat")["tables"][0];
    assert_eq!(&carts["bloat"], bloat);
    assert_eq!(last(&carts["series"]["bloat_percent"]), bloat["bloat_percent"].as_f64().unwrap());
    let first = carts["series"]["bloat_percent"].as_array().unwrap().iter().find_map(Value::as_f64).unwrap();
    assert!(first < last(&carts["series"]["bloat_percent"]), "it became so: {carts:#}");
    assert_eq!(last(&carts["series"]["size_bytes"]), carts["size_bytes"].as_f64().unwrap());
    assert_eq!(carts["growth"]["now"], carts["size_bytes"].as_f64().unwrap());
    assert!(!carts["indexes"].as_array().unwrap().is_empty() && carts["options"][0] == "autovacuum_enabled=false");

    for (metric, path, word) in [
        ("index", "database=shop&schema=public", "database, schema and name"),
        ("table", "database=shop&schema=public&name=orders_pkey", "metric=bloat"),
        ("index", "database=shop&schema=public&name=nothing", "nothing"),
    ] {
        let answer = site().pgvitals.get(&format!("/api/performance?server=demo&metric={metric}&{path}"));
        assert!([400, 404].contains(&answer.status) && answer.body.contains(word), "{answer:?}");
    }

    let capacity = ask("metric=capacity&series=day");
    let disk = &capacity["disk"][0];
    let days = disk["series"]["value"].as_array().unwrap();
    assert!(days.len() >= 30 && days[0].as_f64() < days[29].as_f64(), "{disk:#}");
    assert!(capacity["tables"][0].get("series").is_none() && ask("metric=capacity")["disk"][0].get("series").is_none());

    let fleet = ask("metric=fleet");
    let members = fleet["members"].as_array().unwrap();
    let made_up: Vec<_> = members.iter().filter(|one| one["instance"].as_str().unwrap().contains('-')).collect();
    let calls: u64 = made_up.iter().filter_map(|one| one["calls"].as_u64()).sum();
    assert!(calls >= played(&site().said).0, "{fleet:#}");
    for one in made_up.iter().filter(|one| !one["calls"].is_null()) {
        let (cores, each) = (one["cpu_cores"].as_f64().unwrap(), one["cpu_us_per_query"].as_f64().unwrap());
        assert!((20.0..200.0).contains(&each) && (0.00001..1.0).contains(&cores), "{one:#}");
        assert!((5..50).contains(&(one["resident_bytes"].as_u64().unwrap() >> 20)), "{one:#}");
    }
}

#[test]
fn alerts_are_open_and_over_and_nobody_elses() {
    let alerts = ask("metric=alerts&hours=720");
    let all = alerts["alerts"].as_array().unwrap();
    let (open, over): (Vec<_>, Vec<_>) = all.iter().partition(|alert| alert["resolved_at"].is_null());
    let regressed: Vec<_> = open.iter().filter(|alert| alert["kind"] == "regression").collect();
    let [slower] = regressed[..] else { panic!("{open:?}") };
    assert!(slower["message"].as_str().unwrap().contains("order_items"), "{slower}");
    assert!(slower["value"].as_f64().unwrap() > 2.0, "{slower}");
    for kind in ["high_bloat", "unused_index", "invalid_index", "sequence_exhaustion"] {
        assert_eq!(open.iter().filter(|alert| alert["kind"] == kind).count(), 1, "{kind}: {open:?}");
    }
    for kind in ["regression", "error_rate", "connection_saturation", "replication_slot", "slow_statement"] {
        assert!(over.iter().any(|alert| alert["kind"] == kind), "{kind}");
    }
    assert!(open.iter().any(|alert| !alert["acknowledged"].is_null()));
    // The headline doesn't wait for what takes long; who asked before has made it.
    ask("metric=indexes");
    let headline = ask("metric=summary&hours=24");
    assert_eq!(headline["alerts"]["open"], open.len());
    assert_eq!(headline["indexes"]["unused"], 3);

    // Whoever asks for no server is told of real ones.
    let others = site().pgvitals.performance("metric=alerts&hours=720");
    assert_eq!((others["alerts"].as_array().unwrap().len(), &others["demo"]), (0, &Value::Null));
    let everybody = site().pgvitals.performance("metric=summary&instance=all");
    assert_eq!((&everybody["alerts"]["open"], &everybody["demo"]), (&Value::from(0), &Value::Bool(true)));
}

#[test]
fn days_have_reports_that_say_what_they_are() {
    let report = |arguments: &[&str]| {
        let url = site().store.url("postgres");
        Tool::pgvitals().args(&["report", "--store", &url, "--of", "demo"]).args(arguments).succeed().stdout
    };
    let text = report(&[]);
    assert!(text.lines().next().unwrap().ends_with("(demo data, made up)"), "{text}");
    assert!(text.contains("orders_status_created_at_idx") && text.contains("carts"), "{text}");
    let json: Value = serde_json::from_str(&report(&["--json"])).unwrap();
    assert_eq!(json["demo"], true);
    let count =
        rows(&mut site().store.superuser(), "select count(*)::text from pgvitals.reports where server = 'demo'");
    assert!(count[0].parse::<u32>().unwrap() >= 30, "{count:?}");
}

#[test]
fn a_store_of_others_is_left_alone_and_a_second_month_takes_the_place_of_the_first() {
    let store = Store::on(Cluster::newest());
    let mut client = store.superuser();
    client.query("insert into pgvitals.servers (server) values ('production')");
    let refused = demo(&store, &["--days", "10"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("production") && refused.stderr.contains("--mix"), "{refused:?}");
    assert_eq!(rows(&mut client, "select server from pgvitals.servers"), ["production"]);

    for seed in ["1", "2"] {
        let output = demo(&store, &["--days", "10", "--mix", "--seed", seed]);
        assert_eq!(output.code, Some(0), "{output:?}");
        let (all, from, to) = played(&output.stdout);
        let sum = format!("select sum(calls)::text from pgvitals.query_stats_at('{from}', '{to}')");
        assert_eq!(rows(&mut client, &sum), [all.to_string()], "seed {seed}");
    }
    let marked = "select server || ' ' || is_demo from pgvitals.servers order by 1";
    assert_eq!(rows(&mut client, marked), ["demo true", "production false"]);
}

/// "makes a person who never saw pgvitals say what is wrong with the demo's database within a minute" (issue 7)
#[test]
fn pages_are_full_and_say_what_they_show() {
    Tool::browser("demo.mjs", site().pgvitals.http).succeed();
}

/// The first column of a statement's rows.
#[track_caller]
fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    client.query(sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
}
