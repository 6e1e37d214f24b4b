//! A hostile server and a hostile client cut, delay, split, corrupt and reset recorded sessions at each byte: "pgvitals
//! never panics, never hangs past its limits, never leaks a connection or descriptor, and its counts stay right" (issue 4,
//! §2).

mod fault;
mod recording;

use std::io::Read;
use std::sync::{Arc, Mutex};

use crate::bytes_of;
use crate::support::client::{Client, startup};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::server::Server;

use fault::{Fault, Faulty, Kind};
use recording::Recording;

/// Connections at a time.
const AT_ONCE: usize = 16;

/// What a connection suffers.
#[derive(Clone, Copy)]
struct Ordeal {
    server: Fault,
    client: Fault,
    /// The client resets once it has read so many bytes.
    leaves: Option<usize>,
}

impl Ordeal {
    const NONE: Ordeal = Ordeal { server: Fault::NONE, client: Fault::NONE, leaves: None };

    fn of_server(kind: Kind, at: usize) -> Self {
        Self { server: Fault { kind, at }, ..Self::NONE }
    }

    fn of_client(kind: Kind, at: usize) -> Self {
        Self { client: Fault { kind, at }, ..Self::NONE }
    }
}

/// A server that plays its part, with the fault that the start-up asks for. What it reads is what came of the client's.
fn hostile(recording: Arc<Recording>) -> Server {
    Server::start(move |peer| {
        let Some(packet) = peer.startup() else { return };
        let fault = Fault::of(&packet);
        let mut faulty = Faulty::new(fault);
        for turn in &recording.turns {
            let _short = peer.stream.read_exact(&mut vec![0; turn.client.len()]).is_err();
            if !faulty.write(&turn.server, &mut peer.stream) {
                break;
            }
        }
        if fault.kind == Kind::Reset {
            return;
        }
        let _half = peer.stream.half_close().is_err();
        // Closed with bytes unread, it would reset what it said.
        let _end = std::io::copy(&mut peer.stream, &mut std::io::sink()).is_err();
    })
}

/// A client's part, to the connection's end; the test fails when none comes.
fn play(pgvitals: &Pgvitals, recording: &Recording, ordeal: Ordeal) {
    let mut client = Client::open(pgvitals.address());
    let mut start = bytes_of![startup(&[("user", "postgres"), ("options", &ordeal.server.label())])].to_vec();
    let mut faulty = Faulty::new(ordeal.client);
    let mut left = ordeal.leaves.unwrap_or(usize::MAX);
    for turn in &recording.turns {
        start.extend_from_slice(&turn.client);
        if !faulty.write(&std::mem::take(&mut start), &mut client.stream) {
            break;
        }
        let wanted = turn.server.len().min(left);
        left -= wanted;
        let short = client.stream.read_exact(&mut vec![0; wanted]).is_err();
        if short || left == 0 {
            break;
        }
    }
    if ordeal.client.kind == Kind::Reset || left == 0 {
        // A connection that is gone already needs none.
        let _gone = client.stream.reset().is_err();
        return;
    }
    let _gone = client.stream.half_close().is_err();
    client.rest();
}

