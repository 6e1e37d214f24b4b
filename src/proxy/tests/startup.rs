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
    let Stage { at, server, shutdown, run, telemetry } = stage;
    drop(server);
    let mut client = TcpStream::connect(at).await.unwrap();
    client.write_all(STARTUP).await.unwrap();
    let answer = rest(&mut client).await.unwrap();
    assert_eq!(sqlstate(&answer), "08006");
    assert!(String::from_utf8_lossy(&answer).contains("upstream"), "the hint names the setting");
    drop(telemetry);
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
