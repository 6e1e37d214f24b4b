//! One direction: the order rule, short writes, ends.

use std::io::ErrorKind;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::base::units::Stamp;
use crate::proxy::held::{Budget, READ_MAX};
use crate::proxy::pump::{Direction, End, Look, Turn};
use crate::proxy::socket::Socket;
use crate::proxy::tests::in_time;
use crate::runtime::clock::Clock;

/// What was seen, in order.
#[derive(Default, Debug)]
struct Seen {
    bytes: Vec<u8>,
    marks: Vec<&'static str>,
}

impl Look for Seen {
    fn chunk(&mut self, chunk: &[u8], _: Stamp) {
        self.bytes.extend(chunk);
        self.marks.push("chunk");
    }
    fn holding(&mut self, _: Stamp) {
        self.marks.push("holding");
    }
    fn drained(&mut self, _: Stamp) {
        self.marks.push("drained");
    }
    fn ended(&mut self, _: Stamp) {
        self.marks.push("ended");
    }
}

/// A direction between two pairs of sockets: the test holds the outer ends.
struct Bench<S = UnixStream> {
    sender: S,
    reader: UnixStream,
    from: Rc<Socket>,
    to: Socket,
    direction: Direction,
    budget: Rc<Budget>,
    buffer: Vec<u8>,
    seen: Seen,
}

impl Bench {
    fn new(budget: usize) -> Self {
        let (sender, from) = UnixStream::pair().unwrap();
        Self::from(sender, Socket::unix(from), budget)
    }
}

impl<S: AsyncWrite + Unpin> Bench<S> {
    fn from(sender: S, from: Socket, budget: usize) -> Self {
        let (to, reader) = UnixStream::pair().unwrap();
        Self {
            sender,
            reader,
            from: Rc::new(from),
            to: Socket::unix(to),
            direction: Direction::default(),
            budget: Rc::new(Budget::with_limit(budget)),
            buffer: vec![0; READ_MAX],
            seen: Seen::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut turn = Turn { buffer: &mut self.buffer, budget: &self.budget, clock: Clock::start() };
        self.direction.poll(cx, &self.from, &self.to, &mut turn, &mut self.seen)
    }

    /// Polls until `done`.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        std::future::poll_fn(|cx| {
            let over = self.poll(cx).is_ready();
            if over || done(self) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Sends without reading until bytes are held; says what was sent.
    async fn fill(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while !self.direction.holds() {
            let chunk = vec![sent.len() as u8; 10_000];
            self.sender.write_all(&chunk).await.unwrap();
            sent.extend(&chunk);
            let target = sent.len();
            self.until(|bench| bench.seen.bytes.len() >= target || bench.direction.holds()).await;
        }
        sent
    }
}

#[tokio::test]
async fn a_chunk_is_looked_at_though_its_reader_has_not_taken_it_all() {
    let mut bench = Bench::new(1 << 20);
    let sent = bench.fill().await;
    assert!(sent.starts_with(&bench.seen.bytes));
    let [.., last, holding] = bench.seen.marks.as_slice() else { panic!("{:?}", bench.seen.marks) };
    assert_eq!((*last, *holding), ("chunk", "holding"), "looked at before its rest was written");

    // While it holds it doesn't read, whatever comes.
    let looked_at = bench.seen.bytes.len();
    bench.sender.write_all(b"more").await.unwrap();
    assert!(bench.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(bench.seen.bytes.len(), looked_at);

    let expected = [&sent[..], b"more"].concat();
    let mut got = vec![0; expected.len()];
    let mut reader = std::mem::replace(&mut bench.reader, UnixStream::pair().unwrap().0);
    let (_, read) = tokio::join!(
        bench.until(|bench| bench.seen.bytes.len() == expected.len() && !bench.direction.holds()),
        async { reader.read_exact(&mut got).await }
    );
    read.unwrap();
    assert_eq!((&got, &bench.seen.bytes), (&expected, &expected));
    assert!(bench.seen.marks.contains(&"drained"));
}

/// "A direction that holds isn't read, but its error and hang-up readiness are watched" (PROTOCOL §7)
#[tokio::test]
async fn a_reset_is_seen_while_its_bytes_are_held() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (from, _) = listener.accept().await.unwrap();
    let mut bench = Bench::from(sender, Socket::tcp(from).unwrap(), 1 << 20);
    bench.fill().await;
    assert!(bench.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let sender =
        std::mem::replace(&mut bench.sender, TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    SockRef::from(&sender).set_linger(Some(Duration::ZERO)).unwrap();
    drop(sender);
    let end = in_time(std::future::poll_fn(|cx| bench.poll(cx))).await;
    assert!(matches!(&end, End::Broken(error) if error.kind() == ErrorKind::ConnectionReset), "{end:?}");
}

#[tokio::test]
async fn the_end_follows_the_last_byte_and_a_chunk_that_came_with_it_is_looked_at_first() {
    let mut bench = Bench::new(1 << 20);
    bench.sender.write_all(b"last words").await.unwrap();
    bench.sender.shutdown().await.unwrap();
    bench.until(|_| false).await;
    assert_eq!(bench.seen.marks, ["chunk", "ended"]);
    let mut got = Vec::new();
    bench.reader.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"last words");
}

#[tokio::test]
async fn a_chunk_whose_write_fails_is_looked_at_all_the_same() {
    let mut bench = Bench::new(1 << 20);
    bench.reader = UnixStream::pair().unwrap().0;
    bench.sender.write_all(b"in vain").await.unwrap();
    let end = std::future::poll_fn(|cx| bench.poll(cx)).await;
    assert!(matches!(end, End::Unwritable(_)), "{end:?}");
    assert_eq!(bench.seen.bytes, b"in vain");
}

#[tokio::test]
async fn a_worker_whose_budget_is_used_up_reads_no_more_until_there_is_room() {
    let mut slow = Bench::new(1);
    slow.fill().await;
    let mut other = Bench::new(1);
    other.budget = Rc::clone(&slow.budget);
    other.sender.write_all(b"wait").await.unwrap();
    assert!(other.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(other.seen.marks.is_empty(), "{:?}", other.seen.marks);
    slow.direction = Direction::default();
    other.until(|bench| bench.seen.bytes == b"wait").await;
    assert_eq!(other.seen.bytes, b"wait");
}
