//! What is changed of the server's authentication request (PROTOCOL §2): where channel binding can't hold, the client
//! must not see that the server has it.
//!
//! A client that would have bound, and sees that it can't, is refused by the server or leaves by itself. The first
//! gets a hint, the second a line in the log: both name the ways out.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::LogGate;
use crate::base::units::Nanos;
use crate::runtime::clock::Clock;
use crate::wire::{reply, sasl};

/// Tag and length.
const HEADER: usize = 5;
/// Longest frame that is looked at; a longer one is none of those that matter.
const FRAME_MAX: usize = 8 * 1024;
/// At most one line in so long says that clients left.
const LOG: Nanos = Nanos::from_millis(10_000);

/// The ways out, for whoever sees that a client could not bind.
const WAYS_OUT: &str = "pgvitals stands between client and server: they do not see the same certificate, so that SCRAM \
    channel binding can't hold. One of three ways out: give pgvitals the server's own certificate and key (tls.cert, \
    tls.key); connect to pgvitals without TLS (sslmode=disable) over loopback or a Unix socket; or set \
    channel_binding=disable at the client.";

/// How a server refuses a client that could have bound: PostgreSQL as a wrong authorization, others as a violation of the
/// protocol. In answer to a client's first words both can mean nothing else.
const REFUSALS: [Sqlstate; 2] = [Sqlstate::INVALID_AUTHORIZATION, Sqlstate::PROTOCOL_VIOLATION];

/// Where the exchange stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No authentication request has come.
    Start,
    /// The client was shown the mechanisms without the one that binds.
    Offered { answered: bool },
    /// Nothing more will be changed.
    Done,
}

/// Passes what the server says, and changes what has to be changed.
#[derive(Debug)]
pub(crate) struct Gate {
    state: State,
    /// The front of a frame that is not whole.
    held: Vec<u8>,
    /// Bytes of a frame that pass unseen.
    passing: usize,
    unbound: Option<Arc<Unbound>>,
}

impl Gate {
    pub(crate) fn new(unbound: Arc<Unbound>) -> Self {
        Self::logging(Some(unbound))
    }

    fn logging(unbound: Option<Arc<Unbound>>) -> Self {
        Self { state: State::Start, held: Vec::new(), passing: 0, unbound }
    }

    /// What the client gets for `bytes`. At the server's `end` nothing is kept.
    pub(super) fn pass(&mut self, bytes: &[u8], end: bool) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(bytes);
        let (mut rest, mut out) = (input.as_slice(), Vec::with_capacity(input.len()));
        while self.state != State::Done && !rest.is_empty() {
            if self.passing > 0 {
                let (seen, behind) = rest.split_at(self.passing.min(rest.len()));
                out.extend_from_slice(seen);
                self.passing -= seen.len();
                rest = behind;
                continue;
            }
            let Some((&[tag, a, b, c, d], _)) = rest.split_first_chunk::<HEADER>() else { break };
            let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
            if !matches!(tag, b'R' | b'E') || !(HEADER..=FRAME_MAX).contains(&length) {
                self.see(tag);
                self.passing = length;
                continue;
            }
            let Some((frame, behind)) = rest.split_at_checked(length) else { break };
            let changed = self.judge(tag, frame.get(HEADER..).unwrap_or_default());
            match changed {
                Some(body) => {
                    out.push(tag);
                    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
                    out.extend_from_slice(&body);
                }
                None => out.extend_from_slice(frame),
            }
            rest = behind;
        }
        if end || self.state == State::Done {
            out.extend_from_slice(rest);
        } else {
            self.held = rest.to_vec();
        }
        out
    }

    /// A frame with this tag passes. Notices and the negotiation of the version may come at any moment.
    fn see(&mut self, tag: u8) {
        match self.state {
            State::Start if !matches!(tag, b'R' | b'E') => {}
            State::Offered { .. } if matches!(tag, b'N' | b'v') => {}
            _ => self.state = State::Done,
        }
    }

    /// The body that takes the place of this one, if another one has to.
    fn judge(&mut self, tag: u8, body: &[u8]) -> Option<Vec<u8>> {
        let before = std::mem::replace(&mut self.state, State::Done);
        match (before, tag) {
            (State::Start, b'R') => {
                let changed = sasl::without_plus(body)?;
                self.state = State::Offered { answered: false };
                Some(changed)
            }
            (State::Offered { .. }, b'E') => REFUSALS.iter().find_map(|code| reply::with_hint(body, *code, WAYS_OUT)),
            _ => None,
        }
    }

    /// The client has said something.
    pub(super) fn answered(&mut self) {
        if let State::Offered { answered } = &mut self.state {
            *answered = true;
        }
    }

    /// Whether everything passes unseen from now on.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let (State::Offered { answered: false }, Some(unbound)) = (self.state, &self.unbound) {
            unbound.log();
        }
    }
}

