//! An encrypted leg: read and written like a socket, by both directions of its connection.
//!
//! Nothing of an idle leg waits in a buffer: records are read into what the worker lends, decrypted there, and what is
//! left of a record that is not whole is kept. Bytes count as written once their records are wholly the kernel's
//! (PROTOCOL §7): until then the writer holds them, and whatever measures stalls sees that.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::gate::Gate;
use super::machine::{Machine, PLAIN_MAX, RECORD_MAX, Step, invalid};
use super::secured::Secured;
use crate::proxy::held::{Budget, Held};
use crate::proxy::stream::Stream;

/// The least space that a read needs: the longest record behind room for its plaintext.
const SPACE_MIN: usize = PLAIN_MAX + RECORD_MAX;

/// What a worker lends to its encrypted legs.
#[derive(Debug)]
pub(crate) struct Loan {
    /// Where records are made.
    scratch: RefCell<Vec<u8>>,
    budget: Rc<Budget>,
}

impl Loan {
    pub(crate) fn new(budget: Rc<Budget>) -> Self {
        Self { scratch: RefCell::default(), budget }
    }
}

/// What makes a socket an encrypted leg.
#[derive(Debug)]
pub(crate) struct Tls {
    loan: Rc<Loan>,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    machine: Machine,
    /// The front of a record that is not whole.
    incoming: Vec<u8>,
    /// Plaintext for which the last reader had no room.
    plain: Vec<u8>,
    /// Records that the kernel did not take yet.
    unsent: Option<Held>,
    /// How many bytes of the writer's `unsent` stands for.
    sending: usize,
    /// The peer will say no more.
    ended: bool,
    gate: Option<Box<Gate>>,
}

impl Tls {
    pub(crate) fn new(secured: Secured, loan: Rc<Loan>) -> Self {
        let Secured { machine, incoming, plain, ended } = secured;
        let state = State { machine, incoming, plain, unsent: None, sending: 0, ended, gate: None };
        Self { loan, state: RefCell::new(state) }
    }

    /// What is read passes `gate` from now on, until it is done.
    pub(crate) fn install(&self, gate: Gate) {
        self.state.borrow_mut().gate = Some(Box::new(gate));
    }

    /// Whether plaintext waits that was read already.
    pub(crate) fn has_more(&self) -> bool {
        !self.state.borrow().plain.is_empty()
    }

    /// Reads once; 0 is the peer's end.
    pub(crate) fn poll_read(
        &self,
        stream: &Stream,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let state = &mut *self.state.borrow_mut();
        // The answer to a change of keys may wait without a writer. What is wrong with it, the next write says.
        drop(state.flush(stream, cx));
        loop {
            if !state.plain.is_empty() {
                return Poll::Ready(Ok(take(&mut state.plain, buffer)));
            }
            if state.ended {
                return Poll::Ready(Ok(0));
            }
            if buffer.len() >= SPACE_MIN {
                match ready!(state.fill(&self.loan, stream, cx, buffer))? {
                    0 => {}
                    count => return Poll::Ready(Ok(count)),
                }
            } else {
                let mut space = vec![0; SPACE_MIN];
                let count = ready!(state.fill(&self.loan, stream, cx, &mut space))?;
                space.truncate(count);
                state.plain = space;
            }
        }
    }

    /// Writes; when less than all of `bytes` was taken, the next call must begin with the rest.
    pub(crate) fn poll_write(&self, stream: &Stream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.state.borrow_mut();
        ready!(state.flush(stream, cx))?;
        if state.sending == 0 && !bytes.is_empty() {
            if let Some(gate) = &mut state.gate {
                gate.answered();
            }
            let mut scratch = self.loan.scratch.borrow_mut();
            scratch.clear();
            state.machine.encrypt(&mut state.incoming, bytes, &mut scratch)?;
            state.sending = bytes.len();
            state.send(&self.loan.budget, stream, cx, &scratch)?;
            drop(scratch);
            ready!(state.flush(stream, cx))?;
        }
        Poll::Ready(Ok(std::mem::take(&mut state.sending).min(bytes.len())))
    }

    /// Says that nothing more will come, as far as the kernel takes it.
    pub(crate) fn close(&self, stream: &Stream) {
        let state = &mut *self.state.borrow_mut();
        let mut out = Vec::new();
        if state.unsent.is_none() && state.machine.close(&mut state.incoming, &mut out).is_ok() {
            stream.send_now(&out);
        }
    }
}

