//! "no allocation per statement in steady state on a prepared workload, and none on a simple-protocol workload of known
//! statements" (issue 3, §8, *Lean*). Its own binary: it counts what the whole process allocates.

#![allow(unsafe_code)] // An allocator can't be written without; this one only counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use pgvitals::base::telemetry::Telemetry;
use pgvitals::base::units::{Stamp, WallTime};
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

/// Durations in µs, one in each bucket of a histogram below the threshold of slow statements (500 ms): each µs up to 255,
/// then 128 in each doubling (STORE §2).
fn durations() -> impl Iterator<Item = u64> {
    (0..256).chain((1..=10).flat_map(|shift| (128..256).map(move |base| base << shift)))
}

/// A worker's parts with one session that has started.
struct Worker {
    session: Session,
    fingerprinter: Fingerprinter,
    recorder: Recorder,
    now: u64,
    rounds: usize,
}

impl Worker {
    fn new() -> Self {
        Self::under(&Settings::default())
    }

    fn under(settings: &Settings) -> Self {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let mut worker = Self {
            session: Session::new(Arc::from("db:5432"), Stamp::from_nanos(0), &startup),
            fingerprinter: Fingerprinter::new(8_192, 7),
            recorder: Recorder::new(settings, 1, Arc::new(Telemetry::default())),
            now: 0,
            rounds: 0,
        };
        worker.round_trip(&[], &frame(b'Z', b"I"), 0);
        worker
    }

    /// A request and its answer, each in one read, so many µs apart.
    fn round_trip(&mut self, request: &[u8], answer: &[u8], micros: u64) {
        let Self { session, fingerprinter, recorder, now, .. } = self;
        session.client_bytes(request, Stamp::from_nanos(*now), fingerprinter, recorder);
        *now += micros * 1_000;
        session.server_bytes(answer, Stamp::from_nanos(*now), recorder);
        *now += 1_000;
    }

    /// The next round of `rounds`.
    fn round(&mut self, rounds: &[Round], micros: u64) {
        let Round { request, answer } = &rounds[self.rounds % rounds.len()];
        self.round_trip(request, answer, micros);
        self.rounds += 1;
    }

    /// What statements allocate in ten seconds of steady state.
    ///
    /// Steady state: each of the `statements`, which rounds bring in turn, has run, with every duration that a histogram
    /// tells apart, so that what its series needs has grown. From then on, durations scattered over all of that range: no
    /// round allocates, not the first after a harvest either. A harvest itself is handed over by value, and allocates
    /// for each series, once a second and not for each statement; it is left out here.
    fn steady(&mut self, statements: usize, rounds: &[Round]) -> u64 {
        assert_eq!(rounds.len() % statements, 0, "statements come in turn");
        for micros in durations() {
            (0..statements).for_each(|_| self.round(rounds, micros));
        }
        self.harvest();
        let durations: Vec<u64> = durations().collect();
        let (mut seed, mut allocated) = (1_u64, 0);
        for _ in 0..10 {
            let before = allocations();
            for _ in 0..200 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                self.round(rounds, durations[(seed >> 33) as usize % durations.len()]);
            }
            allocated += allocations() - before;
            self.harvest();
        }
        allocated
    }

    /// A second is over. Something was recorded in it.
    fn harvest(&mut self) {
        assert!(self.recorder.pending() >= 200, "only {} recorded", self.recorder.pending());
        let at = WallTime::from_unix_micros(self.now as i64 / 1_000);
        drop(self.recorder.harvest(at, Stamp::from_nanos(self.now)));
    }
}

