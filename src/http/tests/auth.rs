//! DESIGN §8, the matrix of who may ask; FIELD (g).

use axum::http::StatusCode;

use super::support::{Memory, ask, settings, sources};
use crate::http::router;

const TOKEN: &str = "a-token-of-some-length";
const API: &str = "/api/performance";
const OPEN: [&str; 6] = ["/metrics", "/healthz", "/readyz", "/", "/assets/main.js", "/assets/pages/overview.js"];

async fn status(listen: &str, token: Option<&str>, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let router = router(settings(listen, token), sources(&Memory::new(), Ok(())).0);
    ask(&router, path, headers).await.status
}

#[tokio::test]
async fn on_loopback_nobody_needs_a_token() {
    for listen in
        ["127.0.0.1:7480", "127.9.9.9:7480", "[::1]:7480", "[::ffff:127.0.0.1]:7480", "localhost:7480", "/run/s"]
    {
        for path in OPEN.into_iter().chain([API, "/openapi.json"]) {
            assert_eq!(status(listen, None, path, &[]).await, StatusCode::OK, "{listen}{path}");
        }
    }
}

#[tokio::test]
async fn on_loopback_only_local_host_names_are_answered() {
    for host in
        ["localhost", "localhost:7480", "LOCALHOST:1", "127.0.0.1:7480", "127.8.8.8", "[::1]:7480", "[::1]", "::1"]
    {
        assert_eq!(status("127.0.0.1:7480", None, API, &[("host", host)]).await, StatusCode::OK, "{host}");
    }
    for host in
        ["evil.example", "evil.example:7480", "localhost.evil.example", "10.0.0.1:7480", "[2001:db8::1]:7480", ""]
    {
        for path in [API, "/metrics"] {
            assert_eq!(status("127.0.0.1:7480", None, path, &[("host", host)]).await, StatusCode::FORBIDDEN, "{host}");
        }
    }
    assert_eq!(status("/run/pgvitals.sock", None, API, &[("host", "anything")]).await, StatusCode::OK);
}

#[tokio::test]
async fn elsewhere_metrics_and_health_are_open_and_the_rest_wants_the_token() {
    for listen in ["0.0.0.0:7480", "[::]:7480", "10.1.2.3:7480", "monitor.internal:7480"] {
        for path in OPEN {
            assert_eq!(status(listen, Some(TOKEN), path, &[]).await, StatusCode::OK, "{listen}{path}");
            assert_eq!(status(listen, None, path, &[]).await, StatusCode::OK, "{listen}{path}");
        }
        for path in [API, "/api/events", "/openapi.json", "/nothing"] {
            assert_eq!(status(listen, Some(TOKEN), path, &[]).await, StatusCode::UNAUTHORIZED, "{listen}{path}");
            assert_eq!(status(listen, None, path, &[]).await, StatusCode::UNAUTHORIZED, "{listen}{path}");
        }
    }
}

#[tokio::test]
async fn the_token_counts_whole_and_its_scheme_in_any_case() {
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let sent = format!("{scheme} {TOKEN}");
        assert_eq!(
            status("0.0.0.0:7480", Some(TOKEN), API, &[("authorization", &sent)]).await,
            StatusCode::OK,
            "{sent}"
        );
    }
    for sent in ["Bearer", "Bearer ", "Bearer x", "Basic a-token-of-some-length", "Bearera-token-of-some-length", TOKEN]
    {
        let got = status("0.0.0.0:7480", Some(TOKEN), API, &[("authorization", sent)]).await;
        assert_eq!(got, StatusCode::UNAUTHORIZED, "{sent}");
    }
    let longer = format!("Bearer {TOKEN}x");
    assert_eq!(status("0.0.0.0:1", Some(TOKEN), API, &[("authorization", &longer)]).await, StatusCode::UNAUTHORIZED);
    // An empty token in the settings opens nothing.
    assert_eq!(status("0.0.0.0:1", Some(""), API, &[("authorization", "Bearer ")]).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refusal_says_what_to_set_and_never_the_token() {
    let router_without = router(settings("0.0.0.0:7480", None), sources(&Memory::new(), Ok(())).0);
    let answered = ask(&router_without, API, &[]).await;
    assert_eq!(answered.header("www-authenticate"), "Bearer realm=\"pgvitals\"");
    assert_eq!(answered.header("content-type"), "application/problem+json");
    assert!(answered.text.contains("http_token"), "{}", answered.text);
    let router_with = router(settings("0.0.0.0:7480", Some(TOKEN)), sources(&Memory::new(), Ok(())).0);
    let answered = ask(&router_with, API, &[("authorization", "Bearer wrong")]).await;
    assert_eq!(answered.header("www-authenticate"), "Bearer realm=\"pgvitals\"");
    assert!(!answered.text.contains(TOKEN), "{}", answered.text);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let router = router(settings("127.0.0.1:7480", None), sources(&Memory::new(), Ok(())).0);
    for path in [API, "/metrics", "/healthz", "/nothing", "/api/performance?metric=x", "/assets/nothing"] {
        let answered = ask(&router, path, &[]).await;
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answered.header("cache-control"), "no-store", "{path}");
        assert!(answered.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}
