//! Connecting to the server: every address that the setting means now, in order, within one time limit, TLS included.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use super::error::Error;
use super::socket::Socket;
use super::tls::secured::Secured;
use super::tls::start::{self, Failure};
use crate::base::telemetry::{Telemetry, TlsStartup};
use crate::runtime::clock;
use crate::runtime::listen::Address;
use crate::runtime::timers::Timers;
use crate::tls::settings::UpstreamMode;
use crate::tls::store::Connector;
use crate::wire::reply::SSL_REQUEST;

/// One address of a server: where a session is connected to, and where a request to cancel has to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Tcp {
        at: SocketAddr,
        /// As the setting has it: what its certificate should name.
        host: Arc<str>,
    },
    Unix(PathBuf),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp { at, .. } => at.fmt(f),
            Peer::Unix(path) => path.display().fmt(f),
        }
    }
}

impl Peer {
    /// Connects, without a word.
    async fn connect(&self) -> io::Result<Socket> {
        match self {
            Peer::Tcp { at, .. } => Socket::tcp(TcpStream::connect(at).await?),
            Peer::Unix(path) => Ok(Socket::unix(UnixStream::connect(path).await?)),
        }
    }
}

/// A connection to a server on which nothing of a session was said.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    /// What the TLS handshake left, if there was one: to be put on the socket.
    pub(crate) secured: Option<Secured>,
}

/// Why a peer could not be connected to.
#[derive(thiserror::Error, Debug)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Connect(#[from] io::Error),
    #[error(transparent)]
    Tls(Failure),
}

/// How a route's server is connected to.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    pub(crate) timers: Timers,
    pub(crate) telemetry: Arc<Telemetry>,
    /// `None`: without TLS.
    pub(crate) tls: Option<Arc<Connector>>,
}

impl Dialer {
    /// Connects to the first peer that accepts, TLS included.
    pub(crate) async fn connect(&self, addresses: &[Address], limit: Duration) -> Result<Opened, Error> {
        first(&self.timers, addresses, limit, |peer| self.open(peer)).await
    }

    /// Connects to one peer, and begins TLS as the settings want it.
    pub(crate) async fn open(&self, peer: Peer) -> Result<Opened, OpenError> {
        let socket = peer.connect().await?;
        let (Some(connector), Peer::Tcp { host, .. }) = (&self.tls, &peer) else {
            return Ok(Opened { socket, peer, secured: None });
        };
        let started = begin(&socket, connector, host).await;
        self.telemetry.upstream_tls(match &started {
            Ok(_) => TlsStartup::Completed,
            Err(failure) => failure.outcome(),
        });
        match started {
            Ok(secured) => Ok(Opened { socket, peer, secured: Some(secured) }),
            Err(failure) if connector.mode > UpstreamMode::Prefer => Err(OpenError::Tls(failure)),
            // The server has said no, and waits for what comes instead.
            Err(Failure::Declined) => Ok(Opened { socket, peer, secured: None }),
            Err(failure) => {
                tracing::debug!(%peer, %failure, "no TLS to the server; going on without");
                Ok(Opened { socket: peer.connect().await?, peer, secured: None })
            }
        }
    }
}

/// Whether any peer accepts a bare connection; for whoever only wants to know that.
pub(crate) async fn reach(timers: &Timers, addresses: &[Address], limit: Duration) -> Result<(), Error> {
    first(timers, addresses, limit, |peer| async move { peer.connect().await.map(drop).map_err(OpenError::from) }).await
}

/// What `open` makes of the first peer with which it succeeds. Each gets an equal share of the time that is left.
async fn first<T, F: Future<Output = Result<T, OpenError>>>(
    timers: &Timers,
    addresses: &[Address],
    limit: Duration,
    open: impl Fn(Peer) -> F,
) -> Result<T, Error> {
    let deadline = clock::deadline(limit);
    let mut failures = Vec::new();
    let resolved = resolve(addresses, |failure| failures.push(failure));
    let peers = timers.timeout(limit, resolved).await.unwrap_or_default();
    let count = u32::try_from(peers.len()).unwrap_or(u32::MAX);
    for (peer, left) in peers.into_iter().zip((1..=count).rev()) {
        let share = clock::left(deadline) / left;
        let name = peer.to_string();
        match timers.timeout(share, open(peer)).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(_) => failures.push(format!("{name}: no answer in {:.1} s", share.as_secs_f64())),
        }
    }
    if failures.is_empty() {
        failures.push(format!("no name resolved in {:.1} s", limit.as_secs_f64()));
    }
    Err(Error::Unreachable(failures.join("; ")))
}

/// Asks for TLS, unless it begins at once, and does the handshake.
async fn begin(socket: &Socket, connector: &Connector, host: &str) -> Result<Secured, Failure> {
    if connector.direct {
        return start::with_protocol(start::connect(socket, connector, host).await?);
    }
    socket.write_all(SSL_REQUEST).await?;
    let mut answer = [0];
    socket.read_exact(&mut answer).await?;
    match answer {
        [b'S'] if socket.has_more() => Err(Failure::EarlyBytes),
        [b'S'] => start::connect(socket, connector, host).await,
        [b'N'] => Err(Failure::Declined),
        [other] => Err(Failure::Answer(other)),
    }
}

/// Every peer that `addresses` mean now; names that don't resolve are told to `failed`.
pub(crate) async fn resolve(addresses: &[Address], mut failed: impl FnMut(String)) -> Vec<Peer> {
    let mut peers = Vec::new();
    for address in addresses {
        match address {
            Address::Unix(path) => peers.push(Peer::Unix(path.clone())),
            Address::Tcp { host, .. } => match address.resolve().await {
                Ok(found) => {
                    let host: Arc<str> = host.as_str().into();
                    peers.extend(found.into_iter().map(|at| Peer::Tcp { at, host: Arc::clone(&host) }));
                }
                Err(error) => failed(format!("{address}: {error}")),
            },
        }
    }
    peers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer() -> Dialer {
        Dialer { timers: Timers::current(), telemetry: Arc::default(), tls: None }
    }

    #[tokio::test]
    async fn each_address_is_tried_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let addresses = [Address::Unix(directory.path().join("nobody")), Address::from(at)];
        let opened = dialer().connect(&addresses, Duration::from_secs(5)).await.unwrap();
        assert_eq!(opened.peer, Peer::Tcp { at, host: "127.0.0.1".into() });
    }

    #[tokio::test]
    async fn a_failure_names_every_address_and_its_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nobody");
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let addresses = [Address::Unix(path.clone()), Address::from(free)];
        let error = dialer().connect(&addresses, Duration::from_secs(5)).await.unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains(&free.to_string()), "{error}");
    }
}
