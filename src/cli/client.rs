//! Asks a running pgvitals over HTTP: one request a connection.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

use crate::base::secret::Secret;
use crate::runtime::listen::Address;

const TIMEOUT: Duration = Duration::from_secs(5);
/// An answer of 1,000 statements stays far below it.
const ANSWER_MAX: u64 = 64 << 20;
/// So is an event.
const LINE_MAX: u64 = 1 << 20;
/// A stream of events that is silent for longer is dead: it says that it is alive every 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);

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
        answer.with_context(|| format!("can't ask pgvitals at http://{address}"))
    }

    /// The JSON that `GET path` answers with.
    pub(super) async fn json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.get(path).await?;
        if answer.status != 200 {
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let detail = problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or("no detail");
            let (path, hint) = match (answer.status, &self.token) {
                (401, None) => ("", "; give it to this command: --http-token-file FILE, or PGVITALS_HTTP_TOKEN"),
                (401, Some(_)) => ("", "; look at --http-token-file and PGVITALS_HTTP_TOKEN of this command"),
                _ => (path, ""),
            };
            bail!("http://{}{path} answered {}: {detail}{hint}", self.address, answer.status);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("http://{}{path}", self.address))
    }

    /// Follows `GET path`, a stream of server-sent events: `take` gets the data of each `event`. Returns when the stream ends.
    pub(super) async fn follow(&self, path: &str, event: &str, mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
        let mut stream = BufReader::new(tokio::time::timeout(TIMEOUT, self.begin(path)).await??);
        let status = line(&mut stream).await?;
        if status.as_deref().and_then(|line| line.split(|b| *b == b' ').nth(1)) != Some(b"200") {
            bail!("http://{}{path}: no stream of events", self.address);
        }
        let (mut name, mut data) = (Vec::new(), Vec::new());
        while let Some(line) = line(&mut stream).await? {
            if let Some(value) = field(&line, b"event:") {
                name = value.to_vec();
            } else if let Some(value) = field(&line, b"data:") {
                data = value.to_vec();
            } else if line.is_empty() {
                if name == event.as_bytes() {
                    take(&data);
                }
                (name, data) = (Vec::new(), Vec::new());
            }
        }
        Ok(())
    }

    async fn exchange(&self, path: &str) -> anyhow::Result<Answer> {
        let mut bytes = Vec::new();
        self.begin(path).await?.take(ANSWER_MAX).read_to_end(&mut bytes).await?;
        split(&bytes).context("not an HTTP answer")
    }

    /// Connects and asks. HTTP/1.0: the answer ends with the connection and is never chunked.
    async fn begin(&self, path: &str) -> std::io::Result<Box<dyn Stream>> {
        let mut stream: Box<dyn Stream> = match &self.address {
            Address::Tcp { host, port } => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
            Address::Unix(file) => Box::new(UnixStream::connect(file).await?),
        };
        let token = self.token.as_ref();
        let authorization =
            token.map(|token| format!("Authorization: Bearer {}\r\n", token.expose())).unwrap_or_default();
        let host = match &self.address {
            Address::Tcp { .. } => self.address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await?;
        Ok(stream)
    }
}

/// Whom it asks.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address)
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The next line without its end; `None` behind the last one.
async fn line(stream: &mut BufReader<Box<dyn Stream>>) -> anyhow::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut limited = stream.take(LINE_MAX);
    let read = limited.read_until(b'\n', &mut line);
    let read = tokio::time::timeout(SILENCE, read).await.context("a stream of events fell silent")??;
    if read as u64 == LINE_MAX {
        bail!("an event is longer than {LINE_MAX} bytes");
    }
    Ok((read > 0).then(|| line.trim_ascii_end().to_vec()))
}

/// The value of a line of an event.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(name).map(<[u8]>::trim_ascii_start)
}

fn split(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at_checked(end)?;
    let status = std::str::from_utf8(head).ok()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.get(4..)?.to_vec() })
}

/// An error with what to do, where it is that nobody answers.
pub(super) fn advised(error: anyhow::Error) -> anyhow::Error {
    let is_silence = error.root_cause().is::<std::io::Error>();
    if is_silence { anyhow!("{error:#}; does it run there, or elsewhere (--http)?") } else { error }
}

/// A runtime for commands that ask something and end.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
