//! Connecting to the server: every address that the setting means now, in order, within one time limit.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use super::error::Error;
use super::socket::Socket;
use crate::runtime::clock;
use crate::runtime::listen::Address;
use crate::runtime::timers::Timers;

/// One address of a server: where a session is connected to, and where a request to cancel has to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix(path) => path.display().fmt(f),
        }
    }
}

impl Peer {
    /// Connects, without a word.
    pub(crate) async fn connect(&self) -> io::Result<Socket> {
        match self {
            Peer::Tcp(address) => Socket::tcp(TcpStream::connect(address).await?),
            Peer::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path).await?)),
        }
    }
}

/// Every peer that `addresses` mean now; names that don't resolve are told to `failed`.
pub(crate) async fn resolve(addresses: &[Address], mut failed: impl FnMut(String)) -> Vec<Peer> {
    let mut peers = Vec::new();
    for address in addresses {
        match address {
            Address::Unix(path) => peers.push(Peer::Unix(path.clone())),
            Address::Tcp { .. } => match address.resolve().await {
                Ok(found) => peers.extend(found.into_iter().map(Peer::Tcp)),
                Err(error) => failed(format!("{address}: {error}")),
            },
        }
    }
    peers
}

/// Connects to the first peer that accepts. Each gets an equal share of the time that is left.
pub(crate) async fn connect(timers: &Timers, addresses: &[Address], limit: Duration) -> Result<(Socket, Peer), Error> {
    let deadline = clock::deadline(limit);
    let mut failures = Vec::new();
    let peers = timers.timeout(limit, resolve(addresses, |failure| failures.push(failure))).await.unwrap_or_default();
    let count = u32::try_from(peers.len()).unwrap_or(u32::MAX);
    for (peer, left) in peers.into_iter().zip((1..=count).rev()) {
        let share = clock::left(deadline) / left;
        match timers.timeout(share, peer.connect()).await {
            Ok(Ok(socket)) => return Ok((socket, peer)),
            Ok(Err(error)) => failures.push(format!("{peer}: {error}")),
            Err(_) => failures.push(format!("{peer}: no answer in {share:.1?}")),
        }
    }
    if failures.is_empty() {
        failures.push(format!("no name resolved in {limit:.1?}"));
    }
    Err(Error::Unreachable(failures.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_address_is_tried_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let addresses = [Address::Unix(directory.path().join("nobody")), Address::from(at)];
        let (_socket, peer) = connect(&Timers::current(), &addresses, Duration::from_secs(5)).await.unwrap();
        assert_eq!(peer, Peer::Tcp(at));
    }

    #[tokio::test]
    async fn a_failure_names_every_address_and_its_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nobody");
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let addresses = [Address::Unix(path.clone()), Address::from(free)];
        let error = connect(&Timers::current(), &addresses, Duration::from_secs(5)).await.unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains(&free.to_string()), "{error}");
    }
}
