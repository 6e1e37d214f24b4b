//! "Upstream restarted, unreachable, hanging at connect, resetting mid-result, sending FATAL" (issue 4, §2): what the
//! client sees of it, and what is counted.

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::bytes_of;
use crate::support::address::Address;
use crate::support::client::{Client, query, startup, tags};
use crate::support::clock::{PATIENCE, now};
use crate::support::ledger::Ledger;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::server::{Peer, Server};

/// Waits for a failed start-up with this code; `(none)` where there was no answer.
#[track_caller]
fn await_failed(pgvitals: &Pgvitals, sqlstate: &str) {
    let sample = format!("pgvitals_connections_failed_total{{sqlstate=\"{sqlstate}\"}}");
    pgvitals.await_merge(&sample, |pgvitals| (pgvitals.metric(&sample) == 1.0).then_some(()));
}

/// The server is restarted under load, and its backends crash: clients are told by the server, or by pgvitals while it
/// is down, or see the end that they would see directly; afterwards all is as before.
#[test]
fn a_server_that_restarts_under_load_costs_sessions_and_no_entry() {
    let cluster = Cluster::restarting();
    let database = &cluster.database();
    let pgvitals = Pgvitals::before(&cluster.tcp);
    let ledger = Ledger::new(&cluster, pgvitals.address(), database, 100);
    let heard = ledger.booked_while(|heard| {
        heard.listen(100);
        cluster.restart();
        heard.listen(200);
        let mut victim = cluster.client(database);
        let (pid, _) = victim.key.clone().unwrap();
        victim.query("begin");
        assert!(std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
        heard.listen(200);
    });
    heard.agrees_with(&cluster, database);
    let known = |end: &str| {
        let end = end.trim_end_matches(", its COMMIT sent");
        // 57P01 at the restart, 57P03 while it starts, 08006 while nobody listens; a crash says nothing.
        matches!(end, "told 57P01" | "told 57P02" | "told 57P03" | "told 08006") || end.starts_with("lost: ")
    };
    assert!(!heard.ends.is_empty() && heard.ends.keys().all(|end| known(end)), "{:?}", heard.ends);
    let acknowledged = heard.acknowledged();
    pgvitals.await_merge(&format!("{acknowledged} COMMITs"), |pgvitals| {
        let commits = pgvitals.statements("").into_iter().find(|row| row.query == "commit")?;
        (commits.calls - commits.errors - commits.aborted == acknowledged).then_some(())
    });
    pgvitals.await_merge("no open connection", |pgvitals| {
        (pgvitals.performance("metric=summary")["connections"]["open"] == 0).then_some(())
    });
    assert_eq!(pgvitals.metric("pgvitals_panics_total"), 0.0);
}

/// A server whose kernel answers nobody any more: its queue is full.
#[cfg(target_os = "linux")]
fn hanging() -> (Socket, Vec<TcpStream>, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let at = socket.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = TcpStream::connect_timeout(&at, Duration::from_millis(200)) {
        waiting.push(connected);
        assert!(waiting.len() < 100, "the queue never fills");
    }
    (socket, waiting, at)
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_hangs_at_connect_is_an_error_in_time_and_the_next_address_is_tried() {
    let (_socket, _waiting, at) = hanging();
    let pgvitals = Setup::before(&Address::Tcp(at)).flag("connect-timeout", "1s").start();
    let begin = now();
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert!(begin.elapsed() >= Duration::from_secs(1) && begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
    assert_eq!((tags(&frames), frames[0].field(b'C').as_deref()), ("E".to_owned(), Some("08006")));
    let message = frames[0].field(b'M').unwrap();
    assert_eq!(message, format!("pgvitals: could not connect to the server: {at}: no answer in 1.0 s"));
    await_failed(&pgvitals, "08006");
    assert_eq!(pgvitals.get("/readyz").status, 503);

    let both = format!("{at},{}", Cluster::any().tcp);
    let pgvitals = Setup::default().route_to_url(&both).flag("connect-timeout", "2s").start();
    assert_eq!(Client::connect(pgvitals.address(), "postgres").value("select 'the second'"), "the second");
}

/// It hangs as it would directly, and only as long as the client wants it to.
#[test]
fn a_server_that_accepts_and_says_nothing_holds_nobody_who_leaves() {
    let (tell, told) = sync_channel(1);
    let server = Server::start(move |peer| {
        let packet = peer.startup();
        tell.send(packet.is_some()).unwrap();
        let _end = std::io::copy(&mut peer.stream, &mut std::io::sink()).is_err();
        tell.send(true).unwrap();
    });
    let pgvitals = Pgvitals::before(&server.address);
    let mut client = Client::open(pgvitals.address());
    client.send(&bytes_of![startup(&[("user", "postgres")])]);
    assert!(told.recv_timeout(PATIENCE).unwrap(), "the server has the packet");
    client.stream.set_patience(Duration::from_millis(300)).unwrap();
    let silence = client.stream.read(&mut [0]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    drop(client);
    assert!(told.recv_timeout(PATIENCE).unwrap(), "the server sees the end");
    await_failed(&pgvitals, "(none)");
}

/// It may hang in the middle of TLS as well: that is a part of connecting, and has its limit.
#[test]
fn a_server_that_falls_silent_within_tls_is_an_error_in_time() {
    let server = Server::start(|peer| {
        peer.packet();
        peer.send(b"S");
        let _end = std::io::copy(&mut peer.stream, &mut std::io::sink()).is_err();
    });
    let setup = Setup::before(&server.address).flag("tls-upstream", "require");
    let pgvitals = setup.flag("connect-timeout", "1s").start();
    let begin = now();
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert!(begin.elapsed() >= Duration::from_secs(1) && begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
    assert_eq!((tags(&frames), frames[0].field(b'C').as_deref()), ("E".to_owned(), Some("08006")));
    assert!(frames[0].field(b'M').unwrap().ends_with("no answer in 1.0 s"), "{frames:?}");
    await_failed(&pgvitals, "08006");
}

/// "A reset on one side is a reset on the other": what was said before it is delivered.
#[test]
fn a_reset_within_a_result_is_a_reset_behind_what_was_sent() {
    const PART: &[u8] = b"T\0\0\0\x06\0\0D\0\0\0\x06\0\0D\0\0\0\xff\0\x01";
    let (go, wait) = sync_channel::<()>(1);
    let wait = std::sync::Mutex::new(wait);
    let server = Server::start(move |peer| {
        peer.welcome();
        peer.until(b'Q');
        peer.send(PART);
        // Not before it has arrived: a reset takes what lies in queues along.
        wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        peer.reset();
    });
    let pgvitals = Pgvitals::before(&server.address);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.send(&bytes_of![query("select half")]);
    let mut part = vec![0; PART.len()];
    client.stream.read_exact(&mut part).unwrap();
    assert_eq!(part, PART);
    go.send(()).unwrap();
    assert_eq!(client.stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let row = pgvitals.await_statement("select half", 1);
    assert_eq!((row.errors, row.aborted), (0, 1), "{row:?}");
}

/// A FATAL error as PostgreSQL sends it.
fn fatal(code: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0Fx.c\0L1\0Rx\0\0");
    [b"E", &(fields.len() as u32 + 4).to_be_bytes()[..], fields.as_bytes()].concat()
}

/// "What the server refuses, the client is told in the server's words": in a start-up, and in a statement.
#[test]
fn a_fatal_error_is_passed_on_as_it_is_and_counted_by_its_code() {
    for (code, message) in [("53300", "sorry, too many clients already"), ("28P01", "password authentication failed")] {
        let said = fatal(code, message);
        let (sent, expected) = (said.clone(), said);
        let server = Server::start(move |peer: &mut Peer| {
            peer.startup();
            peer.send(&sent);
        });
        let pgvitals = Pgvitals::before(&server.address);
        let mut client = Client::open(pgvitals.address());
        client.send(&bytes_of![startup(&[("user", "postgres")])]);
        assert_eq!(client.rest().escape_ascii().to_string(), expected.escape_ascii().to_string());
        await_failed(&pgvitals, code);
    }
    let said = fatal("57P01", "terminating connection due to administrator command");
    let expected = said.clone();
    let server = Server::start(move |peer| {
        peer.welcome();
        peer.until(b'Q');
        peer.send(&said);
    });
    let pgvitals = Pgvitals::before(&server.address);
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.send(&bytes_of![query("select 1 as terminated; select 2 as never")]);
    assert_eq!(client.rest().escape_ascii().to_string(), expected.escape_ascii().to_string());
    let row = pgvitals.await_statement("select $1 as terminated", 1);
    assert_eq!((row.errors, row.aborted), (1, 0), "{row:?}");
    let discarded = "pgvitals_statements_discarded_total{reason=\"behind_error\"}";
    assert_eq!(pgvitals.metric(discarded), 1.0, "{}", pgvitals.get("/metrics").body);
}
