//! Asking a running pgvitals, here one that a test plays.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use crate::base::secret::Secret;
use crate::cli::client::{Client, runtime};
use crate::runtime::listen::Address;

/// Answers one request and gives back what was asked.
fn answer(mut stream: impl Read + Write, text: &str) -> String {
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        asked.push(byte[0]);
    }
    stream.write_all(text.as_bytes()).unwrap();
    String::from_utf8(asked).unwrap()
}

fn ask(text: &'static str, token: Option<&str>) -> (anyhow::Result<serde_json::Value>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || answer(listener.accept().unwrap().0, text));
    // Who listens on every address is asked over loopback.
    let listen = Address::Tcp { host: "0.0.0.0".to_owned(), port };
    let client = Client::new(&listen, token.map(|token| Secret::new(token.to_owned())));
    let value = runtime().unwrap().block_on(client.json("/x?y=1"));
    (value, server.join().unwrap())
}

#[test]
fn an_answer_is_read_and_the_token_is_shown() {
    let (value, asked) = ask("HTTP/1.1 200 OK\r\ncontent-type: x\r\n\r\n{\"a\":1}", Some("t"));
    assert_eq!(value.unwrap()["a"], 1);
    assert!(asked.starts_with("GET /x?y=1 HTTP/1.0\r\nHost: 127.0.0.1:"), "{asked}");
    assert!(asked.contains("\r\nAuthorization: Bearer t\r\n"), "{asked}");
}

#[test]
fn a_problem_is_told_with_its_detail() {
    let (value, asked) = ask("HTTP/1.1 401 Unauthorized\r\n\r\n{\"detail\":\"send http_token\"}", None);
    let said = value.unwrap_err().to_string();
    assert!(said.contains("401") && said.contains("send http_token"), "{said}");
    assert!(!asked.contains("Authorization"), "{asked}");
    assert!(said.contains("--http-token-file") && said.contains("PGVITALS_HTTP_TOKEN"), "{said}");
    let (value, _) = ask("HTTP/1.1 401 Unauthorized\r\n\r\n{}", Some("t"));
    assert!(value.unwrap_err().to_string().contains("of this command"));
}

#[test]
fn events_are_followed_until_their_stream_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
    let text = "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: alive\n\nevent: live\ndata: 1\n\nevent: slow\n\
                data: 2\n\ndata: 3\nevent: live\r\n\r\ndata: 4\n\nevent: live\ndata: 5";
    let server = std::thread::spawn(move || answer(listener.accept().unwrap().0, text));
    let mut told = Vec::new();
    let client = Client::new(&listen, None);
    let take = |data: &[u8]| told.push(String::from_utf8(data.to_vec()).unwrap());
    runtime().unwrap().block_on(client.follow("/api/events", "live", take)).unwrap();
    assert!(server.join().unwrap().starts_with("GET /api/events HTTP/1.0\r\n"));
    // What was cut off is no event.
    assert_eq!(told, ["1", "3"]);
}

#[test]
fn what_is_no_http_is_an_error() {
    assert!(ask("SSH-2.0-OpenSSH\r\n\r\n", None).0.is_err());
    assert!(ask("", None).0.is_err());
}

#[test]
fn unix_sockets_are_asked_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || answer(listener.accept().unwrap().0, "HTTP/1.1 200 OK\r\n\r\nok"));
    let answer = runtime().unwrap().block_on(Client::new(&Address::Unix(path), None).get("/healthz")).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
    assert!(server.join().unwrap().contains("Host: localhost"));
}
