//! [`Session`]: the public face of the state machine.

use std::sync::Arc;

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::identity::{Identity, StartupParameters};
use crate::session::observation::{InFlight, Observer, OpenTransaction};
use crate::sql::fingerprint::Fingerprinter;

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
    /// No ReadyForQuery yet.
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
pub struct Session {
    identity: Arc<Identity>,
}

impl Session {
    /// A session accepted at `accepted` whose StartupMessage has gone on to the server.
    pub fn new(server: Arc<str>, _accepted: Stamp, startup: &StartupParameters<'_>) -> Self {
        let user = String::from_utf8_lossy(startup.user);
        Self { identity: Arc::new(Identity::new(server, &user, &user, "")) }
    }

    /// Bytes that the client sent after the start-up packet, read at `now`.
    pub fn client_bytes(&mut self, _: &[u8], _now: Stamp, _: &mut Fingerprinter, _out: &mut impl Observer) {}

    /// Bytes that the server sent, read at `now`.
    pub fn server_bytes(&mut self, _: &[u8], _now: Stamp, _: &mut Fingerprinter, _out: &mut impl Observer) {}

    /// From `since` on `leg` does not take bytes that pgvitals holds for it.
    pub fn holding(&mut self, _leg: Leg, _since: Stamp) {}

    /// At `at` the last byte held for `leg` was taken.
    pub fn drained(&mut self, _leg: Leg, _at: Stamp) {}

    /// The client will send no more.
    pub fn client_closed(&mut self, _now: Stamp) {}

    /// Both directions are over or lost. Says what is left to say, once.
    pub fn closed(&mut self, _now: Stamp, _: &mut Fingerprinter, _out: &mut impl Observer) {}

    /// From now on bytes are only counted.
    pub fn make_opaque(&mut self, _reason: Unmeasured, _out: &mut impl Observer) {}

    /// Body of BackendKeyData (process id and key), once it was seen.
    pub fn backend_key(&self) -> Option<&[u8]> {
        None
    }

    /// ReadyForQuery was seen.
    pub fn started(&self) -> bool {
        false
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        Phase::Startup
    }

    /// No client byte has gone on since the last ReadyForQuery.
    pub fn client_quiet(&self) -> bool {
        false
    }

    /// The statement that the server is working on.
    pub fn in_flight(&self) -> Option<InFlight> {
        None
    }

    /// The explicit transaction that is open.
    pub fn open_transaction(&self) -> Option<OpenTransaction> {
        None
    }

    /// Whose session it is now.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}
