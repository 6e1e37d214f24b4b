//! One leg's socket, TCP or Unix, read and written by `poll_…(&self)` so that both directions of a connection share it;
//! encrypted where `tls` is set.
//!
//! tokio learns that a socket is drained from a short read only in its own `poll_read`, which wants `&mut`. Here the
//! same knowledge is passed on through `try_io`: a short read or write reports *would block* after it has kept its
//! count. So each message costs one system call in each direction (LAYOUT §5, IO rule 1).

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

use super::tls::start::Secured;
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

/// What the kernel knows of it.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
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

    /// Whether bytes, or the end, can be read now. Consumes at most one byte: ask only where any byte is one too many.
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
        self.stream.socket().shutdown(Shutdown::Write)
    }

    /// Makes the coming close a reset: the peer learns at once that this connection was lost.
    pub(crate) fn reset_on_close(&self) {
        if let Stream::Tcp(stream) = &self.stream {
            // A socket that is gone already needs no reset.
            drop(SockRef::from(stream).set_linger(Some(Duration::ZERO)));
        }
    }

    /// Returns when the peer has reset the connection; for a socket that is not being read.
    pub(crate) async fn failed(self: Rc<Self>) {
        // An error here is the runtime's end, which ends the connection too.
        drop(match &self.stream {
            Stream::Tcp(stream) => stream.ready(Interest::ERROR).await,
            Stream::Unix(stream) => stream.ready(Interest::ERROR).await,
        });
    }
}

impl Stream {
    /// Reads once; 0 is the peer's FIN.
    #[inline]
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let length = buffer.len();
        loop {
            ready!(self.poll_read_ready(cx))?;
            if let Some(result) = self.once(Interest::READABLE, length, |mut socket| socket.read(buffer)) {
                return Poll::Ready(result);
            }
        }
    }

    #[inline]
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(cx),
            Stream::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    fn poll_ends_next(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let peek = |socket: &socket2::Socket| socket.peek(&mut [MaybeUninit::uninit()]);
        loop {
            ready!(self.poll_read_ready(cx))?;
            if let Some(result) = self.once(Interest::READABLE, 1, peek) {
                return Poll::Ready(result.map(|count| count == 0));
            }
        }
    }

    /// Writes once, perhaps not everything.
    #[inline]
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self {
                Stream::Tcp(stream) => ready!(stream.poll_write_ready(cx))?,
                Stream::Unix(stream) => ready!(stream.poll_write_ready(cx))?,
            }
            if let Some(result) = self.once(Interest::WRITABLE, bytes.len(), |mut socket| socket.write(bytes)) {
                return Poll::Ready(result);
            }
        }
    }

    /// One system call; `None` when it would block. A count short of `length` means that the next one would.
    #[inline]
    fn once(
        &self,
        interest: Interest,
        length: usize,
        mut call: impl FnMut(&socket2::Socket) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        let mut short = None;
        let socket = self.socket();
        let attempt = || loop {
            match call(&socket) {
                Ok(count) if 0 < count && count < length => {
                    short = Some(count);
                    return Err(ErrorKind::WouldBlock.into());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return other,
            }
        };
        let result = match self {
            Stream::Tcp(stream) => stream.try_io(interest, attempt),
            Stream::Unix(stream) => stream.try_io(interest, attempt),
        };
        match (short, result) {
            (Some(count), _) => Some(Ok(count)),
            (None, Err(error)) if error.kind() == ErrorKind::WouldBlock => None,
            (None, result) => Some(result),
        }
    }

    fn has_more(&self) -> bool {
        let read = (&*self.socket()).read(&mut [0]);
        !read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Writes what the kernel takes at once: for last words, on which nobody waits.
    pub(crate) fn send_now(&self, bytes: &[u8]) {
        drop((&*self.socket()).write(bytes));
    }

    fn socket(&self) -> SockRef<'_> {
        match self {
            Stream::Tcp(stream) => SockRef::from(stream),
            Stream::Unix(stream) => SockRef::from(stream),
        }
    }
}
