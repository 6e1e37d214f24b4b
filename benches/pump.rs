//! What the data plane costs per message over loopback sockets: the same exchange with a server directly, and through a
//! proxy with one worker. The difference of two round trips is two reads, two writes, two looks, and two wake-ups.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use pgvitals::base::telemetry::Telemetry;
use pgvitals::proxy::{Parts, Proxy, Route, Settings};
use pgvitals::runtime::clock::Clock;
use pgvitals::runtime::inherited::Inherited;
use pgvitals::runtime::listen::Address;
use pgvitals::runtime::shutdown::{Phase, Shutdown};
use pgvitals::runtime::task::Panics;
use pgvitals::tls::settings::{Upstream, UpstreamMode};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

fn main() {
    divan::main();
}

const STARTUP: &[u8] = b"\0\0\0\x10\0\x03\0\0user\0u\0\0";
const GREETING: &[u8] = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x07\0\0\0\x08Z\0\0\0\x05I";

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// A server that answers whatever it reads with `answer`, in one write.
fn server(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut peer in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let (mut buffer, mut next) = ([0; 4_096], GREETING);
                while peer.read(&mut buffer).is_ok_and(|count| count > 0) && peer.write_all(next).is_ok() {
                    next = &answer;
                }
            });
        }
    });
    address
}

/// How the client reaches the server.
#[derive(Clone, Copy, Debug)]
enum Way {
    Directly,
    ThroughPgvitals,
}

/// A proxy in front of a server, and its runtime; both end with it.
struct Running {
    at: SocketAddr,
    shutdown: Shutdown,
    control: Runtime,
    run: JoinHandle<std::io::Result<()>>,
}

impl Running {
    fn before(upstream: SocketAddr) -> Self {
        let control =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let upstream_tls = Upstream { mode: UpstreamMode::Disable, ..Upstream::default() };
        let route = Route {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()],
            upstream: vec![upstream.into()],
            server: "bench".to_owned(),
            tls: pgvitals::tls::settings::Settings { upstream: upstream_tls, ..Default::default() },
        };
        let shutdown = Shutdown::default();
        let parts = Parts {
            stats: pgvitals::stats::Settings::default(),
            telemetry: Arc::new(Telemetry::default()),
            clock: Clock::start(),
            shutdown: shutdown.clone(),
            panics: Panics::default(),
        };
        let settings = Settings { routes: vec![route], workers: Some(1), ..Settings::default() };
        let proxy = control.block_on(Proxy::bind(settings, parts, &mut Inherited::default())).expect("a port");
        let Address::Tcp { port, .. } = proxy.listening().remove(0).address else { unreachable!("a TCP listener") };
        let run = control.spawn(proxy.run());
        Self { at: (Ipv4Addr::LOCALHOST, port).into(), shutdown, control, run }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Flushing);
        self.control.block_on(&mut self.run).expect("no panic").expect("a proxy that ran");
    }
}

/// Asks and reads the whole answer, again and again, in one session.
fn exchange(bencher: Bencher, way: Way, question: &[u8], answer: Vec<u8>) {
    let mut buffer = vec![0; answer.len()];
    let server = server(answer);
    let proxy = matches!(way, Way::ThroughPgvitals).then(|| Running::before(server));
    let mut client = TcpStream::connect(proxy.as_ref().map_or(server, |proxy| proxy.at)).expect("a connection");
    client.set_nodelay(true).expect("an option");
    client.write_all(STARTUP).expect("a start-up");
    client.read_exact(&mut [0; GREETING.len()]).expect("a greeting");
    bencher.counter(ItemsCount::new(1_u32)).counter(BytesCount::new(question.len() + buffer.len())).bench_local(|| {
        client.write_all(question).expect("a question");
        client.read_exact(&mut buffer).expect("an answer");
    });
}

/// One Query of a known statement, one row.
#[divan::bench(args = [Way::Directly, Way::ThroughPgvitals])]
fn small_answer(bencher: Bencher, way: Way) {
    let question = frame(b'Q', b"select abalance from accounts where aid = 12345\0");
    let answer = [frame(b'T', &[0; 30]), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
    exchange(bencher, way, &question, answer);
}

/// 16 MiB in rows of this size.
#[divan::bench(args = [(Way::Directly, 100), (Way::ThroughPgvitals, 100), (Way::Directly, 8_000), (Way::ThroughPgvitals, 8_000)], sample_count = 20)]
fn rows(bencher: Bencher, (way, size): (Way, usize)) {
    let question = frame(b'Q', b"select * from accounts\0");
    let rows = frame(b'D', &vec![0; size]).repeat((16 << 20) / size);
    exchange(bencher, way, &question, [rows, frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat());
}
