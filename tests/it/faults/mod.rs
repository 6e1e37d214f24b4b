//! A hostile server and a hostile client cut, split and corrupt a recorded session at each byte: "pgvitals never panics,
//! never hangs past its limits, never leaks a connection or descriptor, and its counts stay right" (issue 4, §2).

use std::io::{Read, Write};
use std::sync::Mutex;

use crate::bytes_of;
use crate::support::client::{Client, query, startup};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::server::Server;

/// Statements of the session.
const STATEMENTS: [&str; 2] = ["select 1, 'a'", "select 1/0"];
/// Connections at a time.
const AT_ONCE: usize = 16;

/// What happens to a stream of bytes, at which of them.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Cut(usize),
    Split(usize),
    Corrupt(usize),
}

impl Fault {
    /// As the start-up's `options` carry it to the server.
    fn label(self) -> String {
        match self {
            Fault::None => "none-0".to_owned(),
            Fault::Cut(at) => format!("cut-{at}"),
            Fault::Split(at) => format!("split-{at}"),
            Fault::Corrupt(at) => format!("corrupt-{at}"),
        }
    }

    fn of(packet: &[u8]) -> Self {
        let text = String::from_utf8_lossy(packet);
        let find = |kind: &str| -> Option<usize> {
            let (_, rest) = text.split_once(&format!("{kind}-"))?;
            rest.split('\0').next()?.parse().ok()
        };
        let cut = find("cut").map(Fault::Cut);
        cut.or(find("split").map(Fault::Split)).or(find("corrupt").map(Fault::Corrupt)).unwrap_or(Fault::None)
    }

    /// Writes `bytes` as the fault wants it; a peer that left is no error.
    fn write(self, bytes: &[u8], stream: &mut impl Write) {
        let mut bytes = bytes.to_vec();
        let at = match self {
            Fault::None => bytes.len(),
            Fault::Cut(at) => {
                bytes.truncate(at);
                at
            }
            Fault::Split(at) => at,
            Fault::Corrupt(at) => {
                bytes[at] = !bytes[at];
                bytes.len()
            }
        };
        let (first, rest) = bytes.split_at(at);
        let _gone = stream.write_all(first).and_then(|()| stream.write_all(rest)).is_err();
    }
}

/// What a server said to [`sent`], start-up and answers; and where the start-up ends.
fn record() -> (Vec<u8>, usize) {
    let mut client = Client::open(&Cluster::any().tcp);
    let frames = client.begin(&startup(&[("user", "postgres")]));
    let start = frames.iter().map(|frame| frame.body.len() + 5).sum();
    let mut said = Vec::new();
    let answers = STATEMENTS.iter().flat_map(|sql| client.ask(&bytes_of![query(sql)])).collect::<Vec<_>>();
    for frame in frames.iter().chain(&answers) {
        said.push(frame.tag);
        said.extend_from_slice(&(frame.body.len() as u32 + 4).to_be_bytes());
        said.extend_from_slice(&frame.body);
    }
    (said, start)
}

/// All that the client says, at once; the server is to commit `fault`.
fn sent(fault: Fault) -> Vec<u8> {
    let start = startup(&[("user", "postgres"), ("options", &fault.label())]);
    bytes_of![start, query(STATEMENTS[0]), query(STATEMENTS[1])].to_vec()
}

/// A server that reads the client's statements, or what came of them, and then plays the record.
fn hostile(said: Vec<u8>) -> Server {
    let statements = bytes_of![query(STATEMENTS[0]), query(STATEMENTS[1])].len();
    Server::start(move |peer| {
        let Some(packet) = peer.startup() else { return };
        let mut read = vec![0; statements];
        let _short = peer.stream.read_exact(&mut read).is_err();
        Fault::of(&packet).write(&said, &mut peer.stream);
        let _half = peer.stream.half_close().is_err();
        // Closed with bytes unread, it would reset what it said.
        let _end = std::io::copy(&mut peer.stream, &mut std::io::sink()).is_err();
    })
}

