//! One leg's socket, TCP or Unix, read and written by `poll_…(&self)` so that both directions of a connection share it;
//! encrypted where `tls` is set.

use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};

use super::stream::Stream;
use super::tls::secured::Secured;
use super::tls::stream::{Loan, Tls};
use crate::runtime::listen::Accepted;

/// When a silent peer is first asked whether it still lives, and how often after that.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// A connected leg of this thread's runtime.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    tls: Option<Box<Tls>>,
}

impl Socket {
    /// Takes over a connection from the acceptor's thread.
    pub(crate) fn accepted(accepted: Accepted) -> io::Result<Self> {
        match accepted {
            Accepted::Tcp(stream) => Self::tcp(TcpStream::from_std(stream)?),
            Accepted::Unix(stream) => Ok(Self::unix(UnixStream::from_std(stream)?)),
        }
    }

    /// Sets what every TCP leg wants: no delay, keepalive.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(Self { stream: Stream::Tcp(stream), tls: None })
    }

    pub(crate) fn unix(stream: UnixStream) -> Self {
        Self { stream: Stream::Unix(stream), tls: None }
    }

    /// Encrypted from now on, as the handshake has agreed.
    pub(crate) fn encrypt(&mut self, secured: Secured, loan: Rc<Loan>) {
        self.tls = Some(Box::new(Tls::new(secured, loan)));
    }

    /// What makes it encrypted, if it is.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// Whether both ends are on this machine by the nature of the socket: never encrypted, as with PostgreSQL.
    pub(crate) fn is_unix(&self) -> bool {
        matches!(self.stream, Stream::Unix(_))
    }

    /// Reads once; 0 is the peer's end.
    #[inline]
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &self.tls {
            None => self.stream.poll_read(cx, buffer),
            Some(tls) => tls.poll_read(&self.stream, cx, buffer),
        }
    }

    /// Writes once, perhaps not everything. What was not taken must be what the next call begins with.
    #[inline]
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &self.tls {
            None => self.stream.poll_write(cx, bytes),
            Some(tls) => tls.poll_write(&self.stream, cx, bytes),
        }
    }

    /// Reads once; 0 is the peer's end.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// Reads until `buffer` is full and not a byte more.
    pub(crate) async fn read_exact(&self, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest).await? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(())
    }

    /// Writes all of `bytes`.
    pub(crate) async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match std::future::poll_fn(|cx| self.poll_write(cx, rest)).await? {
                0 => return Err(ErrorKind::WriteZero.into()),
                count => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Returns when something can be read: whether it is the end. Consumes nothing.
    pub(crate) async fn ends_next(&self) -> io::Result<bool> {
        if self.tls.as_ref().is_some_and(|tls| tls.has_more()) {
            return Ok(false);
        }
        std::future::poll_fn(|cx| self.stream.poll_ends_next(cx)).await
    }

    /// Whether bytes can be read now. Consumes one: ask only where any byte is one too many.
    pub(crate) fn has_more(&self) -> bool {
        match &self.tls {
            None => self.stream.has_more(),
            Some(tls) => tls.has_more(),
        }
    }

    /// Ends this side behind everything that was written: close_notify where it is encrypted, and FIN.
    pub(crate) fn finish(&self) -> io::Result<()> {
        if let Some(tls) = &self.tls {
            tls.close(&self.stream);
        }
        self.stream.shut()
    }

    /// Makes the coming close a reset: the peer learns at once that this connection was lost.
    pub(crate) fn reset_on_close(&self) {
        self.stream.reset_on_close();
    }

    /// Returns when the peer has reset the connection; for a socket that is not being read.
    pub(crate) async fn failed(self: Rc<Self>) {
        self.stream.failed().await;
    }
}
