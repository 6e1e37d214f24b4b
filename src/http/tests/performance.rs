//! Each metric's shape, field by field against API.md, and the figures in it.

use serde_json::{Value, json};

use super::support::{SONGS, ask, at, busy, executed, fields, get, identity, millis, query, site};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Kind;

const ENVELOPE: [&str; 8] =
    ["metric", "window", "source", "resolution", "complete_to", "server", "servers", "instances"];

const STATEMENT: [&str; 23] = [
    "query_hash",
    "query",
    "kind",
    "class",
    "summary",
    "tables",
    "calls",
    "errors",
    "aborted",
    "rows",
    "bytes_in",
    "bytes_out",
    "total_ms",
    "mean_ms",
    "min_ms",
    "max_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "first_row_mean_ms",
    "client_stall_ms",
    "batched",
    "level",
];

const SLOW: [&str; 13] = [
    "at",
    "query_hash",
    "query",
    "duration_ms",
    "first_row_ms",
    "client_stall_ms",
    "rows",
    "level",
    "database",
    "user",
    "application",
    "tags",
    "error",
];

/// The envelope comes first and whole; the rest is the metric's.
fn body_fields(answer: &Value) -> Vec<&str> {
    let all = fields(answer);
    assert_eq!(all[..ENVELOPE.len()], ENVELOPE);
    all[ENVELOPE.len()..].to_vec()
}

fn assert_has(value: &Value, names: &[&str]) {
    let present = fields(value);
    for name in names {
        assert!(present.contains(name), "{name} is missing in {present:?}");
    }
}

/// Exactly the fields of a statement, but for the parts of the key that the grouping splits by.
fn assert_statement(value: &Value, parts: &[&str]) {
    let mut expected: Vec<&str> = STATEMENT.iter().chain(&["share_percent"]).chain(parts).copied().collect();
    let mut present = fields(value);
    expected.sort_unstable();
    present.sort_unstable();
    assert_eq!(present, expected);
}

fn songs_hash() -> String {
    QueryHash::of(SONGS).to_string()
}

/// `actual` lies at most 1 % over `exact`: the histogram's precision.
fn assert_near(actual: &Value, exact: f64) {
    let actual = actual.as_f64().unwrap();
    assert!((exact..=exact * 1.01).contains(&actual), "{actual} is not {exact}");
}

#[tokio::test]
async fn every_answer_begins_with_the_envelope() {
    let site = site(&busy());
    let hash = songs_hash();
    for metric in
        ["summary", "queries", "timeline", "tags&key=route", "active", "slow_queries", &format!("query&hash={hash}")]
    {
        let answer = get(&site, &format!("/api/performance?metric={metric}")).await;
        body_fields(&answer);
        assert_eq!(answer["metric"], metric.split('&').next().unwrap());
        assert_eq!(answer["source"], "memory");
        assert_eq!(answer["resolution"], "minute");
        assert_eq!(answer["complete_to"], "2026-01-31T12:01:01Z");
        assert_eq!(answer["server"], "main");
        assert_eq!(answer["instances"], json!({"count": 1, "names": ["here"], "lagging": []}));
        assert_eq!(fields(&answer["window"]), ["from", "to", "hours"]);
    }
}

