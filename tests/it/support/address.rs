//! Addresses of servers, and streams to them.

use std::fmt;
use std::io::{Read, Result, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

use super::clock::PATIENCE;

/// Where a PostgreSQL server, or what passes for one, listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// What libpq wants in `PGHOST` and `PGPORT`.
    pub(crate) fn host_and_port(&self) -> (String, String) {
        match self {
            Address::Tcp(address) => (address.ip().to_string(), address.port().to_string()),
            Address::Unix(path) => {
                let name = path.file_name().unwrap().to_string_lossy();
                let port = name.strip_prefix(".s.PGSQL.").expect("a socket named as libpq wants it");
                (path.parent().unwrap().to_string_lossy().into_owned(), port.to_owned())
            }
        }
    }

    /// Connects, with [`PATIENCE`] on reads and writes.
    #[track_caller]
    pub(crate) fn open(&self) -> Stream {
        self.try_open().unwrap_or_else(|error| panic!("can't connect to {self}: {error}"))
    }

    pub(crate) fn try_open(&self) -> Result<Stream> {
        let stream = match self {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        stream.set_patience(PATIENCE)?;
        Ok(stream)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A blocking stream to either kind of address.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Encrypts it; the handshake is done when the first byte is read or written.
    pub(crate) fn encrypt(self, config: Arc<ClientConfig>) -> Self {
        let Stream::Tcp(socket) = self else { panic!("TLS is for TCP") };
        let tls = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
        Stream::Tls(Box::new(StreamOwned::new(tls, socket)))
    }

    /// A read or write that takes longer fails.
    pub(crate) fn set_patience(&self, time: Duration) -> Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(Some(time)).and(stream.set_write_timeout(Some(time))),
            Stream::Unix(stream) => stream.set_read_timeout(Some(time)).and(stream.set_write_timeout(Some(time))),
            Stream::Tls(stream) => {
                stream.sock.set_read_timeout(Some(time)).and(stream.sock.set_write_timeout(Some(time)))
            }
        }
    }

    /// Ends a TCP connection as a crash does: by a reset.
    pub(crate) fn reset(self) -> Result<()> {
        self.reset_on_close()
    }

    /// Makes the close to come a reset.
    pub(crate) fn reset_on_close(&self) -> Result<()> {
        let Stream::Tcp(stream) = self else { panic!("only TCP has resets") };
        SockRef::from(stream).set_linger(Some(Duration::ZERO))
    }

    /// Another handle of a TCP connection.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let Stream::Tcp(stream) = self else { panic!("for TCP only") };
        stream.try_clone().map(Stream::Tcp)
    }

    /// Waits so long for the peer to say something, and leaves it there.
    pub(crate) fn quiet_for(&self, time: Duration) {
        let Stream::Tcp(stream) = self else { panic!("for TCP only") };
        self.set_patience(time).unwrap();
        let _late = stream.peek(&mut [0]).is_err();
        self.set_patience(PATIENCE).unwrap();
    }

    /// Says that no more bytes will come, and goes on reading.
    pub(crate) fn half_close(&mut self) -> Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.shutdown(Shutdown::Write)
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buf),
            Stream::Unix(stream) => stream.read(buf),
            Stream::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buf),
            Stream::Unix(stream) => stream.write(buf),
            // One record for each write, as a driver without a buffer of its own sends them.
            Stream::Tls(stream) => stream.write(buf).and_then(|count| stream.flush().map(|()| count)),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// IPv4 loopback with a port that the kernel chooses for whoever listens there.
pub(crate) const ANY_PORT: Address = Address::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));

/// A port that nobody listens on, and that is nobody else's as long as this lives.
pub(crate) struct Closed {
    pub(crate) address: Address,
    _bound: Socket,
}

impl Closed {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self { address: Address::Tcp(address), _bound: socket }
    }
}
