//! How a process ends, and what it does without descriptors (LAYOUT §6).

use std::process::Command;
use std::time::Duration;

use crate::bytes_of;
use crate::support::client::{Client, query, startup};
use crate::support::clock::now;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

/// A pgvitals whose drain would outlast every test's patience.
fn draining_by(mode: &str) -> Pgvitals {
    let setup = Setup::before(&Cluster::any().tcp).flag("drain-mode", mode);
    setup.flag("drain-timeout", "600s").start()
}

/// "`drain_mode = clients` (a sidecar: the application may still be finishing, so pgvitals **goes on accepting**): …
/// serves until no client is connected" (LAYOUT §6), and "application gone: exit within a second" (issue 4, §2)
/// "While pgvitals drains, clients are served until they leave, new ones too." (docs/transparency.md)
#[test]
fn a_sidecar_serves_new_connections_until_the_application_is_gone() {
    let pgvitals = draining_by("clients");
    let mut old = Client::connect(pgvitals.address(), "postgres");
    pgvitals.signal("TERM");
    pgvitals.await_phase("Draining");
    assert_eq!(pgvitals.get("/readyz").status, 503);
    assert_eq!(pgvitals.get("/healthz").status, 200);
    assert_eq!(old.value("select 'old'"), "old");
    let mut new = Client::connect(pgvitals.address(), "postgres");
    drop(old);
    assert_eq!(new.value("select 'new'"), "new");
    let gone = now();
    drop(new);
    pgvitals.await_phase("Stopped");
    assert!(gone.elapsed() < Duration::from_secs(1), "{:?}", gone.elapsed());
}

/// "SIGINT, or a second SIGTERM: at once" (LAYOUT §6)
/// "A session that ends with pgvitals is told 57P01." (docs/transparency.md)
#[test]
fn sigint_and_a_second_sigterm_end_every_session_at_once() {
    for signals in [&["INT"][..], &["TERM", "TERM"], &["TERM", "INT"]] {
        let pgvitals = draining_by("clients");
        let mut idle = Client::connect(pgvitals.address(), "postgres");
        let mut in_transaction = Client::connect(pgvitals.address(), "postgres");
        in_transaction.query("begin");
        if let [_, _] = signals {
            pgvitals.signal("TERM");
            pgvitals.await_phase("Draining");
        }
        pgvitals.signal(signals[signals.len() - 1]);
        idle.is_told_of_the_end();
        in_transaction.is_told_of_the_end();
        pgvitals.await_phase("Stopped");
    }
}

/// "idle sessions get `57P01`, busy ones when their transaction ends" (LAYOUT §6); who comes new is told the same.
#[test]
fn behind_a_balancer_sessions_end_with_their_transaction() {
    let pgvitals = draining_by("transactions");
    let mut idle = Client::connect(pgvitals.address(), "postgres");
    let mut busy = Client::connect(pgvitals.address(), "postgres");
    busy.query("begin");
    pgvitals.signal("TERM");
    idle.is_told_of_the_end();
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert_eq!(frames[0].field(b'C').as_deref(), Some("57P01"), "{frames:?}");
    assert_eq!(busy.value("select 'still here'"), "still here");
    busy.query("commit");
    busy.is_told_of_the_end();
    pgvitals.await_phase("Stopped");
}

/// Whoever has come before the end is told of it, wherever he stands: in the kernel's queue, in a worker's, in start-up;
/// who has not said yet what he wants is not waited for.
/// "Who connects while pgvitals ends is served or told 57P01, and never just cut off." (docs/transparency.md)
#[test]
fn nobody_who_waits_at_the_end_is_cut_off() {
    let pgvitals = draining_by("clients");
    let _silent = Client::open(pgvitals.address());
    // Stopped, it accepts nobody, and finds them all at once with the signal.
    pgvitals.signal("STOP");
    let mut clients: Vec<_> = (0..300).map(|_| Client::open(pgvitals.address())).collect();
    for client in &mut clients {
        client.send(&bytes_of![startup(&[("user", "postgres")])]);
    }
    pgvitals.signal("INT");
    pgvitals.signal("CONT");
    for client in &mut clients {
        let mut last = None;
        while let Ok(frame) = client.try_frame() {
            last = Some(frame);
        }
        assert_eq!(last.and_then(|frame| frame.field(b'C')).as_deref(), Some("57P01"));
    }
    pgvitals.await_phase("Stopped");
    assert!(!pgvitals.keeper.log.text().contains("did not end in time"), "{}", pgvitals.keeper.log.text());
}

