//! What the kernel has of a leg: one system call for each message in each direction (LAYOUT §5, IO rule 1).
//!
//! tokio learns that a socket is drained from a short read only in its own `poll_read`, which wants `&mut`. Here the
//! same knowledge is passed on through `try_io`: a short read or write reports *would block* after it has kept its
//! count.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// A connected socket of this thread's runtime.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
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

    /// Whether the end is next, once something can be read. Consumes nothing.
    pub(super) fn poll_ends_next(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
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

    /// Whether bytes can be read now, of which it consumes one; the end is left for a later read.
    pub(super) fn has_more(&self) -> bool {
        matches!((&*self.socket()).read(&mut [0]), Ok(1))
    }

    /// Writes what the kernel takes at once: for last words, on which nobody waits.
    pub(crate) fn send_now(&self, bytes: &[u8]) {
        drop((&*self.socket()).write(bytes));
    }

    /// Ends this side behind everything that was written.
    pub(super) fn shut(&self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)
    }

    /// Makes the coming close a reset.
    pub(super) fn reset_on_close(&self) {
        if let Stream::Tcp(stream) = self {
            // A socket that is gone already needs no reset.
            drop(SockRef::from(stream).set_linger(Some(Duration::ZERO)));
        }
    }

    /// Returns when the peer has reset the connection; for a socket that is not being read.
    pub(super) async fn failed(&self) {
        // An error here is the runtime's end, which ends the connection too.
        drop(match self {
            Stream::Tcp(stream) => stream.ready(Interest::ERROR).await,
            Stream::Unix(stream) => stream.ready(Interest::ERROR).await,
        });
    }

    fn socket(&self) -> SockRef<'_> {
        match self {
            Stream::Tcp(stream) => SockRef::from(stream),
            Stream::Unix(stream) => SockRef::from(stream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who leaves behind a request for encryption was told to have sent bytes in front of the handshake.
    #[tokio::test]
    async fn an_end_is_not_taken_for_bytes() {
        let (near, far) = UnixStream::pair().unwrap();
        let near = Stream::Unix(near);
        assert!(!near.has_more());
        (&*SockRef::from(&far)).write_all(b"x").unwrap();
        assert!(near.has_more());
        drop(far);
        assert!(!near.has_more());
    }
}
