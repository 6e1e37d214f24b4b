//! What a statement costs from frames to its event, both directions, without system calls.

use std::sync::Arc;

use divan::counter::ItemsCount;
use pgvitals::base::units::Stamp;
use pgvitals::session::Session;
use pgvitals::session::identity::StartupParameters;
use pgvitals::session::observation::{Event, Observer};
use pgvitals::sql::fingerprint::Fingerprinter;

fn main() {
    divan::main();
}

struct Count(u64);

impl Observer for Count {
    fn observe(&mut self, event: Event) {
        if let Event::Statement(call) = divan::black_box(event) {
            self.0 += call.rows;
        }
    }
}

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// A session that has started and answered `first`, and what goes with it.
struct Bench {
    session: Session,
    fingerprinter: Fingerprinter,
    count: Count,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let session = Session::new(Arc::from("db:5432"), Stamp::from_nanos(0), &startup);
        let mut bench = Self { session, fingerprinter: Fingerprinter::new(8_192, 7), count: Count(0), now: 0 };
        bench.round_trip(&[], &frame(b'Z', b"I"));
        bench
    }

    fn round_trip(&mut self, request: &[u8], answer: &[u8]) {
        let Self { session, fingerprinter, count, now } = self;
        session.client_bytes(request, Stamp::from_nanos(*now + 1_000), fingerprinter, count);
        session.server_bytes(answer, Stamp::from_nanos(*now + 100_000), count);
        *now += 200_000;
    }
}

const BIND: &[u8] = b"\0s1\0\0\0\0\x01\0\0\0\x0512345\0\0";
const EXECUTE: &[u8] = b"\0\0\0\0\0";

/// Bind, Execute, Sync of a named statement.
#[divan::bench]
fn prepared(bencher: divan::Bencher<'_, '_>) {
    let mut bench = Bench::new();
    let parse = [frame(b'P', b"s1\0select abalance from accounts where aid = $1\0\0\0"), frame(b'S', b"")].concat();
    bench.round_trip(&parse, &[frame(b'1', b""), frame(b'Z', b"I")].concat());
    let request = [frame(b'B', BIND), frame(b'E', EXECUTE), frame(b'S', b"")].concat();
    let answer = [frame(b'2', b""), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| bench.round_trip(&request, &answer));
}

/// Parse, Bind, Describe, Execute, Sync, all unnamed.
#[divan::bench]
fn extended(bencher: divan::Bencher<'_, '_>) {
    let mut bench = Bench::new();
    let request = [
        frame(b'P', b"\0select abalance from accounts where aid = $1\0\0\0"),
        frame(b'B', b"\0\0\0\0\0\x01\0\0\0\x0512345\0\0"),
        frame(b'D', b"P\0"),
        frame(b'E', EXECUTE),
        frame(b'S', b""),
    ]
    .concat();
    let answer = [
        frame(b'1', b""),
        frame(b'2', b""),
        frame(b'T', &[0; 30]),
        frame(b'D', &[0; 20]),
        frame(b'C', b"SELECT 1\0"),
        frame(b'Z', b"I"),
    ]
    .concat();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| bench.round_trip(&request, &answer));
}

/// Query with a text that was met before.
#[divan::bench]
fn simple(bencher: divan::Bencher<'_, '_>) {
    let mut bench = Bench::new();
    let request = frame(b'Q', b"select abalance from accounts where aid = 12345\0");
    let answer = [frame(b'T', &[0; 30]), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| bench.round_trip(&request, &answer));
}

/// So many times Bind, Execute behind one Sync; 3,000 answers fill one read.
#[divan::bench(args = [100, 3_000])]
fn batch(bencher: divan::Bencher<'_, '_>, statements: usize) {
    let mut bench = Bench::new();
    let parse = [frame(b'P', b"s1\0insert into t values ($1)\0\0\0"), frame(b'S', b"")].concat();
    bench.round_trip(&parse, &[frame(b'1', b""), frame(b'Z', b"I")].concat());
    let request = [[frame(b'B', BIND), frame(b'E', EXECUTE)].concat().repeat(statements), frame(b'S', b"")].concat();
    let answer = [frame(b'2', b""), frame(b'C', b"INSERT 0 1\0")].concat().repeat(statements);
    let answer = [answer, frame(b'Z', b"I")].concat();
    bencher.counter(ItemsCount::new(statements)).bench_local(|| bench.round_trip(&request, &answer));
}
