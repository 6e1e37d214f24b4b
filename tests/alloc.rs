//! "no allocation per statement in steady state on a prepared workload, and none on a simple-protocol workload of known
//! statements" (issue 3, §8, *Lean*). Its own binary: it counts what the whole process allocates.

#![allow(unsafe_code)] // An allocator can't be written without; this one only counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use pgvitals::base::telemetry::Telemetry;
use pgvitals::base::units::Stamp;
use pgvitals::session::Session;
use pgvitals::session::identity::StartupParameters;
use pgvitals::sql::fingerprint::Fingerprinter;
use pgvitals::stats::Settings;
use pgvitals::stats::recorder::Recorder;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Whatever is allocated while a thread ends is nobody's statement.
    let _gone = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// A worker's parts with one session that has started.
struct Worker {
    session: Session,
    fingerprinter: Fingerprinter,
    recorder: Recorder,
    now: u64,
}

impl Worker {
    fn new() -> Self {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let mut worker = Self {
            session: Session::new(Arc::from("db:5432"), Stamp::from_nanos(0), &startup),
            fingerprinter: Fingerprinter::new(8_192, 7),
            recorder: Recorder::new(&Settings::default(), 1, Arc::new(Telemetry::default())),
            now: 0,
        };
        worker.round_trip(&[], &frame(b'Z', b"I"));
        worker
    }

    /// A request and its answer. Durations scatter over many buckets, the same ones in each thousand rounds.
    fn round_trip(&mut self, request: &[u8], answer: &[u8]) {
        let Self { session, fingerprinter, recorder, now } = self;
        let duration = 50_000 + (*now / 1_000_000 % 1_000) * 700;
        session.client_bytes(request, Stamp::from_nanos(*now + 1_000), fingerprinter, recorder);
        session.server_bytes(answer, Stamp::from_nanos(*now + duration), fingerprinter, recorder);
        *now += 1_000_000;
    }

    /// What the last 10,000 of 20,000 rounds allocate.
    fn steady(&mut self, rounds: &[(Vec<u8>, Vec<u8>)]) -> u64 {
        for i in 0..10_000 {
            let (request, answer) = &rounds[i % rounds.len()];
            self.round_trip(request, answer);
        }
        let before = allocations();
        for i in 0..10_000 {
            let (request, answer) = &rounds[i % rounds.len()];
            self.round_trip(request, answer);
        }
        allocations() - before
    }
}

/// Twenty texts, so that no single cache entry does it.
fn texts() -> impl Iterator<Item = String> {
    (0..20).map(|i| format!("select abalance from accounts where aid = {i} and branch_{i} = 'x'"))
}

#[test]
fn the_counter_counts() {
    let before = allocations();
    drop(std::hint::black_box(Vec::<u8>::with_capacity(10)));
    assert_eq!(allocations() - before, 1);
}

#[test]
fn a_prepared_workload_allocates_nothing() {
    let mut worker = Worker::new();
    let mut rounds = Vec::new();
    for (i, text) in texts().enumerate() {
        let parse = [frame(b'P', format!("s{i}\0{text}\0\0\0").as_bytes()), frame(b'S', b"")].concat();
        worker.round_trip(&parse, &[frame(b'1', b""), frame(b'Z', b"I")].concat());
        let bind = frame(b'B', format!("\0s{i}\0\0\0\0\x01\0\0\0\x0512345\0\0").as_bytes());
        let request = [bind, frame(b'E', b"\0\0\0\0\0"), frame(b'S', b"")].concat();
        let answer = [frame(b'2', b""), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
        rounds.push((request, answer));
    }
    assert_eq!(worker.steady(&rounds), 0);
    assert!(worker.recorder.pending() >= 20_000, "all of it was recorded");
}

#[test]
fn a_simple_workload_of_known_statements_allocates_nothing() {
    let mut worker = Worker::new();
    let answer = [frame(b'T', &[0; 30]), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
    let rounds: Vec<_> = texts().map(|text| (frame(b'Q', format!("{text}\0").as_bytes()), answer.clone())).collect();
    assert_eq!(worker.steady(&rounds), 0);
    assert!(worker.recorder.pending() >= 20_000, "all of it was recorded");
}

/// Literals that differ in each execution, inlined by the client: the text is new, the statement known.
#[test]
fn new_literals_in_known_statements_allocate_nothing() {
    let mut worker = Worker::new();
    let answer = [frame(b'C', b"UPDATE 1\0"), frame(b'Z', b"T")].concat();
    let rounds: Vec<_> = (0..20_000)
        .map(|i| (frame(b'Q', format!("update t set a = 'value {i}' where id = {i}\0").as_bytes()), answer.clone()))
        .collect();
    assert_eq!(worker.steady(&rounds), 0);
}