/// Runs a connection for each pair of the server's and the client's fault, until its end.
fn run(pgvitals: &Pgvitals, faults: Vec<(Fault, Fault)>) {
    let left = Mutex::new(faults);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((server, client)) = { left.lock().unwrap().pop() } {
                    let mut connection = Client::open(pgvitals.address());
                    client.write(&sent(server), &mut connection.stream);
                    let _gone = connection.stream.half_close().is_err();
                    // Fails the test when no end comes.
                    connection.rest();
                }
            });
        }
    });
}

/// Nothing is left of the connections, and nothing panicked.
#[track_caller]
fn is_clean(pgvitals: &Pgvitals) {
    pgvitals.await_merge("no open connection", |pgvitals| {
        (pgvitals.performance("metric=summary")["connections"]["open"] == 0).then_some(())
    });
    let metrics = pgvitals.get("/metrics").body;
    assert!(metrics.lines().any(|line| line == "pgvitals_panics_total 0"), "{metrics}");
    assert_eq!(pgvitals.metric("pgvitals_unmeasured_total{reason=\"panic\"}"), 0.0);
}

#[cfg(target_os = "linux")]
fn descriptors(pgvitals: &Pgvitals) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", pgvitals.keeper.pid)).unwrap().count()
}

/// Runs `faults` on a pgvitals of their own, which must be as before when they are over.
fn survives(said: &[u8], faults: Vec<(Fault, Fault)>) -> Pgvitals {
    let server = hostile(said.to_vec());
    let pgvitals = Setup::before(&server.address).flag("startup-timeout", "2s").start();
    run(&pgvitals, vec![(Fault::None, Fault::None); AT_ONCE]);
    is_clean(&pgvitals);
    #[cfg(target_os = "linux")]
    let before = descriptors(&pgvitals);
    run(&pgvitals, faults);
    is_clean(&pgvitals);
    #[cfg(target_os = "linux")]
    pgvitals.await_merge(&format!("{before} descriptors"), |pgvitals| {
        // The wait itself holds one for its events, and its question one more.
        (descriptors(pgvitals) <= before + 2).then_some(())
    });
    pgvitals
}

/// The server's stream is cut and split at each byte of its answers: each statement is one call, or discarded and counted.
#[test]
fn a_server_that_cuts_and_splits_its_answers_costs_no_call() {
    let (said, start) = record();
    let cuts = (start..said.len()).flat_map(|at| [Fault::Cut(at), Fault::Split(at)]);
    let faults: Vec<_> = cuts.map(|fault| (fault, Fault::None)).collect();
    let connections = (faults.len() + AT_ONCE) as u64;
    let pgvitals = survives(&said, faults);
    let good = pgvitals.await_statement("select $1, $2", connections);
    assert_eq!(good.rows + good.aborted, connections, "{good:?}");
    assert!(good.aborted > 0, "{good:?}");
    // The server never came to the second statement where it left during the first.
    let bad = pgvitals.await_statement("select $1 / $2", connections - good.aborted);
    assert_eq!(bad.errors + bad.aborted, bad.calls, "{bad:?}");
    assert!(bad.aborted > 0, "{bad:?}");
    let discarded = pgvitals.metric("pgvitals_statements_discarded_total{reason=\"connection_lost\"}");
    assert_eq!(bad.calls + discarded as u64, connections, "{}", pgvitals.get("/metrics").body);
}

/// "What one server answers, however senseless, ends its own connection at most." (docs/transparency.md)
#[test]
fn a_server_that_corrupts_any_byte_harms_nobody() {
    let (said, _) = record();
    let corrupt = (0..said.len()).map(|at| (Fault::Corrupt(at), Fault::None)).collect();
    survives(&said, corrupt);
}

#[test]
fn a_server_that_vanishes_in_any_start_up_harms_nobody() {
    let (said, start) = record();
    survives(&said, (0..start).map(|at| (Fault::Cut(at), Fault::None)).collect());
}

/// "What one client sends, however senseless, ends its own connection at most." (docs/transparency.md)
#[test]
fn a_client_that_cuts_splits_or_corrupts_any_byte_harms_nobody() {
    let (said, _) = record();
    let at_each = |at| [Fault::Cut(at), Fault::Split(at), Fault::Corrupt(at)];
    let faults = (0..sent(Fault::None).len()).flat_map(at_each);
    survives(&said, faults.map(|fault| (Fault::None, fault)).collect());
}
