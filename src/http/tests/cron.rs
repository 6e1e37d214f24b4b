//! The cron endpoints' door, and answers before anybody looked at a server.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tower::ServiceExt;

use super::support::{Memory, ask, get, settings, site, sources};
use crate::base::secret::Secret;
use crate::http::router;

const SECRET: &str = "a-secret-of-some-length";
const JOBS: [&str; 2] = ["/api/cron/hourly-monitoring", "/api/cron/daily-maintenance"];

fn guarded(listen: &str) -> axum::Router {
    let mut settings = settings(listen, Some("a-token-of-some-length"));
    settings.cron_secret = Some(Secret::new(SECRET.to_owned()));
    router(settings, sources(&Memory::new(), Ok(())).0)
}

#[tokio::test]
async fn without_a_secret_nobody_starts_a_job_and_is_told_why() {
    for path in JOBS {
        let answered = ask(&site(&Memory::new()), path, &[("authorization", "Bearer anything")]).await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN);
        assert!(answered.text.contains("CRON_SECRET is not set"), "{}", answered.text);
    }
}

/// Wherever it is bound, whatever `Host` a scheduler's proxy sends, and with the API's token as little as without any.
#[tokio::test]
async fn the_secret_is_wanted_everywhere_and_nothing_else() {
    for listen in ["127.0.0.1:7480", "0.0.0.0:7480"] {
        let router = guarded(listen);
        for path in JOBS {
            for wrong in
                ["", "Bearer", "Bearer nonsense", "Bearer a-token-of-some-length", "Basic a-secret-of-some-length"]
            {
                let answered = ask(&router, path, &[("authorization", wrong)]).await;
                assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{listen}{path} {wrong}");
                assert!(answered.header("www-authenticate").starts_with("Bearer"), "{wrong}");
            }
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let headers = [("authorization", &*format!("{scheme} {SECRET}")), ("host", "jobs.example")];
                let answered = ask(&router, path, &headers).await;
                // Let in, and there is nothing to do.
                assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE, "{listen}{path} {}", answered.text);
            }
        }
        let api = ask(&router, "/api/performance", &[("authorization", &format!("Bearer {SECRET}"))]).await;
        assert_eq!(api.status == StatusCode::OK, listen.starts_with("127"), "it opens nothing else");
    }
}

#[tokio::test]
async fn what_would_have_to_be_set_is_said() {
    let router = guarded("127.0.0.1:7480");
    let bearer = format!("Bearer {SECRET}");
    for (path, key) in [(JOBS[0], "monitor.url"), (JOBS[1], "store.url")] {
        let answered = ask(&router, path, &[("authorization", &bearer)]).await.json();
        assert_eq!(answered["type"], "urn:pgvitals:problem:not-configured");
        assert!(answered["detail"].as_str().unwrap().contains(key), "{answered}");
    }
    for metric in ["indexes", "bloat", "capacity", "recommendations", "coverage", "index&database=a&schema=b&name=c"] {
        let answered = ask(&router, &format!("/api/performance?metric={metric}"), &[]).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answered.text.contains("monitor.url"), "{}", answered.text);
    }
    let summary = get(&router, "/api/performance").await;
    assert!(summary["bloat"].is_null() && summary["indexes"].is_null(), "{summary}");
}

#[tokio::test]
async fn parameters_of_jobs_are_checked() {
    let (router, bearer) = (guarded("127.0.0.1:7480"), format!("Bearer {SECRET}"));
    for (query, said) in
        [("force=maybe", "0, 1"), ("again=1", "force"), ("force=0&force=1", "given twice"), ("force=", "0, 1")]
    {
        let answered = ask(&router, &format!("{}?{query}", JOBS[0]), &[("authorization", &bearer)]).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST);
        assert!(answered.text.contains(said), "{}", answered.text);
    }
}

/// "requesting a safe method … is not expected to … cause any … loss of property, or unusual burden" (RFC 9110 §9.2.1)
#[tokio::test]
async fn asking_for_the_head_starts_nothing_and_who_asks_is_told_how_to() {
    for path in JOBS {
        for method in [Method::HEAD, Method::DELETE] {
            let request =
                Request::builder().method(method).uri(path).header("authorization", format!("Bearer {SECRET}"));
            let answered = guarded("127.0.0.1:7480").oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answered.status(), StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(answered.headers()["allow"], "GET,POST");
        }
    }
}
