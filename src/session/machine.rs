//! [`Session`]: the public face of the state machine.

use std::sync::Arc;

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::backlog::Backlog;
use crate::session::group::Group;
use crate::session::identity::{Identity, StartupParameters};
use crate::session::observation::{Event, InFlight, Observer, OpenTransaction};
use crate::session::track::{CopyIn, Mode, Track};
use crate::sql::bound::Allowance;
use crate::sql::fingerprint::Fingerprinter;
use crate::wire::backend::{Backend, TransactionStatus};
use crate::wire::frontend::Frontend;
use crate::wire::scanner::{HEADER, Scanner};

/// One of a connection's two sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leg {
    /// Between client and pgvitals.
    Client,
    /// Between pgvitals and server.
    Upstream,
}

/// Where a session stands, for draining and for what pgvitals says itself (PROTOCOL §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// No ReadyForQuery yet, frame boundary on the server's stream.
    Startup,
    /// Nothing owed, frame boundary on both streams, last ReadyForQuery said `I`.
    Idle,
    /// As idle, but the last ReadyForQuery said `T` or `E`.
    InTransaction,
    /// Something is owed, half sent, copied or skipped.
    Busy,
    /// Forwarded, not measured.
    Opaque,
}

/// One connection's state machine. Never fails, never panics on input; what it can't follow it says and forwards.
#[derive(Debug)]
pub struct Session {
    client: Scanner<Frontend>,
    server: Scanner<Backend>,
    track: Track,
}

impl Session {
    /// A session accepted at `accepted` whose StartupMessage has gone on to the server. One that asks for replication
    /// is opaque.
    pub fn new(server: Arc<str>, accepted: Stamp, startup: &StartupParameters<'_>) -> Self {
        Self { client: Scanner::default(), server: Scanner::default(), track: Track::new(server, accepted, startup) }
    }

    /// The same, and values that the client binds are kept with their executions, within the allowance.
    pub fn with_parameters(mut self, allowance: Arc<Allowance>) -> Self {
        self.client = Scanner::new(Frontend::with_values());
        self.server = Scanner::new(Backend::with_types());
        self.track.allowance = Some(allowance);
        self
    }

    /// The same, and how much it may be owed is shared with its worker's other sessions.
    pub fn sharing(mut self, backlog: &Backlog) -> Self {
        self.track.pipeline.share(backlog);
        self
    }

    /// Bytes that the client sent after the start-up packet, read at `now`.
    pub fn client_bytes(
        &mut self,
        bytes: &[u8],
        now: Stamp,
        fingerprinter: &mut Fingerprinter,
        out: &mut impl Observer,
    ) {
        self.client_part(bytes, now, fingerprinter);
        self.settle(now, out);
    }

    /// Bytes that the server sent, read at `now`. What one read completes shares its time: hand each in whole.
    pub fn server_bytes(&mut self, bytes: &[u8], now: Stamp, out: &mut impl Observer) {
        self.server_part(bytes, now);
        self.settle(now, out);
    }

    /// A part of a read of the client.
    pub(crate) fn client_part(&mut self, mut bytes: &[u8], now: Stamp, fingerprinter: &mut Fingerprinter) {
        if bytes.is_empty() {
            return;
        }
        self.track.client_read(now);
        while self.track.mode != Mode::Opaque
            && let Some(piece) = self.client.next(&mut bytes)
        {
            match piece {
                Ok(piece) => self.track.client(piece, now, fingerprinter),
                Err(_) => {
                    self.track.overhead_in += HEADER as u64;
                    self.track.go_opaque(Unmeasured::Framing);
                }
            }
        }
        self.track.overhead_in += bytes.len() as u64;
    }

    /// A part of a read of the server.
    pub(crate) fn server_part(&mut self, mut bytes: &[u8], now: Stamp) {
        while self.track.mode != Mode::Opaque
            && let Some(piece) = self.server.next(&mut bytes)
        {
            match piece {
                Ok(piece) => self.track.server(piece, now),
                Err(_) => {
                    self.track.overhead_out += HEADER as u64;
                    self.track.go_opaque(Unmeasured::Framing);
                }
            }
        }
        self.track.overhead_out += bytes.len() as u64;
    }

    /// The read whose parts were handed in is over.
    pub(crate) fn settle(&mut self, now: Stamp, out: &mut impl Observer) {
        self.track.settle(now, out);
    }

