//! How a browser signs in: `POST /api/session` takes the token and sets a cookie that scripts can't read and other sites
//! can't send. It holds a hash of the token, so that it ends when the token changes, and outlives a restart.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::app::App;
use super::problem::{Kind, Problem};
use crate::base::secret::Secret;

/// Where one signs in and out.
pub(super) const PATH: &str = "/api/session";

pub(super) const COOKIE: &str = "pgvitals_session";
const MAX_AGE_SECONDS: u32 = 30 * 86_400;

/// What signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// `http_token`.
    token: String,
}

/// Signs in: the answer sets a cookie that stands for the token.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = SignIn, responses(
    (status = 204, description = "Signed in"),
))]
pub(super) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1]), Problem> {
    let Json(SignIn { token: candidate }) =
        body.map_err(|rejection| Problem::new(Kind::BadBody, rejection.body_text()))?;
    let Some(token) = &app.settings.token else {
        return Err(Problem::new(Kind::Unauthorized, "there is no token to sign in with: http_token is not set"));
    };
    if candidate.is_empty() || !token.matches(candidate.as_bytes()) {
        return Err(Problem::new(Kind::Unauthorized, "the token is not http_token"));
    }
    Ok((StatusCode::NO_CONTENT, [cookie(&value(token), MAX_AGE_SECONDS, &headers)]))
}

/// Signs out: the answer takes the cookie away.
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204, description = "Signed out")))]
pub(super) async fn sign_out(headers: HeaderMap) -> (StatusCode, [(HeaderName, HeaderValue); 1]) {
    (StatusCode::NO_CONTENT, [cookie("", 0, &headers)])
}

/// Whether a request carries the cookie of this token; compared in constant time.
pub(super) fn is_signed_in(token: &Secret<String>, headers: &HeaderMap) -> bool {
    // An empty token in the settings opens nothing.
    if token.expose().is_empty() {
        return false;
    }
    let expected = Secret::new(value(token));
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(name, value)| name == COOKIE && expected.matches(value.as_bytes()))
}

/// Nobody gets from it to the token, if that can't be guessed.
fn value(token: &Secret<String>) -> String {
    let hash = Sha256::new().chain_update(b"pgvitals session\0").chain_update(token.expose()).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `Secure` where a proxy in front says that the browser speaks TLS with it.
fn cookie(value: &str, max_age_seconds: u32, headers: &HeaderMap) -> (HeaderName, HeaderValue) {
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if is_tls { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}");
    // It is made of digits and letters alone.
    (header::SET_COOKIE, HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("")))
}