/// Plays each ordeal, some at a time.
fn run(pgvitals: &Pgvitals, recording: &Recording, ordeals: &[Ordeal]) {
    let left = Mutex::new(ordeals.iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(ordeal) = { left.lock().unwrap().next() } {
                    play(pgvitals, recording, *ordeal);
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

/// Plays the ordeals on a pgvitals of their own, which must be as before when they are over. It has then seen [`AT_ONCE`]
/// sessions more.
fn survives(recording: &Recording, ordeals: &[Ordeal]) -> Pgvitals {
    let server = hostile(Arc::new(recording.clone()));
    let pgvitals = Setup::before(&server.address).flag("startup-timeout", "2s").start();
    run(&pgvitals, recording, &[Ordeal::NONE; AT_ONCE]);
    is_clean(&pgvitals);
    #[cfg(target_os = "linux")]
    let before = descriptors(&pgvitals);
    run(&pgvitals, recording, ordeals);
    is_clean(&pgvitals);
    #[cfg(target_os = "linux")]
    pgvitals.await_merge(&format!("{before} descriptors"), |pgvitals| {
        // The wait itself holds one for its events, and its question one more.
        (descriptors(pgvitals) <= before + 2).then_some(())
    });
    pgvitals
}

/// Whatever happens to the answers: each statement that was sent is one call, or discarded and counted.
#[test]
fn a_server_that_cuts_splits_stalls_or_resets_its_answers_costs_no_call() {
    for recording in Recording::all() {
        let kinds = [Kind::Cut, Kind::Split, Kind::Stall, Kind::Reset];
        let places = recording.start..recording.length(|turn| &turn.server);
        let ordeals: Vec<_> =
            places.flat_map(|at| kinds.map(|kind| Ordeal::of_server(kind, at))).chain([Ordeal::NONE]).collect();
        let pgvitals = survives(&recording, &ordeals);
        let all = recording.statements_before(usize::MAX);
        let each = ordeals.iter().map(|Ordeal { server: fault, .. }| match fault.ends() {
            true => recording.statements_before(fault.at),
            false => all,
        });
        let sent = each.sum::<u64>() + all * AT_ONCE as u64;
        let (calls, aborted) = pgvitals.await_merge(&format!("{sent} statements, {}", recording.name), |pgvitals| {
            let rows = pgvitals.statements("");
            let (calls, aborted) =
                rows.iter().fold((0, 0), |(calls, aborted), row| (calls + row.calls, aborted + row.aborted));
            let reasons = ["skipped", "behind_error", "connection_lost"];
            let discarded =
                |reason| pgvitals.metric(&format!("pgvitals_statements_discarded_total{{reason=\"{reason}\"}}"));
            let discarded = reasons.iter().map(discarded).sum::<f64>() as u64;
            assert!(calls + discarded <= sent, "{calls} calls and {discarded} discarded of {sent}: {rows:#?}");
            (calls + discarded == sent).then_some((calls, aborted))
        });
        assert!(0 < aborted && aborted < calls, "{aborted} of {calls}");
    }
}

/// "What one server answers, however senseless, ends its own connection at most." (docs/transparency.md)
#[test]
fn a_server_that_corrupts_any_byte_harms_nobody() {
    for recording in Recording::all() {
        let places = 0..recording.length(|turn| &turn.server);
        survives(&recording, &places.map(|at| Ordeal::of_server(Kind::Corrupt, at)).collect::<Vec<_>>());
    }
}

/// SCRAM's start-up, the longest.
#[test]
fn a_server_that_vanishes_or_resets_in_any_start_up_harms_nobody() {
    let recording = Recording::copy();
    let kinds = [Kind::Cut, Kind::Reset];
    let ordeals = (0..recording.start).flat_map(|at| kinds.map(|kind| Ordeal::of_server(kind, at)));
    survives(&recording, &ordeals.collect::<Vec<_>>());
}

/// "What one client sends, however senseless, ends its own connection at most." (docs/transparency.md)
#[test]
fn a_client_that_cuts_splits_stalls_corrupts_or_resets_at_any_byte_harms_nobody() {
    for recording in Recording::all() {
        let kinds = [Kind::Cut, Kind::Split, Kind::Stall, Kind::Corrupt, Kind::Reset];
        let start = bytes_of![startup(&[("user", "postgres"), ("options", &Fault::NONE.label())])].len();
        let places = 0..start + recording.length(|turn| &turn.client);
        survives(&recording, &places.flat_map(|at| kinds.map(|kind| Ordeal::of_client(kind, at))).collect::<Vec<_>>());
    }
}

/// A client that is gone when it has read so much.
#[test]
fn a_client_that_resets_at_any_byte_of_an_answer_harms_nobody() {
    for recording in Recording::all() {
        let places = 1..recording.length(|turn| &turn.server);
        let leaves = places.map(|at| Ordeal { leaves: Some(at), ..Ordeal::NONE });
        survives(&recording, &leaves.collect::<Vec<_>>());
    }
}