/// What the client sends and the server answers.
struct Round {
    request: Vec<u8>,
    answer: Vec<u8>,
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

const PARSED: &[u8] = b"1\0\0\0\x04Z\0\0\0\x05I";

/// A worker whose session has prepared each of [`texts`], as `s0`, `s1`, …
fn prepared() -> Worker {
    prepare(Worker::new())
}

fn prepare(mut worker: Worker) -> Worker {
    for (i, text) in texts().enumerate() {
        let parse = [frame(b'P', format!("s{i}\0{text}\0\0\0").as_bytes()), frame(b'S', b"")].concat();
        worker.round_trip(&parse, PARSED, 10);
    }
    worker
}

/// Bind and Execute of statement `i`, and what the server says to them.
fn bind_and_execute(i: usize) -> (Vec<u8>, Vec<u8>) {
    let bind = frame(b'B', format!("\0s{i}\0\0\0\0\x01\0\0\0\x0512345\0\0").as_bytes());
    let answer = [frame(b'2', b""), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0")].concat();
    ([bind, frame(b'E', b"\0\0\0\0\0")].concat(), answer)
}

/// Bind, Execute, Sync of each statement.
fn prepared_rounds() -> Vec<Round> {
    (0..20)
        .map(|i| {
            let (request, answer) = bind_and_execute(i);
            let (request, answer) = ([request, frame(b'S', b"")].concat(), [answer, frame(b'Z', b"I")].concat());
            Round { request, answer }
        })
        .collect()
}

#[test]
fn a_prepared_workload_allocates_nothing() {
    assert_eq!(prepared().steady(20, &prepared_rounds()), 0);
}

/// "no allocation per unsampled statement": a rate so low that chance takes none here.
#[test]
fn a_sample_rate_allocates_nothing_for_what_it_does_not_take() {
    let settings = Settings { sample_rate: 1e-15, ..Settings::default() };
    assert_eq!(prepare(Worker::under(&settings)).steady(20, &prepared_rounds()), 0);
}

/// As drivers send `executemany`: a hundred statements in one write, one Sync, their answers in one read.
#[test]
fn a_batch_of_a_hundred_statements_allocates_nothing() {
    let (requests, answers): (Vec<_>, Vec<_>) = (0..100).map(|i| bind_and_execute(i % 20)).unzip();
    let request = [requests.concat(), frame(b'S', b"")].concat();
    let rounds = [Round { request, answer: [answers.concat(), frame(b'Z', b"I")].concat() }];
    assert_eq!(prepared().steady(1, &rounds), 0);
}

/// A pipeline in which each of a hundred statements has a Sync of its own.
#[test]
fn a_pipeline_of_a_hundred_syncs_allocates_nothing() {
    let (requests, answers): (Vec<_>, Vec<_>) = (0..100).map(|i| bind_and_execute(i % 20)).unzip();
    let request =
        requests.iter().map(|request| [&request[..], &frame(b'S', b"")].concat()).collect::<Vec<_>>().concat();
    let answer = answers.iter().map(|answer| [&answer[..], &frame(b'Z', b"I")].concat()).collect::<Vec<_>>().concat();
    assert_eq!(prepared().steady(1, &[Round { request, answer }]), 0);
}

#[test]
fn a_simple_workload_of_known_statements_allocates_nothing() {
    let answer = [frame(b'T', &[0; 30]), frame(b'D', &[0; 20]), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat();
    let rounds: Vec<_> = texts()
        .map(|text| Round { request: frame(b'Q', format!("{text}\0").as_bytes()), answer: answer.clone() })
        .collect();
    assert_eq!(Worker::new().steady(20, &rounds), 0);
}

/// Literals that differ in each execution, inlined by the client: the text is new, the statement known.
#[test]
fn new_literals_in_known_statements_allocate_nothing() {
    let answer = [frame(b'C', b"UPDATE 1\0"), frame(b'Z', b"T")].concat();
    let rounds: Vec<_> = (0..20_000)
        .map(|i| format!("update t set a = 'value {i}' where id = {i}\0"))
        .map(|text| Round { request: frame(b'Q', text.as_bytes()), answer: answer.clone() })
        .collect();
    assert_eq!(Worker::new().steady(1, &rounds), 0);
}