    /// From `since` on `leg` does not take bytes that pgvitals holds for it.
    pub fn holding(&mut self, leg: Leg, since: Stamp) {
        match leg {
            Leg::Client => self.track.spans.hold_client(since),
            Leg::Upstream => self.track.spans.hold_upstream(since),
        }
    }

    /// At `at` the last byte held for `leg` was taken.
    pub fn drained(&mut self, leg: Leg, at: Stamp) {
        match leg {
            Leg::Client => self.track.spans.drain_client(at),
            Leg::Upstream => self.track.spans.drain_upstream(at),
        }
    }

    /// The client will send no more. What it has sent is still answered.
    pub fn client_closed(&mut self) {
        self.track.quiet = false;
    }

    /// Both directions are over or lost. Says what is left to say, once.
    pub fn closed(&mut self, now: Stamp, fingerprinter: &mut Fingerprinter, out: &mut impl Observer) {
        if std::mem::replace(&mut self.track.closed, true) {
            return;
        }
        self.track.abandon_text(fingerprinter);
        self.track.finish(now);
        self.settle(now, out);
    }

    /// To be called once a second: gives back memory that a burst took.
    pub fn rest(&mut self) {
        self.client.rest();
        self.server.rest();
        self.track.pipeline.rest();
        self.track.group.rest();
    }

    /// From now on bytes are only counted. For use after a panic: what the read had told so far is forgotten with it.
    pub fn make_opaque(&mut self, reason: Unmeasured, out: &mut impl Observer) {
        self.track.group = Group::default();
        self.track.go_opaque(reason);
        self.settle(Stamp::default(), out);
    }

    /// Body of BackendKeyData (process id and key), once it was seen.
    pub fn backend_key(&self) -> Option<&[u8]> {
        self.track.backend_key.as_deref()
    }

    /// ReadyForQuery was seen, or the session can't be followed.
    pub fn started(&self) -> bool {
        self.track.started || self.track.mode == Mode::Opaque
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        let track = &self.track;
        match track.mode {
            Mode::Opaque => Phase::Opaque,
            Mode::Startup if self.server.at_boundary() => Phase::Startup,
            Mode::Startup | Mode::Refused | Mode::Overrun => Phase::Busy,
            Mode::Measuring => {
                let boundary = self.client.at_boundary() && self.server.at_boundary();
                let nothing_owed = track.pipeline.is_empty() && track.skip.is_none() && !track.fatal;
                let nothing_owed = nothing_owed && track.copy == CopyIn::None;
                match track.status {
                    _ if !boundary || !nothing_owed => Phase::Busy,
                    TransactionStatus::Idle => Phase::Idle,
                    TransactionStatus::Open | TransactionStatus::Failed => Phase::InTransaction,
                }
            }
        }
    }

    /// No client byte has gone on since the last ReadyForQuery.
    pub fn client_quiet(&self) -> bool {
        self.track.quiet
    }

    /// The statement that the server is working on.
    pub fn in_flight(&self) -> Option<InFlight> {
        self.track.in_flight()
    }

    /// The explicit transaction that is open.
    pub fn open_transaction(&self) -> Option<OpenTransaction> {
        self.track.transactions.open(self.track.owner.identity())
    }

    /// Calls that are owed or suspended and not told yet: what is lost with the session when it can't be followed.
    pub fn untold(&self) -> u64 {
        self.track.untold()
    }

    /// Whose session it is now.
    pub fn identity(&self) -> &Arc<Identity> {
        self.track.owner.identity()
    }
}

impl Track {
    /// The connection is over.
    fn finish(&mut self, now: Stamp) {
        if let Some(event) = self.transactions.resumed(now, self.owner.identity()) {
            self.group.say(event);
        }
        match self.mode {
            Mode::Measuring => self.lose(now),
            Mode::Overrun => self.lost(self.untold()),
            _ => {}
        }
        self.overhead_in += std::mem::take(&mut self.carried_in) + std::mem::take(&mut self.copied_ahead);
        self.overhead_out += std::mem::take(&mut self.bytes_out);
        self.tell_overhead = true;
        if self.started {
            self.group.say(Event::Ended(self.ended_by));
        } else if !self.refused {
            self.group.say(Event::StartupFailed(None));
        }
    }
}
