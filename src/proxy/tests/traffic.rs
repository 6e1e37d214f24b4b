//! What a session's peers see of one another (PROTOCOL §7, §8).

use socket2::SockRef;

use super::*;
use crate::base::telemetry::{Dropped, Unmeasured};
use crate::base::units::{Nanos, WallTime};
use crate::proxy::DrainMode;
use crate::proxy::fault::{IN_RESOLVER, IN_WORKER};
use crate::stats::live::{Filter, Window};

/// A simple Query with this text.
fn query(text: &str) -> Vec<u8> {
    let mut message = vec![b'Q'];
    message.extend((text.len() as u32 + 5).to_be_bytes());
    message.extend(text.as_bytes());
    message.push(0);
    message
}

/// All that was measured.
fn ever() -> Window {
    Window { from: WallTime::default(), to: WallTime::from_unix_micros(i64::MAX) }
}

const ANSWER: &[u8] = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

fn reset(socket: TcpStream) {
    SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_client_that_half_closes_still_gets_its_answer() {
    let stage = Stage::new(|_| ()).await;
    let (mut client, mut server) = stage.session().await;
    let question = query("select 1");
    client.write_all(&question).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut server).await.unwrap(), question, "the end comes behind the last byte");
    server.write_all(ANSWER).await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), ANSWER);
    stage.stop().await;
}

