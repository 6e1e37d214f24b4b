//! Parameters: what is unknown is refused with the allowed values, what is known and means nothing is ignored.

use axum::http::{Method, Request, StatusCode};
use tower::ServiceExt;

use super::support::{ask, busy, get, site};

async fn refused(query: &str, names: &[&str]) {
    let answered = ask(&site(&busy()), &format!("/api/performance?{query}"), &[]).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{query}: {}", answered.text);
    assert_eq!(answered.header("content-type"), "application/problem+json", "{query}");
    let problem = answered.json();
    assert_eq!(problem["type"], "urn:pgvitals:problem:bad-parameter", "{query}");
    assert_eq!(problem["status"], 400, "{query}");
    assert!(!problem["title"].as_str().unwrap().is_empty(), "{query}");
    let detail = problem["detail"].as_str().unwrap();
    for name in names {
        assert!(detail.contains(name), "{query}: {detail} lacks {name}");
    }
}

#[tokio::test]
async fn unknown_names_and_values_are_refused_with_what_is_allowed() {
    let metrics = ["summary", "queries", "query", "timeline", "tags", "active", "slow_queries", "indexes", "bloat"];
    for metric in ["nonsense", "", "alarms", "Summary"] {
        refused(&format!("metric={metric}"), &metrics).await;
    }
    refused("metrik=queries", &["metrik", "metric", "hours", "sparkline", "key"]).await;
    refused("limit=5&limit=6", &["limit", "twice"]).await;
    refused("format=xml", &["xml", "json", "csv"]).await;
    refused("metric=queries&sort=speed", &["speed", "total_ms", "calls", "mean_ms", "p95_ms", "errors"]).await;
    refused("metric=queries&group_by=user", &["hash,database", "hash,database,user,application"]).await;
    refused("metric=queries&sparkline=calls", &["p95_ms"]).await;
    refused("metric=timeline&step=second", &["minute", "hour", "day"]).await;
    refused("metric=query&hash=xyz", &["16 hexadecimal digits"]).await;
    refused("metric=query", &["hash"]).await;
    refused("metric=tags", &["key"]).await;
    refused("instance=elsewhere", &["self", "all", "here"]).await;
    refused("service=other", &["jukebox"]).await;
    refused("server=other", &["main"]).await;
    refused("metric=queries&cursor=x", &["cursor"]).await;
}

#[tokio::test]
async fn numbers_and_times_have_bounds() {
    for limit in ["0", "1001", "-1", "1.5", "many", "NaN", "inf", ""] {
        refused(&format!("metric=queries&limit={limit}"), &["1 to 1000"]).await;
    }
    for hours in ["0", "-1", "x", "NaN", "inf", "1e9", ""] {
        refused(&format!("hours={hours}"), &["above 0"]).await;
    }
    for threshold in ["-1", "x", "NaN"] {
        refused(&format!("metric=slow_queries&threshold={threshold}"), &["milliseconds"]).await;
    }
    for time in ["yesterday", "2026-13-01T00:00:00Z", "2026-01-31"] {
        refused(&format!("from={time}"), &["RFC 3339"]).await;
    }
    for time in ["1969-12-31T23:59:59Z", "-009999-01-01T00:00:00Z"] {
        refused(&format!("to={time}"), &["since 1970"]).await;
    }
    refused("from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:00Z", &["before to"]).await;
    refused("from=2026-01-31T13:00:00Z&to=2026-01-31T12:00:00Z", &["2026-01-31T13:00:00Z", "before to"]).await;
    refused("hours=1e-300", &["hours", "microsecond"]).await;
    for cursor in ["-1", "1.5", "99999999999999999999", "50001", ""] {
        refused(&format!("metric=queries&cursor={cursor}"), &["cursor"]).await;
        refused(&format!("metric=slow_queries&cursor={cursor}"), &["cursor"]).await;
        refused(&format!("metric=alerts&cursor={cursor}"), &["cursor"]).await;
    }
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    for value in ["%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80"] {
        refused(&format!("database={value}"), &["database", "UTF-8"]).await;
        refused(&format!("metric=queries&search={value}"), &["search", "UTF-8"]).await;
    }
    let site = site(&busy());
    let long = "x".repeat(25_000);
    for value in ["%C3%9Cmlaut", "%25%27%22%3B--", "%F0%9F%90%98", "", &long] {
        let answer = get(&site, &format!("/api/performance?metric=queries&search={value}&database={value}")).await;
        assert_eq!(answer["total"], 0, "{value}");
    }
}

