//! Tests of the data plane over sockets: [`pump`] one direction, [`startup`] what happens before a session stands,
//! [`traffic`] what a session's peers see of one another.

mod pump;
mod startup;
mod traffic;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Listening, Parts, Proxy, Route, Settings};
use crate::base::telemetry::Telemetry;
use crate::runtime::clock::Clock;
use crate::runtime::inherited::Inherited;
use crate::runtime::listen::Address;
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::runtime::task::Panics;
use crate::stats::live::LiveView;
use crate::tls::settings as tls;

/// StartupMessage 3.0 of user `u`.
const STARTUP: &[u8] = b"\0\0\0\x10\0\x03\0\0user\0u\0\0";
/// AuthenticationOk, BackendKeyData (process 7, key 8), ReadyForQuery.
const GREETING: &[u8] = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x07\0\0\0\x08Z\0\0\0\x05I";
/// CancelRequest for [`GREETING`]'s key.
const CANCEL: &[u8] = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\0\0\0\x08";

/// TLS on neither leg.
fn plaintext() -> tls::Settings {
    let upstream = tls::Upstream { mode: tls::UpstreamMode::Disable, ..tls::Upstream::default() };
    tls::Settings { upstream, ..tls::Settings::default() }
}

/// A proxy in front of a server that the test plays.
struct Stage {
    at: SocketAddr,
    /// The last route's address, where there are several.
    last: SocketAddr,
    server: TcpListener,
    telemetry: Arc<Telemetry>,
    shutdown: Shutdown,
    panics: Panics,
    live: watch::Receiver<LiveView>,
    run: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let route = Route {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            upstream: vec![server.local_addr().unwrap().into()],
            server: "test".to_owned(),
            tls: plaintext(),
        };
        let mut settings = Settings { routes: vec![route], workers: Some(1), ..Settings::default() };
        change(&mut settings);
        let (telemetry, shutdown, panics) = (Arc::new(Telemetry::default()), Shutdown::default(), Panics::default());
        let parts = Parts {
            stats: crate::stats::Settings::default(),
            telemetry: Arc::clone(&telemetry),
            clock: Clock::start(),
            shutdown: shutdown.clone(),
            panics: panics.clone(),
        };
        let proxy = Proxy::bind(settings, parts, &mut Inherited::default()).await.unwrap();
        let at = |listening: &Listening| match listening.address {
            Address::Tcp { port, .. } => SocketAddr::from(([127, 0, 0, 1], port)),
            Address::Unix(_) => unreachable!(),
        };
        let (listening, live) = (proxy.listening(), proxy.live());
        let [at, last] = [listening.first(), listening.last()].map(|listening| listening.map(at).unwrap());
        Self { at, last, server, telemetry, shutdown, panics, live, run: tokio::spawn(proxy.run()) }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// A session that has read its first ReadyForQuery: client's and server's end.
    async fn session(&self) -> (TcpStream, TcpStream) {
        let mut client = self.client().await;
        client.write_all(STARTUP).await.unwrap();
        let (mut server, _) = self.server.accept().await.unwrap();
        expect(&mut server, STARTUP).await;
        server.write_all(GREETING).await.unwrap();
        expect(&mut client, GREETING).await;
        (client, server)
    }

    /// Stops, and gives what was measured until then.
    async fn stop(self) -> LiveView {
        self.shutdown.advance(Phase::Flushing);
        in_time(self.run).await.unwrap().unwrap();
        self.live.borrow().clone()
    }
}

/// Fails a test that would hang.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("nothing came for 10 s")
}

/// Reads exactly `expected`.
async fn expect(socket: &mut TcpStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    in_time(socket.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, expected);
}

/// Everything up to the peer's end.
async fn rest(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    in_time(socket.read_to_end(&mut bytes)).await.map(|_| bytes)
}

/// The SQLSTATE of the one ErrorResponse in `bytes`.
fn sqlstate(bytes: &[u8]) -> String {
    assert_eq!(bytes.first(), Some(&b'E'), "{bytes:?}");
    let mut fields = bytes[5..].split(|byte| *byte == 0);
    let code = fields.find(|field| field.first() == Some(&b'C')).unwrap();
    String::from_utf8(code[1..].to_vec()).unwrap()
}
