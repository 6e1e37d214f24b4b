//! Listeners as axum takes them: pgvitals' own, and any with limits, so that readers can't take the proxy's descriptors.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::either::Either;

use crate::runtime::listen::{Accepted, Address, Listener};

/// Connections at a time, for [`Limited::new`]; more wait in the kernel's queue.
pub(super) const CONNECTIONS_MAX: usize = 256;

/// A connection on which nothing was asked or answered for so long is closed; a stream of events moves each second. Who
/// sends a request byte by byte gains no time by it.
const IDLE_MAX: Duration = Duration::from_secs(75);

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

impl serve::Listener for Listener {
    type Io = Either<TcpStream, UnixStream>;
    type Addr = Address;

    async fn accept(&mut self) -> (Self::Io, Address) {
        loop {
            match Listener::accept(self).await.and_then(stream) {
                Ok(stream) => return (stream, Listener::local(self).clone()),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "the HTTP side can't accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Address> {
        Ok(self.local().clone())
    }
}

fn stream(accepted: Accepted) -> io::Result<Either<TcpStream, UnixStream>> {
    Ok(match accepted {
        Accepted::Tcp(socket) => {
            socket.set_nodelay(true)?;
            Either::Left(TcpStream::from_std(socket)?)
        }
        Accepted::Unix(socket) => Either::Right(UnixStream::from_std(socket)?),
    })
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput)
}

/// While somebody holds it, idle connections stay open: one of them waits for a long answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Arc<AtomicUsize>);

/// See [`Patience::hold`].
#[derive(Debug)]
pub(super) struct Hold(Patience);

impl Patience {
    /// Holds it until what is returned is dropped.
    pub(super) fn hold(&self) -> Hold {
        self.0.fetch_add(1, Relaxed);
        Hold(self.clone())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// A listener with a limit on connections and on their idleness.
pub(super) struct Limited<L> {
    inner: L,
    places: Arc<Semaphore>,
    patience: Patience,
}

impl<L> Limited<L> {
    /// Limits `inner` to so many connections at a time.
    pub(super) fn new(inner: L, connections_max: usize, patience: Patience) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(connections_max)), patience }
    }
}

impl<L: serve::Listener> serve::Listener for Limited<L>
where
    L::Addr: Debug,
{
    type Io = Held<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, L::Addr) {
        // Nobody closes the semaphore, so there is always a place in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (io, address) = self.inner.accept().await;
        let patience = self.patience.clone();
        (Held { io, idle: Box::pin(sleep(IDLE_MAX)), asking: false, patience, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<L::Addr> {
        self.inner.local_addr()
    }
}

/// A connection that holds a place, and fails once it has been idle for too long.
pub(super) struct Held<I> {
    io: I,
    idle: Pin<Box<Sleep>>,
    /// Something was read since the last answer.
    asking: bool,
    patience: Patience,
    _place: Option<OwnedSemaphorePermit>,
}

impl<I> Held<I> {
    fn moved<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>, asks: bool) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if !(asks && std::mem::replace(&mut self.asking, asks)) {
                self.asking = asks;
                self.idle.set(sleep(IDLE_MAX));
            }
            return polled;
        }
        loop {
            ready!(self.idle.as_mut().poll(cx));
            if self.patience.0.load(Relaxed) == 0 {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.idle.set(sleep(IDLE_MAX));
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Held<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.moved(cx, polled, true)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Held<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.moved(cx, polled, false)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_over_the_limit_waits_until_another_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut limited = Limited::new(listener, 1, Patience::default());
        let _clients = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let first = limited.accept().await;
        let mut second = Box::pin(limited.accept());
        assert!(std::future::poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await);
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_unless_a_long_answer_is_under_way() {
        use tokio::io::{AsyncReadExt, DuplexStream, duplex};
        let (_client, io) = duplex(64);
        let patience = Patience::default();
        let idle = Box::pin(sleep(Duration::ZERO));
        let mut held: Held<DuplexStream> = Held { io, idle, asking: false, patience: patience.clone(), _place: None };
        let hold = patience.hold();
        let waits = tokio::time::timeout(Duration::from_millis(20), held.read_u8()).await;
        assert!(waits.is_err(), "it waits on");
        drop(hold);
        held.idle = Box::pin(sleep(Duration::ZERO));
        let closed = held.read_u8().await;
        assert_eq!(closed.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }
    #[tokio::test(start_paused = true)]
    async fn who_asks_byte_by_byte_gains_no_time_and_an_answer_gives_it_anew() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
        let (mut client, io) = duplex(64);
        let idle = Box::pin(sleep(IDLE_MAX));
        let mut held: Held<DuplexStream> =
            Held { io, idle, asking: false, patience: Patience::default(), _place: None };
        let second = Duration::from_secs(1);
        for answered in [true, false] {
            let mut asked = 0;
            while asked < IDLE_MAX.as_secs() - 1 {
                client.write_u8(b'G').await.unwrap();
                held.read_u8().await.unwrap();
                tokio::time::advance(second).await;
                asked += 1;
            }
            if answered {
                held.write_u8(b'H').await.unwrap();
            }
        }
        tokio::time::advance(second).await;
        assert_eq!(held.read_u8().await.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }
}