/// "serves until no client is connected or `drain_timeout` → the rest gets `57P01`" (LAYOUT §6)
#[test]
fn the_drain_timeout_ends_who_stays() {
    let setup = Setup::before(&Cluster::any().tcp).flag("drain-timeout", "1s");
    let pgvitals = setup.start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    pgvitals.signal("TERM");
    client.is_told_of_the_end();
    pgvitals.await_phase("Stopped");
}

/// "busy ones when their transaction ends or at the deadline" (LAYOUT §6): one that waits for its client is told, one
/// whose statement runs can't be.
#[test]
fn a_transaction_that_never_ends_is_ended_by_the_drain_timeout() {
    let setup = Setup::before(&Cluster::any().tcp).flag("drain-mode", "transactions").flag("drain-timeout", "2s");
    let pgvitals = setup.start();
    let mut waiting = Client::connect(pgvitals.address(), "postgres");
    waiting.query("begin");
    let mut running = Client::connect(pgvitals.address(), "postgres");
    let (pid, _) = running.key.clone().unwrap();
    running.query("begin");
    running.send(&bytes_of![query("select pg_sleep(600)")]);
    // It runs.
    pgvitals.await_merge("a statement in flight", |pgvitals| {
        let active = pgvitals.performance("metric=active");
        active["statements"].as_array().is_some_and(|active| !active.is_empty()).then_some(())
    });
    let signalled = now();
    pgvitals.signal("TERM");
    assert_eq!(waiting.value("select 'until the deadline'"), "until the deadline");
    waiting.is_told_of_the_end();
    assert_eq!(running.frame(), None);
    assert!(signalled.elapsed() >= Duration::from_secs(2), "{:?}", signalled.elapsed());
    pgvitals.await_phase("Stopped");
    // Left alone, the server would sleep on for other tests.
    Cluster::any().client("postgres").query(&format!("select pg_terminate_backend({pid})"));
}

/// "`pgvitals healthcheck`" (issue 4, §2): a process is well as long as it answers, draining too, or it would be killed
/// before its sessions have ended.
#[test]
fn the_healthcheck_tells_by_its_exit_code_whether_a_process_answers() {
    let pgvitals = draining_by("clients");
    let client = Client::connect(pgvitals.address(), "postgres");
    assert_eq!(healthcheck(&pgvitals), Some(0));
    pgvitals.signal("TERM");
    pgvitals.await_phase("Draining");
    assert_eq!(pgvitals.get("/readyz").status, 503);
    assert_eq!(healthcheck(&pgvitals), Some(0));
    drop(client);
    pgvitals.await_phase("Stopped");
    assert_eq!(healthcheck(&pgvitals), Some(1));
}

/// The exit code of a health check of this process.
fn healthcheck(pgvitals: &Pgvitals) -> Option<i32> {
    let address = pgvitals.http.to_string();
    let check = Command::new(env!("CARGO_BIN_EXE_pgvitals")).args(["healthcheck", "--http", &address]).output();
    check.unwrap().status.code()
}

/// "file-descriptor exhaustion (accept backs off, no busy loop, a log line)" (issue 4, §2); and it recovers.
#[test]
#[cfg(target_os = "linux")]
fn without_descriptors_accepting_backs_off_and_recovers() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut old = Client::connect(pgvitals.address(), "postgres");
    let fd = format!("/proc/{}/fd", pgvitals.keeper.pid);
    let lowest_free = (0..).find(|number| !std::fs::exists(format!("{fd}/{number}")).unwrap()).unwrap();
    limit(&pgvitals, lowest_free);
    // The kernel accepts it; pgvitals can't.
    let mut waiting = Client::open(pgvitals.address());
    pgvitals.keeper.log.await_line("accepting fails", |line| line.contains("cannot accept").then_some(()));
    let before = ticks(&pgvitals);
    assert_eq!(old.value("select 'served' from pg_sleep(1)"), "served");
    let used = ticks(&pgvitals) - before;
    assert!(used < 20, "{used} hundredths of a second of CPU time in a second of waiting");
    limit(&pgvitals, 1024);
    let frames = waiting.begin(&startup(&[("user", "postgres")]));
    assert_eq!(frames.last().map(|frame| frame.tag), Some(b'Z'), "{frames:?}");
    assert_eq!(pgvitals.metric("pgvitals_panics_total"), 0.0);
}

/// Sets the process's soft limit of open files.
#[cfg(target_os = "linux")]
fn limit(pgvitals: &Pgvitals, files: usize) {
    let pid = pgvitals.keeper.pid.to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={files}:")]).status().unwrap();
    assert!(done.success());
}

/// CPU time so far, user and system, in hundredths of a second.
#[cfg(target_os = "linux")]
fn ticks(pgvitals: &Pgvitals) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pgvitals.keeper.pid)).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}
