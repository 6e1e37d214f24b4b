//! Just enough HTTP/1.1 to ask pgvitals what it saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::clock::PATIENCE;
use super::once::Once;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value; empty when it isn't there.
    pub(crate) fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The body as JSON, each field of it once.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let Once = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Begins a request without a body; the answer's head is read.
fn begin(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, Vec<(String, String)>, BufReader<TcpStream>) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    send(address, &format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n{headers}connection: close\r\n\r\n"))
}

/// Sends a request of this text; the answer's head is read.
fn send(address: SocketAddr, text: &str) -> (u16, Vec<(String, String)>, BufReader<TcpStream>) {
    let path = text.split("\r\n").next().unwrap_or_default();
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("no HTTP at {address}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{path}: not HTTP: {line:?}"));
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return (status, headers, stream),
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
}

/// One GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[])
}

/// One request without a body.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    answer(begin(address, method, path, headers))
}

/// One POST of JSON, with further lines of the head.
pub(crate) fn post(address: SocketAddr, path: &str, head: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("host: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{head}");
    answer(send(address, &format!("POST {path} HTTP/1.1\r\n{head}\r\n{body}")))
}

fn answer((status, headers, mut stream): (u16, Vec<(String, String)>, BufReader<TcpStream>)) -> Answer {
    let mut body = Vec::new();
    if header(&headers, "transfer-encoding") == "chunked" {
        while let Some(chunk) = chunk(&mut stream) {
            body.extend(chunk);
        }
    } else {
        stream.read_to_end(&mut body).unwrap();
    }
    let content_type = header(&headers, "content-type").to_owned();
    Answer { status, content_type, headers, body: String::from_utf8(body).unwrap() }
}

/// The next chunk; `None` behind the last one.
fn chunk(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let length = usize::from_str_radix(line.trim_end(), 16).ok().filter(|length| *length > 0)?;
    let mut chunk = vec![0; length + 2];
    stream.read_exact(&mut chunk).unwrap();
    chunk.truncate(length);
    Some(chunk)
}

/// A stream of server-sent events.
pub(crate) struct Events {
    stream: BufReader<TcpStream>,
    text: String,
}

impl Events {
    /// Subscribes.
    pub(crate) fn subscribe(address: SocketAddr) -> Self {
        let (status, headers, stream) = begin(address, "GET", "/api/events", &[]);
        assert_eq!((status, header(&headers, "content-type")), (200, "text/event-stream"));
        assert_eq!(header(&headers, "transfer-encoding"), "chunked");
        Self { stream, text: String::new() }
    }

    /// The next event: name and data.
    pub(crate) fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
                };
                let (name, data) = (field("event"), field("data"));
                self.text = rest.to_owned();
                if !data.is_empty() {
                    return (name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = chunk(&mut self.stream).expect("the stream of events goes on");
            self.text.push_str(&String::from_utf8(chunk).unwrap());
        }
    }

    /// The next event of this name.
    pub(crate) fn await_event(&mut self, name: &str) -> Value {
        loop {
            let (other, data) = self.next();
            if other == name {
                return data;
            }
        }
    }
}
