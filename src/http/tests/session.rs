//! DESIGN §8: `http_token` as "the sign-in cookie".

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use tower::ServiceExt;

use super::support::{Memory, ask, settings, sources};
use crate::http::router;

const TOKEN: &str = "a-token-of-some-length";
const API: &str = "/api/performance";

fn site(token: Option<&str>) -> Router {
    router(settings("0.0.0.0:7480", token), sources(&Memory::new(), Ok(())).0)
}

async fn session(router: &Router, method: Method, body: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::builder().method(method).uri("/api/session").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

async fn sign_in(router: &Router, token: &str) -> Response {
    session(router, Method::POST, &format!("{{\"token\":\"{token}\"}}"), &[]).await
}

fn set_cookie(response: &Response) -> &str {
    response.headers().get("set-cookie").map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn who_signs_in_may_ask_with_a_cookie_that_is_not_the_token() {
    let router = site(Some(TOKEN));
    let response = sign_in(&router, TOKEN).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let (cookie, rest) = set_cookie(&response).split_once(';').unwrap();
    assert_eq!(rest, " Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let among_others = format!("theme=dark; {cookie}; x=y");
    for path in [API, "/api/events", "/openapi.json"] {
        assert_eq!(ask(&router, path, &[("cookie", cookie)]).await.status, StatusCode::OK, "{path}");
        assert_eq!(ask(&router, path, &[("cookie", &among_others)]).await.status, StatusCode::OK, "{path}");
    }
    // A token that is sent counts, whatever cookie comes along.
    let both = [("cookie", cookie), ("authorization", "Bearer wrong")];
    assert_eq!(ask(&router, API, &both).await.status, StatusCode::UNAUTHORIZED);
    // The cookie ends with the token, and is worth nothing where another one is set.
    let other = site(Some("another-token-of-some-length"));
    assert_eq!(ask(&other, API, &[("cookie", cookie)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_token_and_other_cookies_open_nothing() {
    let router = site(Some(TOKEN));
    for wrong in ["", "x", "a-token-of-some-lengtH", "a-token-of-some-length "] {
        let response = sign_in(&router, wrong).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert_eq!(set_cookie(&response), "");
    }
    for body in ["", "{}", "{\"token\":1}", "{\"token\":\"x\",\"more\":1}", "token=x"] {
        assert_eq!(session(&router, Method::POST, body, &[]).await.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    for cookie in ["", "pgvitals_session=", "pgvitals_session=x", &format!("pgvitals_session={TOKEN}"), TOKEN] {
        assert_eq!(ask(&router, API, &[("cookie", cookie)]).await.status, StatusCode::UNAUTHORIZED, "{cookie}");
    }
}

#[tokio::test]
async fn without_a_token_nobody_signs_in() {
    assert_eq!(sign_in(&site(None), "x").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&site(Some("")), "").await.status(), StatusCode::UNAUTHORIZED);
    let cookie = set_cookie(&sign_in(&site(Some("x")), "x").await).split(';').next().unwrap().to_owned();
    assert_eq!(ask(&site(Some("")), API, &[("cookie", &cookie)]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_and_tls_in_front_makes_it_secure() {
    let router = site(Some(TOKEN));
    let response = session(&router, Method::DELETE, "", &[]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(set_cookie(&response).starts_with("pgvitals_session=; Path=/; Max-Age=0;"), "{}", set_cookie(&response));
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    let response = session(&router, Method::POST, &body, &[("x-forwarded-proto", "https")]).await;
    assert!(set_cookie(&response).ends_with("; Secure"), "{}", set_cookie(&response));
}

#[tokio::test]
async fn a_page_of_another_site_signs_nobody_in_or_out() {
    let router = site(Some(TOKEN));
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    for (origin, host, allowed) in [
        ("http://evil.example", "db.example:7480", false),
        ("null", "db.example:7480", false),
        ("http://db.example:3000", "db.example:7480", false),
        ("https://db.example:7480", "db.example:7480", true),
    ] {
        let headers = [("origin", origin), ("host", host)];
        for method in [Method::POST, Method::DELETE] {
            let status = session(&router, method, &body, &headers).await.status();
            assert_eq!(status.as_u16(), if allowed { 204 } else { 403 }, "{origin}");
        }
    }
}
