//! Who may ask (DESIGN §8). Bound to loopback: everybody on the machine, but the `Host` header has to be ours, or a web
//! page could rebind its name to 127.0.0.1 and read along. Bound elsewhere: the API wants the token.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Settings;
use super::app::App;
use super::problem::{Kind, Problem};
use super::session;
use crate::runtime::listen::Address;

/// What is below wants `CRON_SECRET`, wherever the listener is bound, and nothing else.
pub(super) const CRON_PATHS: &str = "/api/cron/";

/// Paths that need no token wherever the listener is bound.
pub(super) const OPEN_PATHS: [&str; 5] = ["/", "/metrics", "/healthz", "/readyz", session::PATH];

/// So are the dashboard's files, which hold no figures.
const OPEN_BELOW: &str = "/assets/";

/// Lets a request through, or answers why not; adds the headers that every answer carries.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match permit(&app.settings, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // The dashboard's files have their own of these.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ));
    response
}

/// Says in the log what the rules come to, once, at start.
pub(super) fn announce(settings: &Settings) {
    if !is_local(&settings.listen) && settings.token.is_none() {
        tracing::warn!(
            listen = %settings.listen,
            "the HTTP side is not bound to loopback and http_token is not set: the API answers 401"
        );
    }
}

fn permit(settings: &Settings, request: &Request) -> Result<(), Problem> {
    let (path, headers) = (request.uri().path(), request.headers());
    if path.starts_with(CRON_PATHS) {
        return permit_cron(settings, headers);
    }
    if !request.method().is_safe() {
        own_origin(headers)?;
    }
    if is_local(&settings.listen) {
        return own_host(&settings.listen, headers);
    }
    if OPEN_PATHS.contains(&path) || path.starts_with(OPEN_BELOW) {
        return Ok(());
    }
    let Some(token) = &settings.token else {
        return Err(Problem::new(
            Kind::Unauthorized,
            "pgvitals is not bound to loopback and has no token: set http_token (PGVITALS_HTTP_TOKEN) and send it as \
             \"Authorization: Bearer …\", or bind http to 127.0.0.1",
        ));
    };
    match bearer(headers) {
        Some(candidate) if token.matches(candidate) => Ok(()),
        Some(_) => Err(Problem::new(Kind::Unauthorized, "the token is not http_token")),
        None if session::is_signed_in(token, headers) => Ok(()),
        None => Err(Problem::new(Kind::Unauthorized, "send http_token as \"Authorization: Bearer …\"")),
    }
}

/// No page that rebinds its name knows the secret, so `Host` may be anybody's: schedulers come by way of proxies.
fn permit_cron(settings: &Settings, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(secret) = &settings.cron_secret else {
        return Err(Problem::new(
            Kind::CronClosed,
            "CRON_SECRET is not set: set it (or cron_secret_file) and send it as \"Authorization: Bearer …\"",
        ));
    };
    match bearer(headers) {
        Some(candidate) if secret.matches(candidate) => Ok(()),
        Some(_) => Err(Problem::new(Kind::Unauthorized, "the token is not CRON_SECRET")),
        None => Err(Problem::new(Kind::Unauthorized, "send CRON_SECRET as \"Authorization: Bearer …\"")),
    }
}

/// The token of `Authorization: Bearer`; the scheme in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked("bearer".len())?;
    let token = token.strip_prefix(b" ")?.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer") && !token.is_empty()).then_some(token)
}

/// Reachable from this machine alone: a Unix socket, a loopback address, or the name that means one.
fn is_local(listen: &Address) -> bool {
    match listen {
        Address::Unix(_) => true,
        Address::Tcp { host, .. } => is_loopback(host),
    }
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

/// Browsers can't open Unix sockets, and always send the header: without it, it is a probe or HTTP/1.0.
fn own_host(listen: &Address, headers: &HeaderMap) -> Result<(), Problem> {
    let (Some(host), Address::Tcp { host: bound, .. }) = (headers.get(header::HOST), listen) else { return Ok(()) };
    let name = host.to_str().map(host_name).unwrap_or_default();
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if is_loopback(name) || name == bound {
        return Ok(());
    }
    Err(Problem::new(
        Kind::ForeignHost,
        format!("bound to loopback, pgvitals answers to the hosts localhost, 127.0.0.0/8, [::1] and {bound} alone"),
    ))
}

/// A browser tells whose page changes something; programs don't send the header.
fn own_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
    if host.is_some() && host == headers.get(header::HOST).map(HeaderValue::as_bytes) {
        return Ok(());
    }
    Err(Problem::new(Kind::ForeignOrigin, "the request comes from a page of another site"))
}

/// The host without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && host.parse::<Ipv6Addr>().is_err() => name,
        _ => host,
    }
}
