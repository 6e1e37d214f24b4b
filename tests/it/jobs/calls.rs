//! The calls of those who call already.

use serde_json::{Value, json};

use super::{DAILY, HOURLY, SECRET, Site, cluster, steps, url};
use crate::support::client::{Client, startup};
use crate::support::http::request;
use crate::support::pgvitals::Setup;
use crate::support::tool::Tool;

/// Rows that were there and are gone: half of the table is free, and the statistics say so.
const BLOATED: &str = "create table bloated (id int primary key, filler text);
    insert into bloated select i, repeat('x', 200) from generate_series(1, 40000) i;
    create index bloated_filler on bloated (filler);
    delete from bloated where id % 4 <> 0;
    vacuum bloated; analyze bloated";

/// "Existing callers' requests work verbatim": `GET /api/performance?metric=summary`,
/// `?metric=slow_queries&hours=24`, `?metric=bloat&threshold=20`, "the cron calls with bearer token"; without a store.
#[test]
fn requests_of_existing_callers_work_verbatim() {
    let (cluster, database) = (cluster(), cluster().database());
    BLOATED.split(';').for_each(|sql| drop(cluster.client(&database).query(sql)));
    let setup = Setup::before(&cluster.tcp).flag("server", "db");
    let site = Site::new(setup.flag("monitor-url", &url(&cluster.tcp, &database)));
    let pgvitals = &site.pgvitals;
    let early = pgvitals.get("/api/performance?metric=bloat&threshold=20");
    assert!(early.status == 200 && early.body.contains("\"bloated\""), "nobody need wait for the hour: {early:?}");

    let ran = site.answer(HOURLY, 200);
    assert_eq!(steps(&ran), ["index_snapshots", "table_snapshots", "database_snapshots", "findings", "alerts"]);
    assert_eq!((&ran["job"], &ran["success"]), (&"hourly-monitoring".into(), &true.into()));
    assert!(ran["captured"]["tables"].as_u64().unwrap() >= 1 && ran["captured"]["indexes"].as_u64().unwrap() >= 2);
    assert!(ran["started_at"].is_string() && ran["took_ms"].is_number() && ran.get("skipped").is_none(), "{ran}");

    let bloat = pgvitals.performance("metric=bloat&threshold=20");
    assert_eq!(bloat["threshold_percent"], 20.0);
    let tables = bloat["tables"].as_array().unwrap();
    let found = tables.iter().find(|row| row["table"] == "bloated" && row["database"] == *database);
    let found = found.unwrap_or_else(|| panic!("the table is not there: {bloat}"));
    let percent = found["bloat_percent"].as_f64().unwrap();
    assert!((70.0..=80.0).contains(&percent), "three of four rows are gone: {found}");
    assert_eq!(found["level"], "critical");
    assert!(found["advice"].is_string() && found["method"] == "estimate", "{found}");
    let none = pgvitals.performance(&format!("metric=bloat&threshold=99.9&database={database}"));
    assert_eq!(none["tables"], serde_json::json!([]));

    let summary = pgvitals.performance("metric=summary");
    assert!(summary["bloat"]["tables_over_threshold"].as_u64().unwrap() >= 1, "{}", summary["bloat"]);
    assert_eq!(summary["indexes"]["unused"], 0, "one look says nothing of use");
    let slow = pgvitals.performance("metric=slow_queries&hours=24");
    assert_eq!(slow["slow_queries"], serde_json::json!([]));
    assert!(pgvitals.metric("pgvitals_bloat_bytes{server=\"db\",object=\"table\"}") > 1e6);
    assert!(pgvitals.metric("pgvitals_xid_used_ratio{server=\"db\"}") < 0.5);
}