impl State {
    /// Reads once and decrypts what is whole of it to the front of `space`; 0 when nothing came of it yet.
    fn fill(
        &mut self,
        loan: &Loan,
        stream: &Stream,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let carried = self.incoming.len();
        let (front, rest) =
            space.get_mut(PLAIN_MAX..).and_then(|space| space.split_at_mut_checked(carried)).ok_or_else(oversized)?;
        if rest.is_empty() {
            return Poll::Ready(Err(oversized()));
        }
        front.copy_from_slice(&self.incoming);
        let read = ready!(stream.poll_read(cx, rest))?;
        let count = if read == 0 {
            // As PostgreSQL does: an end without close_notify is an end.
            self.ended = true;
            0
        } else {
            self.decrypt(loan, stream, cx, space, carried + read)?
        };
        let Some(gate) = &mut self.gate else { return Poll::Ready(Ok(count)) };
        let passed = gate.pass(space.get(..count).unwrap_or_default(), self.ended);
        if gate.is_done() {
            self.gate = None;
        }
        match space.get_mut(..passed.len()) {
            Some(front) => front.copy_from_slice(&passed),
            None => return Poll::Ready(Err(oversized())),
        }
        Poll::Ready(Ok(passed.len()))
    }

    /// Decrypts the `total` bytes behind the first [`PLAIN_MAX`] of `space` to its front.
    fn decrypt(
        &mut self,
        loan: &Loan,
        stream: &Stream,
        cx: &mut Context<'_>,
        space: &mut [u8],
        total: usize,
    ) -> io::Result<usize> {
        let (mut used, mut count, mut out) = (0, 0, Vec::new());
        while let Some((front, back)) = space.split_at_mut_checked(PLAIN_MAX + used) {
            let records = back.get_mut(..total - used).unwrap_or_default();
            // Plaintext is shorter than its records, so before each record there is room for one more: none can be lost.
            let mut lost = false;
            let mut plain = |bytes: &[u8]| match front.get_mut(count..count + bytes.len()) {
                Some(target) => {
                    target.copy_from_slice(bytes);
                    count += bytes.len();
                }
                None => lost = true,
            };
            let (discard, step) = self.machine.step(records, &mut plain, &mut out);
            used = total.min(used + discard);
            if lost {
                return Err(oversized());
            }
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Ended) => {
                    self.ended = true;
                    break;
                }
                Ok(Step::Blocked | Step::Ready) => break,
                Err(error) => {
                    while self.machine.step(&mut [], &mut |_| (), &mut out).1 == Ok(Step::Again) {}
                    stream.send_now(&out);
                    return Err(invalid(error));
                }
            }
        }
        let rest = space.get(PLAIN_MAX + used..PLAIN_MAX + total).unwrap_or_default();
        // An idle leg holds nothing.
        self.incoming = if rest.is_empty() { Vec::new() } else { rest.to_vec() };
        if !out.is_empty() {
            // The answer to a change of keys. What the kernel doesn't take, the next read or write sends on.
            self.send(&loan.budget, stream, cx, &out)?;
        }
        Ok(count)
    }

    /// Sends `records` behind what is unsent.
    fn send(&mut self, budget: &Rc<Budget>, stream: &Stream, cx: &mut Context<'_>, records: &[u8]) -> io::Result<()> {
        if let Some(unsent) = &self.unsent {
            self.unsent = Held::new(&[unsent.rest(), records].concat(), budget);
            return Ok(());
        }
        let taken = match stream.poll_write(cx, records) {
            Poll::Ready(taken) => taken?,
            Poll::Pending => 0,
        };
        self.unsent = Held::new(records.get(taken..).unwrap_or_default(), budget);
        Ok(())
    }

    /// Sends what is unsent.
    fn flush(&mut self, stream: &Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(unsent) = &mut self.unsent {
            let taken = ready!(stream.poll_write(cx, unsent.rest()))?;
            if unsent.took(taken) {
                self.unsent = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn oversized() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "a TLS message that is too long")
}

/// Moves as much of the front of `from` as there is room for.
fn take(from: &mut Vec<u8>, to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(front), Some(room)) = (from.get(..count), to.get_mut(..count)) {
        room.copy_from_slice(front);
    }
    // An idle leg holds nothing.
    *from = from.split_off(count);
    count
}
