//! A client that says exactly what a test wants, encoded by the `pgwire` crate: independent of the code under test.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use pgwire::messages::extendedquery::{Bind, Close, Describe, Execute, Flush, Parse, Sync};
use pgwire::messages::simplequery::Query;
use pgwire::messages::startup::{Password, SslRequest, Startup};

use super::address::{Address, Stream};

/// A message of either side after start-up, as it stood on the wire.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) tag: u8,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", char::from(self.tag), self.body.escape_ascii())
    }
}

impl Frame {
    /// A field of an ErrorResponse or NoticeResponse (manual, 55.8): `C` the code, `M` the message, `H` the hint.
    pub(crate) fn field(&self, code: u8) -> Option<String> {
        let mut fields = self.body.split(|byte| *byte == 0);
        let field = fields.find(|field| field.first() == Some(&code))?;
        Some(String::from_utf8_lossy(&field[1..]).into_owned())
    }

    /// A CommandComplete's tag.
    pub(crate) fn command(&self) -> String {
        assert_eq!(self.tag, b'C', "{self:?}");
        String::from_utf8_lossy(&self.body[..self.body.len() - 1]).into_owned()
    }

    /// A DataRow's values as text.
    pub(crate) fn values(&self) -> Vec<Option<String>> {
        assert_eq!(self.tag, b'D', "{self:?}");
        let mut rest = &self.body[2..];
        let mut values = Vec::new();
        while let Some((length, behind)) = rest.split_at_checked(4) {
            let length = i32::from_be_bytes(length.try_into().unwrap());
            let Ok(length) = usize::try_from(length) else {
                values.push(None);
                rest = behind;
                continue;
            };
            values.push(Some(String::from_utf8_lossy(&behind[..length]).into_owned()));
            rest = &behind[length..];
        }
        values
    }
}

/// Tags of frames, in order, as a test writes them: `"TDCZ"`.
pub(crate) fn tags(frames: &[Frame]) -> String {
    frames.iter().map(|frame| char::from(frame.tag)).collect()
}

/// Encodes messages one behind the other, to be sent in one write.
#[macro_export]
macro_rules! bytes_of {
    ($($message:expr),+ $(,)?) => {{
        use pgwire::messages::Message as _;
        let mut buffer = bytes::BytesMut::new();
        $($message.encode(&mut buffer).unwrap();)+
        buffer
    }};
}

pub(crate) fn query(sql: &str) -> Query {
    Query::new(sql.to_owned())
}

pub(crate) fn parse(name: &str, sql: &str) -> Parse {
    Parse::new(Some(name.to_owned()), sql.to_owned(), Vec::new())
}

/// Text parameters, text results.
pub(crate) fn bind(portal: &str, statement: &str, values: &[&str]) -> Bind {
    let values = values.iter().map(|value| Some(Bytes::copy_from_slice(value.as_bytes()))).collect();
    Bind::new(Some(portal.to_owned()), Some(statement.to_owned()), Vec::new(), values, Vec::new())
}

pub(crate) fn describe_portal(name: &str) -> Describe {
    Describe::new(b'P', Some(name.to_owned()))
}

pub(crate) fn execute(portal: &str, rows_max: i32) -> Execute {
    Execute::new(Some(portal.to_owned()), rows_max)
}

pub(crate) fn close_statement(name: &str) -> Close {
    Close::new(b'S', Some(name.to_owned()))
}

pub(crate) fn sync() -> Sync {
    Sync::new()
}

pub(crate) fn flush() -> Flush {
    Flush::new()
}

/// Parse, Bind, Execute of one statement, without the Sync.
pub(crate) fn extended(sql: &str, values: &[&str]) -> BytesMut {
    bytes_of![parse("", sql), bind("", "", values), execute("", 0)]
}

/// A StartupMessage 3.0.
pub(crate) fn startup(parameters: &[(&str, &str)]) -> Startup {
    let mut message = Startup::new();
    message.parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    message
}

/// How a connection ended under a client that can bear it.
#[derive(thiserror::Error, Debug)]
pub(crate) enum End {
    /// It never stood: what `connect(2)` said.
    #[error("refused: {0}")]
    Refused(Error),
    /// The server gave this SQLSTATE, fatally.
    #[error("told {0}")]
    Told(String),
    /// Without a word.
    #[error("lost: {0}")]
    Lost(Error),
}