/// What else there is to be seen of a server, in its shape.
#[test]
fn every_metric_of_the_server_answers_after_a_look() {
    let (cluster, database) = (cluster(), cluster().database());
    let mut direct = Client::start(
        &cluster.unix,
        &startup(&[("user", "postgres"), ("database", &database), ("application_name", "goes around")]),
    );
    for sql in [
        "create table songs (id int primary key, title text)",
        "create index on songs (title)",
        "create index on songs (title)",
    ] {
        direct.query(sql);
    }
    let site = Site::new(Setup::before(&cluster.tcp).flag("monitor-url", &url(&cluster.tcp, &database)));
    let mut through = Client::connect(site.pgvitals.address(), &database);
    through.query("select 1 from songs");
    site.pgvitals.await_statement("select $1 from songs", 1);
    site.answer(HOURLY, 200);
    (0..9).for_each(|_| drop(through.query("select 1 from songs")));
    site.pgvitals.await_statement("select $1 from songs", 10);
    site.answer(&format!("{HOURLY}?force=1"), 200);

    let of = |metric: &str| site.pgvitals.performance(&format!("metric={metric}&database={database}"));
    let indexes = of("indexes");
    let status: Vec<_> = indexes["indexes"].as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
    assert_eq!(status, ["not_enough_history"; 3], "{indexes}");
    let advice = of("recommendations");
    let kinds: Vec<_> = advice["recommendations"].as_array().unwrap().iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["duplicate_index"], "{advice}");
    assert!(advice["recommendations"][0]["statement"].as_str().unwrap().contains("DROP INDEX CONCURRENTLY"));
    let capacity = of("capacity");
    assert!(capacity["databases"][0]["now"].as_f64().unwrap() > 1e6, "{capacity}");
    assert!(capacity["databases"][0]["growth_per_day"].is_null(), "a day is needed");
    assert_eq!(capacity["connections"][0]["limit"].as_f64().map(|limit| limit > 1.0), Some(true), "{capacity}");

    let coverage = of("coverage");
    let around = coverage["around"].as_array().unwrap();
    assert!(around.iter().any(|one| one["application"] == "goes around"), "{coverage}");
    let mine = coverage["by_user"].as_array().unwrap().iter().find(|row| row["user"] == "postgres");
    let calls = |name: &str| mine.and_then(|row| row[name].as_u64());
    // Between the two looks; the table's owner and the looks themselves go around.
    assert!(calls("seen_calls") >= Some(9) && calls("server_calls") > calls("seen_calls"), "{coverage}");
    assert!(coverage["unknown"].is_null() && coverage["compared_from"].is_string(), "{coverage}");
    assert_eq!(coverage["around_is_final"], true, "without a store nobody else can know better");
    let nobody = of("coverage&user=nobody");
    assert_eq!((&nobody["by_user"], &nobody["around"]), (&json!([]), &json!([])), "{nobody}");
    let application = of("coverage&application=goes%20around");
    let listed = application["around"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|one| one["application"] == "goes around"), "{application}");
    for metric in ["indexes", "bloat&threshold=0", "capacity", "recommendations", "coverage"] {
        let csv = site.pgvitals.get(&format!("/api/performance?metric={metric}&format=csv&limit=2"));
        assert_eq!((csv.status, csv.body.starts_with("server,")), (200, true), "{metric}: {csv:?}");
        assert!(csv.body.lines().count() <= 3, "{metric}: {csv:?}");
    }
}

/// "Wrong and missing bearer tokens refused", over the wire.
#[test]
fn without_the_secret_nothing_is_started() {
    let site = Site::new(Setup::before(&cluster().tcp));
    for path in [HOURLY, DAILY] {
        for headers in [vec![], vec![("authorization", "Bearer wrong")], vec![("authorization", SECRET)]] {
            for method in ["GET", "POST"] {
                let answer = request(site.pgvitals.http, method, path, &headers);
                assert_eq!(answer.status, 401, "{method} {path} {headers:?}: {answer:?}");
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
            }
        }
        let method = site.call("PUT", path);
        assert_eq!(method.status, 405, "{method:?}");
        let nothing = site.call("POST", path);
        assert_eq!(nothing.status, 503, "{nothing:?}");
    }
}