#[tokio::test]
async fn windows_may_be_long_ago_ahead_or_ten_years() {
    let site = site(&busy());
    for window in
        ["from=1970-01-01T00:00:00Z", "hours=87600", "from=2030-01-01T00:00:00Z", "from=9998-01-01T00:00:00Z&hours=1"]
    {
        for metric in
            ["summary", "queries&sparkline=p95_ms", "timeline&step=day", "slow_queries", "alerts", "tags&key=route"]
        {
            get(&site, &format!("/api/performance?metric={metric}&{window}")).await;
        }
    }
    let ahead = get(&site, "/api/performance?metric=queries&from=2030-01-01T00:00:00Z").await;
    assert_eq!(ahead["total"], 0);
}

#[tokio::test]
async fn lists_are_paged_to_their_end() {
    let site = site(&busy());
    for (metric, list, count) in [("queries", "queries", 3), ("slow_queries", "slow_queries", 2)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = get(&site, &format!("/api/performance?metric={metric}&limit=1{cursor}")).await;
            seen.extend(answer[list].as_array().unwrap().clone());
            let Some(next) = answer["cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let whole = get(&site, &format!("/api/performance?metric={metric}")).await;
        assert_eq!((seen.len(), whole[list].as_array()), (count, Some(&seen)), "{metric}");
        let beyond = get(&site, &format!("/api/performance?metric={metric}&cursor=50000")).await;
        assert_eq!((&beyond[list], &beyond["cursor"]), (&serde_json::json!([]), &serde_json::Value::Null));
    }
}

#[tokio::test]
async fn what_means_nothing_to_the_metric_is_ignored_whatever_its_value() {
    let site = site(&busy());
    for query in [
        "metric=summary&sort=nonsense&group_by=x&hash=x&step=x&key=x&threshold=x&cursor=x&search=x&sparkline=x",
        "metric=active&hours=1&threshold=20&step=x",
        "metric=queries&hash=x&key=&step=x&threshold=x",
    ] {
        get(&site, &format!("/api/performance?{query}")).await;
    }
}

#[tokio::test]
async fn a_window_may_be_given_in_each_way() {
    let site = site(&busy());
    let window = |query: &'static str| {
        let site = site.clone();
        async move { get(&site, &format!("/api/performance?metric=timeline&{query}")).await["window"].clone() }
    };
    assert_eq!(window("").await["hours"], 24.0);
    assert_eq!(window("hours=0.5").await["hours"], 0.5);
    assert_eq!(window("from=2026-01-31T12:00:00Z&to=2026-01-31T15:00:00%2B02:00").await["hours"], 1.0);
    assert_eq!(window("from=2026-01-31T12:00:00Z&hours=2").await["hours"], 2.0);
    assert_eq!(window("to=2026-01-31T12:01:00Z&hours=3").await["to"], "2026-01-31T12:01:00Z");
}

#[tokio::test]
async fn memory_says_from_when_it_knows() {
    let window = get(&site(&busy()), "/api/performance?hours=48").await["window"].clone();
    assert_eq!(window["hours"], 48.0);
    assert_eq!(window["from"], "2026-01-31T12:00:00Z", "the process began then");
    assert_eq!(window["to"], "2026-01-31T12:01:01Z");
}

#[tokio::test]
async fn other_paths_and_methods_are_problems_too() {
    let site = site(&busy());
    for path in ["/api/perf", "/api/performance/", "/api/performance/x", "/api", "/api/alerts/1", "/%00", "/assets/%FF"]
    {
        let answered = ask(&site, path, &[]).await;
        let found = (answered.status, answered.header("content-type"));
        assert_eq!(found, (StatusCode::NOT_FOUND, "application/problem+json"), "{path}");
    }
    let send = async |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(path).body(axum::body::Body::empty()).unwrap();
        site.clone().oneshot(request).await.unwrap()
    };
    for (method, path, allowed) in [
        ("POST", "/api/performance", "GET"),
        ("OPTIONS", "/api/performance", "GET"),
        ("TRACE", "/api/events", "GET"),
        ("DELETE", "/metrics", "GET"),
        ("GET", "/api/alerts/1/ack", "POST"),
        ("PUT", "/api/alerts/1/silence", "POST"),
        ("GET", "/api/session", "POST"),
    ] {
        let response = send(method, path).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(response.headers()["allow"].to_str().unwrap().contains(allowed), "{method} {path}");
    }
    let head = send("HEAD", "/api/performance?metric=queries").await;
    assert_eq!(
        (head.status(), &head.headers()["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    let refused = send("HEAD", "/api/performance?metric=nonsense").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let unknown = send("POST", "/api/alerts/%FF/ack").await;
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
}