/// A connection.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// From BackendKeyData: process id and key.
    pub(crate) key: Option<(i32, Vec<u8>)>,
    /// Last values of ParameterStatus.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Client {
    /// A connection on which nothing was said.
    #[track_caller]
    pub(crate) fn open(address: &Address) -> Self {
        Self { stream: address.open(), key: None, parameters: BTreeMap::new() }
    }

    /// A connection on which only TLS was begun, after asking for it.
    #[track_caller]
    pub(crate) fn open_tls(address: &Address, config: Arc<rustls::ClientConfig>) -> Self {
        let mut client = Self::open(address);
        client.send(&bytes_of![SslRequest::new()]);
        let mut answer = [0];
        client.stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"S", "TLS was declined");
        Self { stream: client.stream.encrypt(config), ..client }
    }

    /// A session of the superuser that stands.
    #[track_caller]
    pub(crate) fn connect(address: &Address, database: &str) -> Self {
        Self::start(address, &startup(&[("user", "postgres"), ("database", database)]))
    }

    /// A session begun with this message; passwords are those of the clusters' users.
    #[track_caller]
    pub(crate) fn start(address: &Address, message: &Startup) -> Self {
        let mut client = Self::open(address);
        let frames = client.begin(message);
        assert_eq!(frames.last().map(|frame| frame.tag), Some(b'Z'), "start-up failed: {frames:?}");
        client
    }

    /// As [`Client::connect`], for a test that knows what to do when there is no session.
    pub(crate) fn try_connect(address: &Address, database: &str) -> Result<Self, End> {
        let stream = address.try_open().map_err(End::Refused)?;
        let mut client = Self { stream, key: None, parameters: BTreeMap::new() };
        client.try_ask(&bytes_of![startup(&[("user", "postgres"), ("database", database)])])?;
        Ok(client)
    }

    /// As [`Client::ask`], for a test that knows what to do when the session ends.
    pub(crate) fn try_ask(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, End> {
        // What was said before the end can be read though nothing can be written.
        let sent = self.stream.write_all(bytes);
        let mut frames = Vec::new();
        loop {
            let frame = self.try_frame().map_err(End::Lost)?;
            let fatal = frame.tag == b'E' && frame.field(b'V').as_deref() == Some("FATAL");
            if let (true, Some(code)) = (fatal, frame.field(b'C')) {
                return Err(End::Told(code));
            }
            let last = frame.tag == b'Z';
            frames.push(frame);
            if last {
                return sent.map(|()| frames).map_err(End::Lost);
            }
        }
    }

    /// Sends the start-up and reads to ReadyForQuery or the end.
    pub(crate) fn begin(&mut self, message: &Startup) -> Vec<Frame> {
        self.send(&bytes_of![message]);
        let mut frames = Vec::new();
        while let Some(frame) = self.frame() {
            match frame.tag {
                b'R' if frame.body == [0, 0, 0, 3] => {
                    let user = message.parameters.get("user").cloned().unwrap_or_default();
                    self.send(&bytes_of![Password::new(format!("secret of {user}"))]);
                }
                b'K' => {
                    let (pid, key) = frame.body.split_at(4);
                    self.key = Some((i32::from_be_bytes(pid.try_into().unwrap()), key.to_vec()));
                }
                _ => {}
            }
            let last = frame.tag == b'Z';
            frames.push(frame);
            if last {
                break;
            }
        }
        frames
    }

    /// Writes bytes as they are.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame; `None` at the end of the stream, however it came.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        match self.try_frame() {
            Ok(frame) => Some(frame),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => None,
            Err(error) => panic!("no frame came: {error}"),
        }
    }

    /// The next frame, or what came instead: `UnexpectedEof` at the end.
    pub(crate) fn try_frame(&mut self) -> Result<Frame, Error> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body)?;
        let frame = Frame { tag: head[0], body };
        if frame.tag == b'S' {
            let text = String::from_utf8_lossy(&frame.body).into_owned();
            if let Some((name, value)) = text.trim_end_matches('\0').split_once('\0') {
                self.parameters.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(frame)
    }

    /// Reads up to and with a frame of this tag.
    #[track_caller]
    pub(crate) fn until(&mut self, tag: u8) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let Some(frame) = self.frame() else { panic!("the stream ended before {}: {frames:?}", char::from(tag)) };
            frames.push(frame);
            if frames.last().map(|frame| frame.tag) == Some(tag) {
                return frames;
            }
        }
    }

    /// Sends and reads to ReadyForQuery.
    #[track_caller]
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.send(bytes);
        self.until(b'Z')
    }

    /// Runs a statement that must succeed; its rows as text.
    #[track_caller]
    pub(crate) fn query(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        let frames = self.ask(&bytes_of![query(sql)]);
        assert!(frames.iter().all(|frame| frame.tag != b'E'), "{sql}: {frames:?}");
        frames.iter().filter(|frame| frame.tag == b'D').map(Frame::values).collect()
    }

    /// The one value of a statement.
    #[track_caller]
    pub(crate) fn value(&mut self, sql: &str) -> String {
        let rows = self.query(sql);
        rows.first().and_then(|row| row.first()).cloned().flatten().unwrap_or_else(|| panic!("{sql} has no value"))
    }

    /// The session ends as PROTOCOL §8 says: a FATAL 57P01, then the end of the stream.
    #[track_caller]
    pub(crate) fn is_told_of_the_end(&mut self) {
        let frame = self.frame().expect("no word before the end");
        assert_eq!((frame.field(b'C').as_deref(), frame.field(b'V').as_deref()), (Some("57P01"), Some("FATAL")));
        assert_eq!(self.frame(), None);
    }

    /// All bytes to the end of the stream.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("the stream did not end: {error}"),
            _ => bytes,
        }
    }
}
