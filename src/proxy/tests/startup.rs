//! Before a session stands (PROTOCOL §1).

use tokio::io::AsyncWriteExt;

use super::*;

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const GSSENC_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";

#[tokio::test]
async fn encryption_is_refused_and_the_start_up_goes_on_verbatim() {
    let stage = Stage::new(|_| ()).await;
    let mut client = stage.client().await;
    for request in [GSSENC_REQUEST, SSL_REQUEST] {
        client.write_all(request).await.unwrap();
        expect(&mut client, b"N").await;
    }
    client.write_all(STARTUP).await.unwrap();
    let (mut server, _) = stage.server.accept().await.unwrap();
    expect(&mut server, STARTUP).await;
    stage.stop().await;
}

#[tokio::test]
async fn bytes_behind_an_unanswered_request_and_a_second_request_close() {
    let stage = Stage::new(|_| ()).await;
    let mut client = stage.client().await;
    client.write_all(&[SSL_REQUEST, STARTUP].concat()).await.unwrap();
    assert!(!rest(&mut client).await.is_ok_and(|answer| !answer.is_empty()));
    let mut client = stage.client().await;
    client.write_all(SSL_REQUEST).await.unwrap();
    expect(&mut client, b"N").await;
    client.write_all(SSL_REQUEST).await.unwrap();
    assert_eq!(rest(&mut client).await.unwrap(), b"");
    stage.stop().await;
}

#[tokio::test]
async fn a_start_up_that_is_too_long_or_too_late_closes_silently() {
    let stage = Stage::new(|settings| settings.startup_timeout = Duration::from_millis(100)).await;
    for bytes in [&b"\0\0\x27\x15"[..], b"\x16\x03\x01\x02", b"\0\0\0\x10\0\x03"] {
        let mut client = stage.client().await;
        client.write_all(bytes).await.unwrap();
        assert!(rest(&mut client).await.unwrap_or_default().is_empty());
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_with_a_hint() {
    let stage = Stage::new(|_| ()).await;
    let Stage { at, server, shutdown, run, .. } = stage;
    drop(server);
    let mut client = TcpStream::connect(at).await.unwrap();
    client.write_all(STARTUP).await.unwrap();
    let answer = rest(&mut client).await.unwrap();
    assert_eq!(sqlstate(&answer), "08006");
    assert!(String::from_utf8_lossy(&answer).contains("upstream"), "the hint names the setting");
    shutdown.advance(Phase::Flushing);
    in_time(run).await.unwrap().unwrap();
}

#[tokio::test]
async fn beyond_the_limit_sessions_are_refused_and_requests_to_cancel_are_not() {
    let stage = Stage::new(|settings| settings.max_connections = 1).await;
    let (_client, _server) = stage.session().await;
    let mut second = stage.client().await;
    second.write_all(STARTUP).await.unwrap();
    assert_eq!(sqlstate(&rest(&mut second).await.unwrap()), "53300");
    let mut cancel = stage.client().await;
    cancel.write_all(CANCEL).await.unwrap();
    let (mut server, _) = in_time(stage.server.accept()).await.unwrap();
    expect(&mut server, CANCEL).await;
    drop(server);
    assert_eq!(rest(&mut cancel).await.unwrap(), b"", "closed once the server has closed");
    stage.stop().await;
}

#[tokio::test]
async fn an_unknown_protocol_is_the_servers_to_refuse() {
    let stage = Stage::new(|_| ()).await;
    let mut client = stage.client().await;
    let packet = b"\0\0\0\x08\0\x02\0\0";
    client.write_all(packet).await.unwrap();
    let (mut server, _) = in_time(stage.server.accept()).await.unwrap();
    expect(&mut server, packet).await;
    server.write_all(b"any answer").await.unwrap();
    expect(&mut client, b"any answer").await;
    assert_eq!(stage.telemetry.unmeasured_total(crate::base::telemetry::Unmeasured::StartupPacket), 1);
    stage.stop().await;
}

#[tokio::test]
async fn what_a_client_sends_behind_its_start_up_arrives_and_its_end_cuts_nothing_short() {
    let stage = Stage::new(|_| ()).await;
    let mut client = stage.client().await;
    let early = [STARTUP, b"Q\0\0\0\x06;\0"].concat();
    client.write_all(&early).await.unwrap();
    client.shutdown().await.unwrap();
    let (mut server, _) = in_time(stage.server.accept()).await.unwrap();
    assert_eq!(rest(&mut server).await.unwrap(), early);
    server.write_all(GREETING).await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), GREETING);

    let mut client = stage.client().await;
    client.write_all(STARTUP).await.unwrap();
    client.shutdown().await.unwrap();
    let (mut server, _) = in_time(stage.server.accept()).await.unwrap();
    assert_eq!(rest(&mut server).await.unwrap(), STARTUP);
    server.write_all(GREETING).await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), GREETING);
    stage.stop().await;
}

/// A server whose kernel answers nobody any more: its queue is full.
#[cfg(target_os = "linux")]
async fn hanging() -> (socket2::Socket, Vec<TcpStream>, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let at = socket.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(at)).await {
        waiting.push(connected.unwrap());
        assert!(waiting.len() < 100, "the queue never fills");
    }
    (socket, waiting, at)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nobody_is_connected_for_who_has_left() {
    let (_server, _waiting, at) = hanging().await;
    let stage = Stage::new(|settings| {
        settings.routes[0].upstream = vec![at.into()];
        settings.connect_timeout = Duration::from_secs(60);
    })
    .await;
    let mut client = stage.client().await;
    client.write_all(STARTUP).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await.unwrap(), b"", "long before connect_timeout");
    let live = stage.stop().await;
    assert_eq!(live.cumulative().sessions.failed, [(None, 1)]);
}

#[tokio::test]
async fn sockets_that_say_nothing_are_bounded_in_number() {
    let stage = Stage::new(|settings| {
        settings.max_connections = 1;
        settings.startup_timeout = Duration::from_secs(60);
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(stage.client().await);
    }
    assert_eq!(rest(&mut stage.client().await).await.unwrap(), b"", "one too many");
    let mut first = silent.swap_remove(0);
    first.shutdown().await.unwrap();
    assert_eq!(rest(&mut first).await.unwrap(), b"");
    let (_client, _server) = stage.session().await;
    drop(silent);
    let live = stage.stop().await;
    let sessions = &live.cumulative().sessions;
    assert_eq!((sessions.opened, sessions.failed.as_slice()), (1, &[(None, 1)][..]));
}
