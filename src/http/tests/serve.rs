//! Over real sockets: both families, health, and an end that leaves no stream open.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;

use super::support::{Memory, ask, settings, sources};
use crate::http::{router, serve};
use crate::runtime::listen::{Address, Listener};

async fn request(mut socket: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_serves_over_tcp_and_unix_sockets() {
    let memory = Memory::new();
    let (sources, _views) = sources(&memory, Ok(()));
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), false).await.unwrap().remove(0);
    let Address::Tcp { port, .. } = *listener.local() else { panic!("not TCP") };
    let served =
        tokio::spawn(serve(
            listener,
            settings("127.0.0.1:0", None),
            sources.clone(),
            async move { drop(stopped.await) },
        ));
    let answer = request(TcpStream::connect(("127.0.0.1", port)).await.unwrap(), "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http");
    let listener = Listener::bind(&Address::Unix(path.clone()), false).await.unwrap().remove(0);
    let served = tokio::spawn(serve(listener, settings("/s", None), sources, std::future::pending()));
    let answer = request(UnixStream::connect(path).await.unwrap(), "/api/performance").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    served.abort();
}

#[tokio::test]
async fn the_end_closes_streams_of_events() {
    let memory = Memory::new();
    let (sources, views) = sources(&memory, Ok(()));
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served =
        tokio::spawn(serve(listener, settings("127.0.0.1:0", None), sources, async move { drop(stopped.await) }));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends whole");
    drop(views);
}

#[tokio::test]
async fn health_is_of_the_process_and_readiness_of_the_data_plane() {
    let memory = Memory::new();
    let refused = "the upstream 127.0.0.1:5432 refused the connection";
    let router = router(settings("127.0.0.1:0", None), sources(&memory, Err(refused.to_owned())).0);
    assert_eq!(ask(&router, "/healthz", &[]).await.status, 200);
    let answered = ask(&router, "/readyz", &[]).await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.json()["detail"], refused);
}