#[tokio::test]
async fn summary_is_the_headline_of_data_statements() {
    let answer = get(&site(&busy()), "/api/performance").await;
    let parts = [
        "totals",
        "connections",
        "transactions",
        "top",
        "slow_queries",
        "alerts",
        "bloat",
        "indexes",
        "unmeasured",
        "self",
    ];
    assert_eq!(body_fields(&answer), parts);
    let totals = &answer["totals"];
    assert_has(
        totals,
        &["calls", "errors", "aborted", "rows", "total_ms", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"],
    );
    assert_eq!(totals["calls"], 22, "BEGIN is no data statement");
    assert_eq!(totals["errors"], 1);
    assert_eq!(totals["rows"], 44);
    assert_eq!(totals["total_ms"], 190.0 + 200.0 + 1_200.0 + 200.0);
    assert_eq!(totals["max_ms"], 1_200.0);
    assert_near(&totals["p50_ms"], 11.0);
    assert_eq!(totals["levels"], json!({"good": 19, "warning": 2, "alert": 0, "critical": 1}));
    assert_eq!(answer["connections"], json!({"open": 2, "opened": 2, "failed": 1}));
    let transactions = &answer["transactions"];
    assert_has(transactions, &["count", "committed", "rolled_back", "mean_ms", "p95_ms", "idle_in_transaction_ms"]);
    assert_eq!(transactions["count"], 1);
    assert_eq!(transactions["mean_ms"], 40.0);
    assert_eq!(transactions["idle_in_transaction_ms"], 30.0);
    assert_eq!(answer["slow_queries"]["count"], 2);
    assert_eq!(answer["slow_queries"]["worst"]["duration_ms"], 1_200.0);
    assert_has(&answer["unmeasured"], &["framing", "replication", "panic", "pipeline_full", "unknown_tag"]);
    let own = "version uptime_s cpu_us_per_query cpu_cores resident_bytes series dropped rows_written bytes_written flush_mean_ms \
               flush_lag_s clock_offset_ms spool_bytes spool_age_s store_bytes partitions_ahead_days";
    let own: Vec<_> = own.split(' ').collect();
    assert_eq!(fields(&answer["self"]), own);
    assert_eq!(answer["self"]["series"], 5);
    assert_eq!(answer["self"]["uptime_s"], 61.0);
    let top = answer["top"].as_array().unwrap();
    assert_eq!(top.len(), 2);
    assert_statement(&top[0], &[]);
    assert_eq!(top[0]["query"], "update albums set title = $1");
}

#[tokio::test]
async fn without_traffic_there_are_nulls_and_no_zeros_divided() {
    let memory = super::support::Memory::new();
    let answer = get(&site(&memory), "/api/performance").await;
    for name in ["mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"] {
        assert_eq!(answer["totals"][name], Value::Null, "{name}");
    }
    assert_eq!(answer["totals"]["calls"], 0);
    assert_eq!(answer["transactions"]["mean_ms"], Value::Null);
    assert_eq!(answer["slow_queries"], json!({"count": 0, "worst": null}));
    let queries = get(&site(&memory), "/api/performance?metric=queries").await;
    assert_eq!((&queries["queries"], &queries["total"], &queries["cursor"]), (&json!([]), &json!(0), &Value::Null));
}

#[tokio::test]
async fn queries_are_one_row_a_statement_with_exactly_its_fields() {
    let answer = get(&site(&busy()), "/api/performance?metric=queries&sort=calls").await;
    assert_eq!(body_fields(&answer), ["queries", "total", "cursor"]);
    assert_eq!(answer["total"], 3);
    let songs = &answer["queries"][0];
    assert_statement(songs, &[]);
    assert_eq!(songs["query_hash"], songs_hash());
    assert_eq!(songs["query"], SONGS);
    assert_eq!((&songs["kind"], &songs["class"]), (&json!("select"), &json!("data")));
    assert_eq!((&songs["calls"], &songs["errors"], &songs["rows"]), (&json!(20), &json!(1), &json!(40)));
    assert_eq!((&songs["min_ms"], &songs["max_ms"]), (&json!(1.0), &json!(200.0)));
    assert_eq!(songs["total_ms"], 390.0);
    assert_eq!(songs["mean_ms"], 19.5);
    assert_near(&songs["p95_ms"], 19.0);
    assert_eq!(songs["level"], "good");
    assert_eq!(songs["first_row_mean_ms"], 9.75);
    assert_eq!(songs["client_stall_ms"], 20.0);
    let whole = 390.0 + 1_400.0 + 1.0;
    let share: f64 = 390.0 / whole * 100.0;
    assert_eq!(songs["share_percent"], (share * 100.0).round() / 100.0);
}

#[tokio::test]
async fn group_by_splits_the_rows_and_names_the_parts() {
    let site = site(&busy());
    let by_database = get(&site, "/api/performance?metric=queries&group_by=hash,database").await;
    assert_eq!(by_database["total"], 3);
    assert_statement(&by_database["queries"][0], &["database"]);
    let full = get(&site, "/api/performance?metric=queries&group_by=hash,database,user,application").await;
    assert_eq!(full["total"], 5);
    assert_statement(&full["queries"][0], &["database", "user", "application"]);
}

#[tokio::test]
async fn rows_are_sorted_searched_filtered_and_paged() {
    let site = site(&busy());
    let texts = |query: &'static str| {
        let site = site.clone();
        async move {
            let answer = get(&site, &format!("/api/performance?metric=queries&{query}")).await;
            let rows = answer["queries"].as_array().unwrap();
            rows.iter()
                .map(|row| row["query"].as_str().unwrap().split(' ').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(texts("").await, ["update", "select", "begin"]);
    assert_eq!(texts("sort=errors&limit=1").await, ["select"]);
    assert_eq!(texts("sort=mean_ms&limit=1").await, ["update"]);
    assert_eq!(texts("search=SONGS").await, ["select"]);
    assert_eq!(texts("search=nothing+like+it").await, [""; 0]);
    assert_eq!(texts("user=batch").await, ["select", "update"]);
    assert_eq!(texts("database=other").await, [""; 0]);
    assert_eq!(texts("application=web&server=main&instance=self&service=jukebox").await, ["update", "select", "begin"]);

    let first = get(&site, "/api/performance?metric=queries&limit=2").await;
    let cursor = first["cursor"].as_str().unwrap();
    let second = get(&site, &format!("/api/performance?metric=queries&limit=2&cursor={cursor}")).await;
    assert_eq!(second["queries"].as_array().unwrap().len(), 1);
    assert_eq!(second["queries"][0]["query"], "begin");
    assert_eq!((&second["total"], &second["cursor"]), (&json!(3), &Value::Null));
}

#[tokio::test]
async fn ties_are_ordered_by_hash() {
    let mut memory = super::support::Memory::new();
    let who = identity("music", "shop", "web");
    for table in 0..50 {
        memory.ran(executed(&query(Kind::Select, &format!("select * from t{table}")), &who, millis(5)));
    }
    memory.merge(at(1), |_| {});
    let answer = get(&site(&memory), "/api/performance?metric=queries").await;
    let hashes: Vec<&str> =
        answer["queries"].as_array().unwrap().iter().map(|row| row["query_hash"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 50);
    assert!(hashes.is_sorted(), "{hashes:?}");
}

#[tokio::test]
async fn a_sparkline_has_24_points_and_only_when_asked_for() {
    let answer = get(&site(&busy()), "/api/performance?metric=queries&sparkline=p95_ms&limit=1").await;
    let points = answer["queries"][0]["sparkline"].as_array().unwrap();
    assert_eq!(points.len(), 24);
    assert!(points.iter().any(Value::is_number), "{points:?}");
}

#[tokio::test]
async fn a_query_is_a_statement_with_its_series_histogram_callers_errors_and_samples() {
    let answer = get(&site(&busy()), &format!("/api/performance?metric=query&hash={}", songs_hash())).await;
    let mut expected: Vec<&str> = STATEMENT.to_vec();
    expected.extend(["share_percent", "series", "histogram", "callers", "routes", "errors_by_code", "samples"]);
    expected.push("baseline");
    assert_eq!(body_fields(&answer), expected);
    assert_eq!(answer["calls"], 20);
    assert_eq!(answer["errors_by_code"], json!({"57014": 1}));
    assert_eq!(answer["baseline"], Value::Null);
    let histogram = &answer["histogram"];
    let counts: u64 = histogram["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counts, 20);
    assert_eq!(histogram["values_us"].as_array().unwrap().len(), histogram["counts"].as_array().unwrap().len());
    let callers = answer["callers"].as_array().unwrap();
    assert_eq!(callers.len(), 2);
    assert_eq!((&callers[0]["user"], &callers[0]["total_ms"]), (&json!("batch"), &json!(200.0)));
    assert_eq!(callers[1]["calls"], 19);
    let routes = answer["routes"].as_array().unwrap();
    assert_eq!(
        (&routes[0]["value"], &routes[0]["calls"], &routes[0]["statements"]),
        (&json!("/songs"), &json!(19), &json!(1))
    );
    let slow = QueryHash::of("update albums set title = $1");
    let answer = get(&site(&busy()), &format!("/api/performance?metric=query&hash={slow}")).await;
    assert_eq!(answer["samples"].as_array().unwrap().len(), 2);
    assert_has(&answer["samples"][0], &SLOW);
}

#[tokio::test]
async fn a_hash_that_nobody_has_seen_is_not_found() {
    let answered = ask(&site(&busy()), "/api/performance?metric=query&hash=0123456789abcdef", &[]).await;
    assert_eq!(answered.status, 404);
    assert_eq!(answered.json()["type"], "urn:pgvitals:problem:unknown-query");
}

#[tokio::test]
async fn series_columns_are_of_equal_length_and_null_in_gaps() {
    let mut memory = busy();
    let (songs, who) = (query(Kind::Select, SONGS), identity("music", "shop", "web"));
    memory.ran(executed(&songs, &who, millis(70)));
    memory.merge(at(305), |_| {});
    let site = site(&memory);
    for metric in ["timeline".to_owned(), format!("query&hash={}", songs_hash())] {
        let answer = get(&site, &format!("/api/performance?metric={metric}")).await;
        let series = &answer["series"];
        assert_eq!(fields(series), ["step_seconds", "at", "calls", "errors", "p50_ms", "p95_ms", "p99_ms", "heat"]);
        assert_eq!(series["step_seconds"], 60);
        assert_eq!(series["at"][0], "2026-01-31T12:00:00Z");
        let length = series["at"].as_array().unwrap().len();
        for column in ["calls", "errors", "p50_ms", "p95_ms", "p99_ms"] {
            assert_eq!(series[column].as_array().unwrap().len(), length, "{column}");
        }
        let counts = series["heat"]["counts"].as_array().unwrap();
        assert_eq!(counts.len(), length);
        let bounds = series["heat"]["le_ms"].as_array().unwrap();
        for (calls, row) in series["calls"].as_array().unwrap().iter().zip(counts) {
            let sum = row.as_array().map(|row| row.iter().map(|count| count.as_u64().unwrap()).sum::<u64>());
            assert_eq!(calls.as_u64(), sum);
            assert!(row.as_array().is_none_or(|row| row.len() == bounds.len()));
        }
        let last = series["p95_ms"].as_array().unwrap().iter().rfind(|value| value.is_number()).unwrap();
        assert_near(last, 70.0);
    }
    let by_hour = get(&site, "/api/performance?metric=timeline&step=hour").await;
    assert_eq!(by_hour["series"]["step_seconds"], 3_600);
    assert_eq!(by_hour["series"]["calls"], json!([23]));
}

#[tokio::test]
async fn tags_are_figures_by_value() {
    let site = site(&busy());
    let answer = get(&site, "/api/performance?metric=tags&key=route").await;
    assert_eq!(body_fields(&answer), ["tags"]);
    let tag = &answer["tags"][0];
    assert_eq!(fields(tag), ["value", "calls", "errors", "rows", "total_ms", "p95_ms", "share_percent", "statements"]);
    assert_eq!((&tag["value"], &tag["calls"], &tag["statements"]), (&json!("/songs"), &json!(20), &json!(2)));
    assert_eq!(get(&site, "/api/performance?metric=tags&key=absent").await["tags"], json!([]));
}

#[tokio::test]
async fn active_shows_statements_and_transactions() {
    let site = site(&busy());
    let answer = get(&site, "/api/performance?metric=active").await;
    assert_eq!(body_fields(&answer), ["statements", "transactions"]);
    assert_eq!(
        answer["statements"],
        json!([{"query_hash": songs_hash(), "query": SONGS, "age_ms": 1_500.0, "state": "fetching", "database": "music",
                "user": "shop", "application": "web", "tags": {"route": "/songs", "name": "GetSong"}}])
    );
    let last = QueryHash::of("update albums set title = $1").to_string();
    assert_eq!(
        answer["transactions"],
        json!([{"age_ms": 3_000.0, "idle_ms": 2_000.0, "statements": 2, "last_query_hash": last, "database": "music",
                "user": "batch", "application": "nightly"}])
    );
    let filtered = get(&site, "/api/performance?metric=active&user=batch").await;
    assert_eq!(filtered["statements"], json!([]));
    assert_eq!(filtered["transactions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn slow_queries_are_kept_one_by_one() {
    let site = site(&busy());
    let answer = get(&site, "/api/performance?metric=slow_queries").await;
    assert_eq!(body_fields(&answer), ["threshold_ms", "slow_queries", "cursor"]);
    assert_eq!(answer["threshold_ms"], 500.0);
    let rows = answer["slow_queries"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let batch = rows.iter().find(|row| row["statements"] == 3).unwrap();
    assert_eq!(batch["duration_ms"], 600.0, "the threshold is tested on the span");
    let alone = rows.iter().find(|row| row["statements"] == 1).unwrap();
    assert_has(alone, &SLOW);
    assert_eq!((&alone["duration_ms"], &alone["level"]), (&json!(1_200.0), &json!("critical")));
    assert_eq!((&alone["user"], &alone["tags"]["route"]), (&json!("shop"), &json!("/songs")));
    assert_eq!(alone["trace_id"], "ab".repeat(16));
    let higher = get(&site, "/api/performance?metric=slow_queries&threshold=1000").await;
    assert_eq!(higher["slow_queries"].as_array().unwrap().len(), 1);
    let lower = get(&site, "/api/performance?metric=slow_queries&threshold=1").await;
    assert_eq!(lower["threshold_ms"], 500.0, "memory keeps no others, and says so");
}

#[tokio::test]
async fn every_metric_can_be_had_as_csv() {
    let site = site(&busy());
    for (metric, first, rows) in [
        ("summary".to_owned(), "calls", 1),
        ("queries".to_owned(), "query_hash", 3),
        (format!("query&hash={}", songs_hash()), "at", 2),
        ("timeline".to_owned(), "at", 2),
        ("tags&key=route".to_owned(), "value", 1),
        ("active".to_owned(), "query_hash", 1),
        ("slow_queries".to_owned(), "at", 2),
    ] {
        let answered = ask(&site, &format!("/api/performance?metric={metric}&format=csv"), &[]).await;
        assert_eq!(answered.status, 200, "{metric}");
        assert_eq!(answered.header("content-type"), "text/csv; charset=utf-8; header=present", "{metric}");
        let mut lines = answered.text.split_terminator("\r\n");
        assert_eq!(lines.next().unwrap().split(',').next(), Some(first), "{metric}");
        assert_eq!(lines.count(), rows, "{metric}: {}", answered.text);
    }
}
