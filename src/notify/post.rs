//! `POST` over HTTP/1.1, for channels that are URLs. `hyper` alone, which the API is served by already: one request a
//! connection, no redirect followed (a URL that is a secret would go to whoever answers), answers read up to a limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::error::Failure;
use super::wording::{clean, shortened};
use crate::base::units::Nanos;

/// A request and its answer may take so long.
const LIMIT: Duration = Duration::from_secs(10);

/// An answer is read so far.
const ANSWER_BYTES_MAX: usize = 4_096;

/// And shown so far.
const ANSWER_MAX: usize = 120;

/// How requests are made.
pub(super) struct Post {
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

impl Post {
    /// With TLS where the URL says `https`.
    pub(super) fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls: tls.map(TlsConnector::from) }
    }

    /// Hands JSON to whoever is at `url`; nothing that is told of a failure names more of it than its host.
    pub(super) async fn json(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        match tokio::time::timeout(LIMIT, self.request(url, headers, body)).await {
            Ok(Ok(answer)) => answer.verdict(host),
            Ok(Err(error)) => Err(Failure::Unreachable(format!("{host}: {error}"))),
            Err(_) => Err(Failure::Unreachable(format!("{host}: no answer within {LIMIT:?}"))),
        }
    }

    async fn request(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, Unanswered> {
        let host = url.host_str().ok_or(Unanswered::Url)?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().ok_or(Unanswered::Url)?;
        let authority = url.port().map_or_else(|| host_of(url), |port| format!("{}:{port}", host_of(url)));
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let mut request = Request::post(target)
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("pgvitals/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| Unanswered::Url)?;
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        if url.scheme() == "https" {
            let name = ServerName::try_from(host).map_err(|_| Unanswered::Url)?;
            let tls = self.tls.as_ref().ok_or(Unanswered::Url)?;
            exchange(tls.connect(name, stream).await?, request).await
        } else {
            exchange(stream, request).await
        }
    }
}

/// As it stands in a URL, an IPv6 address in brackets.
fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Unanswered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchanged = async {
        let response = sender.send_request(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        // What is longer is not worth knowing.
        let said = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Answer { status, retry_after: retry_after(&headers), said: String::from_utf8_lossy(&said).into_owned() })
    };
    // The connection moves the bytes; when it ends without an answer, the exchange says so.
    tokio::pin!(exchanged);
    tokio::select! {
        answer = &mut exchanged => answer,
        _ = connection => exchanged.await,
    }
}

/// What a receiver said.
struct Answer {
    status: StatusCode,
    retry_after: Option<Nanos>,
    said: String,
}

impl Answer {
    fn verdict(self, host: &str) -> Result<(), Failure> {
        if self.status.is_success() {
            return Ok(());
        }
        let what = format!("{host}: {} {}", self.status, shortened(&clean(self.said.trim()), ANSWER_MAX));
        let is_busy = self.status.is_server_error()
            || matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        Err(if is_busy { Failure::Busy { what, retry_after: self.retry_after } } else { Failure::Refused(what) })
    }
}

/// In seconds; dates are not understood, and then our own pause holds.
fn retry_after(headers: &HeaderMap) -> Option<Nanos> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Nanos::from_millis(seconds.saturating_mul(1_000)))
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the URL can't be used")]
    Url,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
}