/// Says that clients left because they can't bind authentication to TLS; one of all gates.
#[derive(Debug)]
pub(crate) struct Unbound {
    gate: LogGate,
    clock: Clock,
}

impl Unbound {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { gate: LogGate::default(), clock }
    }

    fn log(&self) {
        if let Some(suppressed) = self.gate.open(self.clock.stamp(), LOG) {
            tracing::warn!(
                suppressed,
                "a client left when it saw that it can't bind authentication to TLS (channel_binding=require): {WAYS_OUT}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
    }

    /// All that a client gets of these frames, in pieces of `size` bytes.
    fn passed(frames: &[u8], size: usize) -> (Vec<u8>, State) {
        let mut gate = Gate::logging(None);
        let mut out: Vec<u8> = frames.chunks(size).flat_map(|piece| gate.pass(piece, false)).collect();
        out.extend(gate.pass(&[], true));
        (out, gate.state)
    }

    #[track_caller]
    fn check(frames: &[&[u8]], expected: &[&[u8]]) {
        let frames = frames.concat();
        for size in [1, 2, 7, frames.len()] {
            let (out, _) = passed(&frames, size);
            assert_eq!(out.escape_ascii().to_string(), expected.concat().escape_ascii().to_string(), "by {size} bytes");
        }
    }

    const BOTH: &[u8] = b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
    const ONE: &[u8] = b"\0\0\0\x0aSCRAM-SHA-256\0\0";

    #[test]
    fn the_mechanism_that_binds_is_not_shown_and_all_else_passes() {
        let (notice, negotiate) = (frame(b'N', b"SNOTICE\0\0"), frame(b'v', b"\0\x03\0\0\0\0\0\0"));
        let (both, one) = (frame(b'R', BOTH), frame(b'R', ONE));
        let (go_on, row) = (frame(b'R', b"\0\0\0\x0br=x"), frame(b'D', &[7; 20_000]));
        check(&[&negotiate, &notice, &both, &go_on, &row], &[&negotiate, &notice, &one, &go_on, &row]);
        for other in
            [frame(b'R', ONE), frame(b'R', b"\0\0\0\x03"), frame(b'R', b"\0\0\0\0"), frame(b'E', b"C28000\0\0")]
        {
            check(&[&other, &both], &[&other, &both]);
        }
    }

    #[test]
    fn a_client_that_saw_less_and_is_refused_for_it_gets_a_hint() {
        let (both, one) = (frame(b'R', BOTH), frame(b'R', ONE));
        let refusal = frame(b'E', b"SFATAL\0C08P01\0Mno\0\0");
        for code in ["08P01", "28000"] {
            let refusal = frame(b'E', format!("SFATAL\0C{code}\0Mno\0\0").as_bytes());
            let hint = frame(b'E', format!("SFATAL\0C{code}\0Mno\0H{WAYS_OUT}\0\0").as_bytes());
            check(&[&both, &refusal], &[&one, &hint]);
        }
        check(&[&frame(b'R', ONE), &refusal], &[&frame(b'R', ONE), &refusal]);
        let wrong = frame(b'E', b"SFATAL\0C28P01\0Mwrong password\0\0");
        check(&[&both, &frame(b'R', b"\0\0\0\x0b"), &wrong], &[&one, &frame(b'R', b"\0\0\0\x0b"), &wrong]);
    }

    #[test]
    fn whoever_leaves_is_told_from_whoever_answers() {
        let mut gate = Gate::logging(None);
        gate.pass(&frame(b'R', BOTH), false);
        // The server, left alone, ends too.
        gate.pass(&[], true);
        assert_eq!(gate.state, State::Offered { answered: false });
        gate.answered();
        assert_eq!(gate.state, State::Offered { answered: true });
        gate.pass(&frame(b'R', b"\0\0\0\x0br=x"), false);
        assert!(gate.is_done());
    }

    #[test]
    fn bytes_that_are_no_frames_pass() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"R\0\0\0\0", b"R\xff\xff\xff\xffxyz", b"E", b"R\0"] {
            check(&[bytes], &[bytes]);
        }
    }
}
