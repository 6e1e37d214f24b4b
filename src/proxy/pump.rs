//! One direction of a connection: read, stamp, write, then look (PROTOCOL §7, LAYOUT §5).
//!
//! The order rule: a chunk is looked at as soon as its first `poll_write` has returned, whatever it took. Were it looked
//! at only when all of it is written, the answer to its first half could be seen before the question.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::held::{Budget, Held};
use super::socket::Socket;
use crate::base::units::Stamp;
use crate::runtime::clock::Clock;

/// Reads of one direction in one turn; then the others' connections get theirs.
const READS_PER_TURN: usize = 8;

/// Sees what passes in one direction.
pub(crate) trait Look {
    /// `chunk` was read at `now`, and its first write has returned.
    fn chunk(&mut self, chunk: &[u8], now: Stamp);
    /// From `now` on bytes are held that the reader of this direction does not take.
    fn holding(&mut self, now: Stamp);
    /// At `now` it has taken all of them.
    fn drained(&mut self, now: Stamp);
    /// The sender ended its side at `now`, behind all its bytes.
    fn ended(&mut self, now: Stamp);
}

/// How a direction is over.
#[derive(Debug)]
pub(crate) enum End {
    /// FIN was passed on, behind the last byte.
    Finished,
    /// The reader is gone: nothing more can be written to it.
    Unwritable(io::Error),
    /// The sender's connection broke: reset, unreachable, timed out.
    Broken(io::Error),
}

impl End {
    /// What was wrong, if anything.
    pub(crate) fn error(&self) -> Option<&io::Error> {
        match self {
            End::Finished => None,
            End::Unwritable(error) | End::Broken(error) => Some(error),
        }
    }
}

/// What a worker lends for one poll.
pub(crate) struct Turn<'a> {
    pub(crate) buffer: &'a mut [u8],
    pub(crate) budget: &'a Rc<Budget>,
    pub(crate) clock: Clock,
}

/// Bytes on their way from one socket to the other.
#[derive(Default)]
pub(crate) struct Direction {
    held: Option<Held>,
    /// Fires when the sender resets while it is not being read, because its bytes are held.
    reset: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// The sender's FIN was read.
    ended: bool,
}

impl Direction {
    /// Whether bytes wait for the reader.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Moves bytes until a socket blocks, the turn is over, or the direction is.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &Rc<Socket>,
        to: &Socket,
        turn: &mut Turn<'_>,
        look: &mut impl Look,
    ) -> Poll<End> {
        for _ in 0..READS_PER_TURN {
            if let Some(end) = ready!(self.poll_held(cx, from, to, turn.clock, look)) {
                return Poll::Ready(end);
            }
            if self.ended {
                return Poll::Ready(to.finish().map_or_else(End::Unwritable, |()| End::Finished));
            }
            let limit = turn.budget.read_limit().min(turn.buffer.len());
            let Some(buffer) = turn.buffer.get_mut(..limit).filter(|buffer| !buffer.is_empty()) else {
                turn.budget.wait(cx.waker());
                return Poll::Pending;
            };
            let count = match ready!(from.poll_read(cx, buffer)) {
                Ok(count) => count,
                Err(error) => return Poll::Ready(End::Broken(error)),
            };
            let now = turn.clock.stamp();
            let chunk = buffer.get(..count).unwrap_or_default();
            if chunk.is_empty() {
                self.ended = true;
                look.ended(now);
            } else if let Err(error) = self.forward(cx, to, chunk, now, turn.budget, look) {
                return Poll::Ready(End::Unwritable(error));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes `chunk`, keeps what was not taken, looks at it in every case.
    #[inline]
    fn forward(
        &mut self,
        cx: &mut Context<'_>,
        to: &Socket,
        chunk: &[u8],
        now: Stamp,
        budget: &Rc<Budget>,
        look: &mut impl Look,
    ) -> io::Result<()> {
        let written = to.poll_write(cx, chunk);
        look.chunk(chunk, now);
        let taken = match written {
            Poll::Ready(result) => result?,
            Poll::Pending => 0,
        };
        if taken < chunk.len() {
            self.held = Held::new(chunk.get(taken..).unwrap_or_default(), budget);
            look.holding(now);
        }
        Ok(())
    }

    /// Writes what is held; while the reader takes nothing, watches the sender for a reset.
    fn poll_held(
        &mut self,
        cx: &mut Context<'_>,
        from: &Rc<Socket>,
        to: &Socket,
        clock: Clock,
        look: &mut impl Look,
    ) -> Poll<Option<End>> {
        while let Some(held) = &mut self.held {
            match to.poll_write(cx, held.rest()) {
                Poll::Ready(Ok(count)) => {
                    if held.took(count) {
                        self.held = None;
                        self.reset = None;
                        look.drained(clock.stamp());
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.held = None;
                    return Poll::Ready(Some(End::Unwritable(error)));
                }
                Poll::Pending => {
                    let reset = self.reset.get_or_insert_with(|| Box::pin(Rc::clone(from).failed()));
                    ready!(reset.as_mut().poll(cx));
                    self.held = None;
                    return Poll::Ready(Some(End::Broken(io::ErrorKind::ConnectionReset.into())));
                }
            }
        }
        Poll::Ready(None)
    }
}