/// What curl prints of an answer: its body, and its status in a line of its own.
fn curl(site: &Site, arguments: &[&str], path: &str) -> (String, String) {
    let url = format!("http://{}{path}", site.pgvitals.http);
    let said = Tool::system("curl").args(&["-sS", "-w", "\n%{http_code}"]).args(arguments).arg(&url).succeed().stdout;
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

/// "Existing callers' requests, with curl, exactly as written" (issue 6, Proof), with a store behind: twice in the same slot
/// without a new row; "wrong and missing bearer tokens refused".
#[test]
fn existing_callers_come_with_curl() {
    let database = cluster().database();
    let at = url(&cluster().tcp, &database);
    let site = Site::new(Setup::before(&cluster().tcp).flag("store", &at).flag("server", "db"));
    let bearer: &str = &format!("Authorization: Bearer {SECRET}");
    for (path, field) in [
        ("/api/performance?metric=summary", "totals"),
        ("/api/performance?metric=slow_queries&hours=24", "slow_queries"),
        ("/api/performance?metric=bloat&threshold=20", "tables"),
    ] {
        let (status, body) = curl(&site, &[], path);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(status == "200" && !body[field].is_null(), "{path}: {status} {body}");
    }
    let mut admin = cluster().client(&database);
    let rows = "select (select count(*) from pgvitals.server_samples) + (select count(*) from pgvitals.index_samples)";
    for path in [HOURLY, DAILY] {
        let (status, body) = curl(&site, &["-X", "POST", "-H", bearer], path);
        assert!(status == "200" && body.contains("\"success\":true"), "{path}: {status} {body}");
        let before = admin.value(rows);
        let (status, again) = curl(&site, &["-H", bearer], path);
        let (first, second): (Value, Value) =
            (serde_json::from_str(&body).unwrap(), serde_json::from_str(&again).unwrap());
        // The hour, or the day, may have ended in between.
        if first["started_at"].as_str().unwrap()[..13] == second["started_at"].as_str().unwrap()[..13] {
            assert_eq!((status.as_str(), &second["skipped"]), ("200", &"already_done".into()), "{again}");
            assert_eq!(admin.value(rows), before);
        }
        for wrong in [
            &["-H", "Authorization: Bearer wrong"][..],
            &["-H", "Authorization: Bearer "],
            &["-H", "Authorization;"],
            &[],
        ] {
            for method in [&["-X", "POST"][..], &[]] {
                let (status, body) = curl(&site, &[method, wrong].concat(), path);
                assert!(status == "401" && body.contains("CRON_SECRET"), "{wrong:?} {path}: {status} {body}");
                assert!(!body.contains(SECRET), "{body}");
            }
        }
    }
}

/// "Without a secret configured they answer 403 and say why" (issue 6).
#[test]
fn without_a_configured_secret_the_doors_are_closed() {
    let pgvitals = Setup::before(&cluster().tcp).start();
    for (path, method) in [(HOURLY, "GET"), (HOURLY, "POST"), (DAILY, "GET"), (DAILY, "POST")] {
        for headers in [&[][..], &[("authorization", "Bearer ")], &[("authorization", "Bearer anything")]] {
            let answer = request(pgvitals.http, method, path, headers);
            let said = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(answer.status == 403 && said.contains("CRON_SECRET is not set"), "{method} {path}: {answer:?}");
        }
    }
}

/// The own scheduler looks once something happened, and lets a database sleep until then.
#[test]
fn the_first_statement_brings_the_first_look() {
    let (cluster, database) = (cluster(), cluster().database());
    let setup = Setup::before(&cluster.tcp).flag("monitor-url", &url(&cluster.tcp, &database));
    let site = Site::scheduled(setup.flag("jobs-first", "1s"));
    let looked =
        || site.pgvitals.metric("pgvitals_task_last_success_timestamp_seconds{task=\"hourly-monitoring\"}") > 0.0;
    let mut client = Client::connect(site.pgvitals.address(), &database);
    client.query("create table t (a int)");
    client.query("select * from t");
    site.pgvitals.await_merge("a look at the server", |_| looked().then_some(()));
}

/// Who opens a page on the first day need not wait for the hour: the question brings the look, and the hour's own round is
/// still to come.
#[test]
fn the_first_question_brings_a_look() {
    let (cluster, database) = (cluster(), cluster().database());
    cluster.client(&database).query("create table seen (a int)");
    let at = url(&cluster.tcp, &database);
    for setup in [Setup::before(&cluster.tcp), Setup::before(&cluster.tcp).flag("store", &at)] {
        let site = Site::new(setup.flag("monitor-url", &at));
        let answer = site.pgvitals.get("/api/performance?metric=bloat&threshold=0");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.contains("\"seen\""), "{answer:?}");
        let round = site.call("POST", "/api/cron/hourly-monitoring");
        assert!(round.status == 200 && !round.body.contains("already_done"), "{round:?}");
    }
}
