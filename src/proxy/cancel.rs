//! CancelRequest: to the very address that the session is connected to (PROTOCOL §1).

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use super::socket::Socket;
use super::upstream::{self, Peer};
use crate::runtime::listen::Address;
use crate::runtime::timers::Timers;

/// How long the server may take to close; then the client's connection is closed all the same.
const LIMIT: Duration = Duration::from_secs(5);
/// How many addresses are asked about a key that nobody here has registered.
const PEERS_MAX: usize = 4;

/// A route's number, and a session's key as BackendKeyData brought it.
type Key = (usize, Box<[u8]>);

/// Who is connected where, by key. Shared by all workers; touched when sessions begin and end, never by statements.
#[derive(Debug, Default)]
pub(crate) struct Registry(DashMap<Key, Peer>);

/// A session's entry in the registry; goes with the session.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Arc<Registry>,
    key: Key,
}

impl Registry {
    /// Remembers that the session with this key is connected to `peer`.
    pub(crate) fn register(self: &Arc<Self>, route: usize, key: &[u8], peer: Peer) -> Registered {
        let key = (route, Box::from(key));
        self.0.insert(key.clone(), peer);
        Registered { registry: Arc::clone(self), key }
    }

    fn find(&self, route: usize, key: &[u8]) -> Option<Peer> {
        self.0.get(&(route, Box::from(key))).map(|peer| peer.clone())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.0.remove(&self.key);
    }
}

/// Sends `packet`, whose key is `key`, where it belongs, and returns once the server has taken it or [`LIMIT`] passed.
///
/// The caller closes the client's connection then: clients take that for the proof that the request arrived.
pub(crate) async fn forward(
    registry: &Registry,
    timers: &Timers,
    route: usize,
    addresses: &[Address],
    packet: &[u8],
    key: &[u8],
) {
    let deliver = async {
        let peers = match registry.find(route, key) {
            Some(peer) => vec![peer],
            None => upstream::resolve(addresses, |failure| tracing::debug!(failure, "cancel: not resolved")).await,
        };
        let packet: Arc<[u8]> = packet.into();
        let deliveries: Vec<_> = peers
            .into_iter()
            .take(PEERS_MAX)
            .map(|peer| tokio::task::spawn_local(deliver(timers.clone(), peer, Arc::clone(&packet))))
            .collect();
        for delivery in deliveries {
            // A delivery that panicked is over, too.
            drop(delivery.await);
        }
    };
    if timers.timeout(LIMIT, deliver).await.is_err() {
        tracing::debug!("cancel: the server did not close in time");
    }
}

async fn deliver(timers: Timers, peer: Peer, packet: Arc<[u8]>) {
    let sent = async {
        let socket: Socket = peer.connect().await?;
        socket.write_all(&packet).await?;
        // The server answers nothing; it closes.
        socket.read_exact(&mut [0]).await
    };
    match timers.timeout(LIMIT, sent).await {
        Ok(Err(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            tracing::debug!(%peer, %error, "cancel: not delivered");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::task::LocalSet;

    use super::*;

    #[test]
    fn an_entry_goes_with_its_session() {
        let registry = Arc::new(Registry::default());
        let peer = Peer::Unix("/s".into());
        let entry = registry.register(1, b"key", peer.clone());
        assert_eq!(registry.find(1, b"key"), Some(peer));
        assert_eq!(registry.find(0, b"key"), None, "keys of another route are others'");
        drop(entry);
        assert_eq!(registry.find(1, b"key"), None);
    }

    /// Accepts one connection, reads all of one packet, closes.
    async fn take(listener: &TcpListener, length: usize) -> Vec<u8> {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut packet = vec![0; length];
        socket.read_exact(&mut packet).await.unwrap();
        packet
    }

    #[tokio::test]
    async fn a_known_key_goes_to_its_peer_alone_and_an_unknown_one_to_every_address() {
        let (first, second) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let addresses = [&first, &second].map(|listener| Address::from(listener.local_addr().unwrap()));
        let (registry, timers) = (Arc::new(Registry::default()), Timers::current());
        let _entry = registry.register(0, b"known", Peer::Tcp(second.local_addr().unwrap()));
        LocalSet::new()
            .run_until(async {
                let (packet, ()) =
                    tokio::join!(take(&second, 6), forward(&registry, &timers, 0, &addresses, b"packet", b"known"));
                assert_eq!(packet, b"packet");
                let (one, two, ()) = tokio::join!(
                    take(&first, 6),
                    take(&second, 6),
                    forward(&registry, &timers, 0, &addresses, b"packet", b"unknown"),
                );
                assert_eq!((&*one, &*two), (&b"packet"[..], &b"packet"[..]));
            })
            .await;
    }
}
