//! Asks a running pgvitals over HTTP: one request a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::base::secret::Secret;
use crate::runtime::listen::Address;

const TIMEOUT: Duration = Duration::from_secs(5);
/// An answer of 1,000 statements stays far below it.
const ANSWER_MAX: u64 = 64 << 20;

/// Where to ask, and the token to show there.
#[derive(Debug)]
pub(super) struct Client {
    address: Address,
    token: Option<Secret<String>>,
}

/// A status and a body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// Asks the process that listens on `listen`; one that listens everywhere is asked over loopback.
    pub(super) fn new(listen: &Address, token: Option<Secret<String>>) -> Self {
        let mut address = listen.clone();
        if let Address::Tcp { host, .. } = &mut address {
            match host.parse() {
                Ok(IpAddr::V4(ip)) if ip.is_unspecified() => *host = Ipv4Addr::LOCALHOST.to_string(),
                Ok(IpAddr::V6(ip)) if ip.is_unspecified() => *host = Ipv6Addr::LOCALHOST.to_string(),
                _ => {}
            }
        }
        Self { address, token }
    }

    /// The answer to `GET path`, whatever its status.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let address = &self.address;
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(path)).await;
        let answer = answer.with_context(|| format!("no answer from http://{address} within {TIMEOUT:?}"))?;
        answer.with_context(|| format!("can't ask pgvitals at http://{address}{path}"))
    }

    /// The JSON that `GET path` answers with.
    pub(super) async fn json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.get(path).await?;
        if answer.status != 200 {
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let detail = problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or("no detail");
            bail!("http://{}{path} answered {}: {detail}", self.address, answer.status);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("http://{}{path}", self.address))
    }

    async fn exchange(&self, path: &str) -> anyhow::Result<Answer> {
        match &self.address {
            Address::Tcp { host, port } => self.ask(TcpStream::connect((host.as_str(), *port)).await?, path).await,
            Address::Unix(file) => self.ask(UnixStream::connect(file).await?, path).await,
        }
    }

    /// HTTP/1.0: the answer ends with the connection and is never chunked.
    async fn ask(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> anyhow::Result<Answer> {
        let token = self.token.as_ref();
        let authorization =
            token.map(|token| format!("Authorization: Bearer {}\r\n", token.expose())).unwrap_or_default();
        let host = match &self.address {
            Address::Tcp { .. } => self.address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_MAX).read_to_end(&mut bytes).await?;
        split(&bytes).context("not an HTTP answer")
    }
}

fn split(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at_checked(end)?;
    let status = std::str::from_utf8(head).ok()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.get(4..)?.to_vec() })
}

/// A runtime for commands that ask something and end.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