#[tokio::test]
async fn a_reset_on_one_leg_resets_the_other() {
    let stage = Stage::new(|_| ()).await;
    let (mut client, server) = stage.session().await;
    reset(server);
    assert_eq!(rest(&mut client).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let (client, mut server) = stage.session().await;
    reset(client);
    assert_eq!(rest(&mut server).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    stage.stop().await;
}

/// "At the limit a direction … isn't read until others drained", "FIN goes on after held bytes" (PROTOCOL §7)
/// "A side that does not read holds up the other, as it would without pgvitals." (docs/transparency.md)
#[tokio::test]
async fn a_slow_reader_holds_up_its_server_and_gets_every_byte_and_the_end_behind_them() {
    let stage = Stage::new(|_| ()).await;
    let (mut client, mut server) = stage.session().await;
    // Fixed buffers on our ends: what lies on the way is the proxy's and the kernel's for the proxy, 40 MiB at most.
    SockRef::from(&client).set_recv_buffer_size(64 * 1024).unwrap();
    SockRef::from(&server).set_send_buffer_size(64 * 1024).unwrap();
    let row = |number: u8| {
        let head = [&b"D"[..], &(4 + (1_u32 << 20)).to_be_bytes()].concat();
        [head, vec![number; 1 << 20]].concat()
    };
    let mut sending = tokio::spawn(async move {
        for number in 0..96 {
            server.write_all(&row(number)).await.unwrap();
        }
    });
    // A proxy that takes all it can get would have taken it by then; a slow machine can't fail this.
    let sent = tokio::time::timeout(Duration::from_millis(500), &mut sending).await;
    assert!(sent.is_err(), "nobody reads, but 96 MiB were taken");
    for number in 0..96 {
        expect(&mut client, &row(number)).await;
    }
    assert_eq!(rest(&mut client).await.unwrap(), b"");
    in_time(sending).await.unwrap();
    stage.stop().await;
}

#[tokio::test]
async fn a_panic_in_measuring_code_leaves_the_traffic_intact_and_is_counted() {
    let stage = Stage::new(|_| ()).await;
    for (marker, panics) in [("select pgvitals_fault_session", 1), ("select pgvitals_fault_stats", 2)] {
        let (mut client, mut server) = stage.session().await;
        for text in [marker, "select 1"] {
            let question = query(text);
            client.write_all(&question).await.unwrap();
            expect(&mut server, &question).await;
            server.write_all(ANSWER).await.unwrap();
            expect(&mut client, ANSWER).await;
        }
        drop(client);
        assert_eq!(rest(&mut server).await.unwrap(), b"");
        assert_eq!(stage.telemetry.unmeasured_total(Unmeasured::Panic), panics, "{marker}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn while_draining_by_transactions_an_idle_session_is_told_and_a_busy_one_finishes() {
    let stage = Stage::new(|settings| settings.drain_mode = DrainMode::Transactions).await;
    let (mut idle, _idle_server) = stage.session().await;
    let (mut busy, mut server) = stage.session().await;
    let question = query("select 1");
    busy.write_all(&question).await.unwrap();
    expect(&mut server, &question).await;
    stage.shutdown.advance(Phase::Draining);
    assert_eq!(sqlstate(&rest(&mut idle).await.unwrap()), "57P01");
    server.write_all(ANSWER).await.unwrap();
    expect(&mut busy, ANSWER).await;
    assert_eq!(sqlstate(&rest(&mut busy).await.unwrap()), "57P01");
    in_time(stage.run).await.unwrap().unwrap();
}

#[tokio::test]
async fn draining_by_clients_accepts_until_the_last_one_leaves() {
    let stage = Stage::new(|_| ()).await;
    let first = stage.session().await;
    stage.shutdown.advance(Phase::Draining);
    let second = stage.session().await;
    drop((first, second));
    in_time(stage.run).await.unwrap().unwrap();
    assert_eq!(stage.shutdown.phase(), Phase::Flushing);
}

/// Who is busy at the end can't be told, and what runs is counted as aborted; who is in start-up can.
#[tokio::test]
async fn at_the_end_what_runs_is_aborted_and_a_start_up_is_told() {
    let stage = Stage::new(|_| ()).await;
    let (mut busy, mut server) = stage.session().await;
    busy.write_all(&query("select a from t")).await.unwrap();
    expect(&mut server, &query("select a from t")).await;
    let mut starting = stage.client().await;
    starting.write_all(STARTUP).await.unwrap();
    let (mut other, _) = stage.server.accept().await.unwrap();
    expect(&mut other, STARTUP).await;
    let totals = stage.stop().await.totals(ever(), &Filter::default());
    assert_eq!((totals.calls, totals.aborted), (1, 1));
    assert_eq!(rest(&mut busy).await.unwrap(), b"");
    assert_eq!(sqlstate(&rest(&mut starting).await.unwrap()), "57P01");
}

#[tokio::test]
async fn what_a_panic_takes_along_is_counted_execution_by_execution() {
    let stage = Stage::new(|_| ()).await;
    let (mut client, mut server) = stage.session().await;
    for text in ["select a from t", "select b from t", "select a from t", "select pgvitals_fault_stats from t"] {
        let question = query(text);
        client.write_all(&question).await.unwrap();
        expect(&mut server, &question).await;
        server.write_all(ANSWER).await.unwrap();
        expect(&mut client, ANSWER).await;
    }
    let telemetry = Arc::clone(&stage.telemetry);
    let live = stage.stop().await;
    let seen = live.totals(ever(), &Filter::default()).calls;
    // A harvest may have come between.
    assert_eq!(seen + telemetry.dropped_total(Dropped::Panic), 3);
    assert_eq!(telemetry.dropped_total(Dropped::HarvestQueue), 0);
}

#[tokio::test]
async fn what_pgvitals_adds_to_a_chunks_way_is_sampled() {
    let stage = Stage::new(|_| ()).await;
    let (mut client, mut server) = stage.session().await;
    for _ in 0..61 {
        let question = query("select a from t");
        client.write_all(&question).await.unwrap();
        expect(&mut server, &question).await;
        server.write_all(ANSWER).await.unwrap();
        expect(&mut client, ANSWER).await;
    }
    let live = stage.stop().await;
    let sessions = &live.cumulative().sessions;
    assert_eq!(sessions.forwarding.count(), 2, "of 122 chunks and a greeting");
    assert!(sessions.forwarding_time > Nanos::ZERO);
}

/// What a worker had measured outlives its panic; its connections don't, and are not panics of their own.
#[tokio::test]
async fn a_resolver_that_hangs_does_not_hold_up_the_last_harvest() {
    let stage = Stage::new(|settings| settings.routes[0].server = IN_RESOLVER.to_owned()).await;
    let (mut client, mut server) = stage.session().await;
    client.write_all(&query("select a")).await.unwrap();
    expect(&mut server, &query("select a")).await;
    server.write_all(ANSWER).await.unwrap();
    expect(&mut client, ANSWER).await;
    assert_eq!(stage.stop().await.totals(ever(), &Filter::default()).calls, 1);
}

#[tokio::test]
async fn a_worker_that_panics_loses_its_connections_and_nothing_else() {
    let fault = Route {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        server: IN_WORKER.to_owned(),
        tls: plaintext(),
        ..Route::default()
    };
    let stage = Stage::new(|settings| settings.routes.push(fault)).await;
    let (mut client, mut server) = stage.session().await;
    for text in ["select a from t", "select b from t"] {
        client.write_all(&query(text)).await.unwrap();
        expect(&mut server, &query(text)).await;
        if text == "select a from t" {
            server.write_all(ANSWER).await.unwrap();
            expect(&mut client, ANSWER).await;
        }
    }
    let mut culprit = TcpStream::connect(stage.last).await.unwrap();
    drop(rest(&mut culprit).await);
    drop(rest(&mut client).await);
    drop(rest(&mut server).await);
    let (client, server) = stage.session().await;
    assert_eq!(stage.panics.total(), 1);
    drop((client, server));
    let telemetry = Arc::clone(&stage.telemetry);
    let totals = stage.stop().await.totals(ever(), &Filter::default());
    assert_eq!(
        (totals.calls, totals.aborted, totals.rows),
        (2, 1, 1),
        "the answered one, and the one that was running"
    );
    assert!(Dropped::ALL.iter().all(|reason| telemetry.dropped_total(*reason) == 0));
}
