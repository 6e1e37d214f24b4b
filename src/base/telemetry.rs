//! pgvitals' counters about itself: whatever was not measured, and why. Nothing is lost silently (DESIGN §1.3).
//!
//! One [`Telemetry`] per process, shared by reference; there is no global. A reason's name is the same in the code,
//! the metric's label, the log and `docs/metrics.md`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::units::{Nanos, Stamp};

/// Declares an enum of reasons whose variants have one name everywhere.
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every reason, in the order of the declaration.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The label that metrics, logs and documents use.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }
    };
}

reasons! {
    /// Why a connection or a part of it is forwarded without being measured (`unmeasured_total`).
    Unmeasured {
        /// A frame's length is below 4 or above PostgreSQL's limit; the rest of the stream can't be framed.
        Framing => "framing",
        /// A start-up with `replication`: bytes only.
        Replication => "replication",
        /// Measuring code panicked on this connection.
        Panic => "panic",
        /// More was owed than the pipeline holds.
        PipelineFull => "pipeline_full",
        /// A message with an unknown tag was skipped by its length.
        UnknownTag => "unknown_tag",
        /// Neither SSLRequest, GSSENCRequest, CancelRequest nor StartupMessage 3.x.
        StartupPacket => "startup_packet",
    }
}

reasons! {
    /// Why measured samples were dropped (`samples_dropped_total`).
    Dropped {
        /// What a worker had recorded since its last harvest, or a harvest, when measuring code panicked.
        Panic => "panic",
        /// Too many slow executions at once, or of one statement in a minute: not kept by itself.
        SlowRing => "slow_ring",
        /// The same of executions that failed.
        ErrorRing => "error_ring",
        /// Executions that chance took and that found no room.
        SampleRing => "sample_ring",
        /// Owed when their session could be followed no more: the server runs them, nobody measures.
        Opaque => "opaque",
        /// A worker's last harvest found nobody to take it.
        HarvestQueue => "harvest_queue",
        /// The oldest slow executions in memory made room for newer ones.
        History => "history",
        /// Single executions that waited for the store and made room for newer ones.
        Outbox => "outbox",
        /// Executions of a row that the store refused.
        StoreRow => "store_row",
        /// Executions older than all that the store keeps.
        TooOld => "too_old",
        /// Executions of the oldest batches of a journal that is full.
        Spool => "spool",
        /// Executions whose figures no store took before the process ended.
        Unwritten => "unwritten",
    }
}

impl Dropped {
    /// Whether something is missing that should be there. That not every slow or failed execution is kept one by one is as
    /// it should be, and no figure misses them.
    pub const fn is_loss(self) -> bool {
        !matches!(self, Self::SlowRing | Self::ErrorRing | Self::SampleRing | Self::History)
    }
}

reasons! {
    /// Why statements that the client sent never ran (`statements_discarded_total`).
    Discarded {
        /// Skipped by the server after an error, up to Sync.
        Skipped => "skipped",
        /// Behind an error in the same multi-statement message.
        BehindError => "behind_error",
        /// Behind a FATAL error or the connection's loss.
        ConnectionLost => "connection_lost",
    }
}

reasons! {
    /// How the start of TLS on a leg came out (`tls_startups_total`).
    TlsStartup {
        /// The leg is encrypted.
        Completed => "completed",
        /// Asked for and not there: the one asked goes on in plaintext, or not at all.
        Declined => "declined",
        /// A session without TLS where `tls.client` requires it.
        Required => "required",
        /// Bytes where the handshake should have begun: refused as an attack.
        EarlyBytes => "early_bytes",
        /// Another application protocol, or none where one is needed.
        Alpn => "alpn",
        /// The peer showed no certificate or none that is trusted.
        Certificate => "certificate",
        /// The peer refused and said so, as it does when it does not trust our certificate.
        Alert => "alert",
        /// No version or cipher in common, or no TLS at all.
        Protocol => "protocol",
        /// The connection was lost in the handshake.
        Lost => "lost",
        /// The handshake was not over in time.
        Timeout => "timeout",
    }
}

reasons! {
    /// How people are told (`notifications_total`).
    Channel {
        /// An incoming webhook of Slack.
        Slack => "slack",
        /// A mail server.
        Email => "email",
        /// A receiver of JSON.
        Webhook => "webhook",
    }
}

reasons! {
    /// What became of a notification (`notifications_total`).
    Notification {
        /// The receiver has it.
        Sent => "sent",
        /// An attempt failed and will be repeated.
        Retried => "retried",
        /// Given up.
        Dead => "dead",
    }
}

/// Counters by reason. Written on rare paths only, so one atomic each is enough.
#[derive(Debug)]
pub struct Counters<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }
}

impl<const N: usize> Counters<N> {
    fn add(&self, index: usize, count: u64) {
        if let Some(counter) = self.0.get(index) {
            counter.fetch_add(count, Relaxed);
        }
    }

    fn get(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |counter| counter.load(Relaxed))
    }
}

/// The process's counters about itself.
#[derive(Debug, Default)]
pub struct Telemetry {
    unmeasured: Counters<{ Unmeasured::ALL.len() }>,
    dropped: Counters<{ Dropped::ALL.len() }>,
    discarded: Counters<{ Discarded::ALL.len() }>,
    client_tls: Counters<{ TlsStartup::ALL.len() }>,
    upstream_tls: Counters<{ TlsStartup::ALL.len() }>,
    notifications: [Counters<{ Notification::ALL.len() }>; Channel::ALL.len()],
}

impl Telemetry {
    /// Something is forwarded and not measured from here on, or this once.
    pub fn unmeasured(&self, reason: Unmeasured) {
        self.unmeasured.add(reason as usize, 1);
    }

    /// `count` samples are gone.
    pub fn dropped(&self, reason: Dropped, count: u64) {
        self.dropped.add(reason as usize, count);
    }

    /// `count` statements never ran.
    pub fn discarded(&self, reason: Discarded, count: u64) {
        self.discarded.add(reason as usize, count);
    }

    /// TLS towards a client began, or did not.
    pub fn client_tls(&self, outcome: TlsStartup) {
        self.client_tls.add(outcome as usize, 1);
    }

    /// TLS towards a server began, or did not.
    pub fn upstream_tls(&self, outcome: TlsStartup) {
        self.upstream_tls.add(outcome as usize, 1);
    }

    /// `count` notifications came out so.
    pub fn notified(&self, channel: Channel, outcome: Notification, count: u64) {
        if let Some(counters) = self.notifications.get(channel as usize) {
            counters.add(outcome as usize, count);
        }
    }

    /// The counter of `outcome` on `channel` so far.
    pub fn notified_total(&self, channel: Channel, outcome: Notification) -> u64 {
        self.notifications.get(channel as usize).map_or(0, |counters| counters.get(outcome as usize))
    }

    /// The counters of `outcome` so far: towards clients, towards servers.
    pub fn tls_total(&self, outcome: TlsStartup) -> [u64; 2] {
        [self.client_tls.get(outcome as usize), self.upstream_tls.get(outcome as usize)]
    }

    /// The counter of `reason` so far.
    pub fn unmeasured_total(&self, reason: Unmeasured) -> u64 {
        self.unmeasured.get(reason as usize)
    }

    /// The counter of `reason` so far.
    pub fn dropped_total(&self, reason: Dropped) -> u64 {
        self.dropped.get(reason as usize)
    }

    /// The counter of `reason` so far.
    pub fn discarded_total(&self, reason: Discarded) -> u64 {
        self.discarded.get(reason as usize)
    }
}

/// Lets one log line through per period and counts the others.
#[derive(Debug, Default)]
pub struct LogGate {
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl LogGate {
    /// `Some(lines suppressed since the last one)` when a line may be written at `now`, at most one each `period`.
    pub fn open(&self, now: Stamp, period: Nanos) -> Option<u64> {
        let next = self.next.load(Relaxed);
        let after = (now + period).as_nanos();
        if now.as_nanos() >= next && self.next.compare_exchange(next, after, Relaxed, Relaxed).is_ok() {
            Some(self.suppressed.swap(0, Relaxed))
        } else {
            self.suppressed.fetch_add(1, Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_counter_of_its_own() {
        let telemetry = Telemetry::default();
        telemetry.unmeasured(Unmeasured::Framing);
        telemetry.dropped(Dropped::SlowRing, 3);
        telemetry.discarded(Discarded::Skipped, 2);
        telemetry.upstream_tls(TlsStartup::Declined);
        telemetry.notified(Channel::Email, Notification::Sent, 4);
        assert_eq!(telemetry.unmeasured_total(Unmeasured::Framing), 1);
        assert_eq!(telemetry.unmeasured_total(Unmeasured::Panic), 0);
        assert_eq!(telemetry.dropped_total(Dropped::SlowRing), 3);
        assert_eq!(telemetry.discarded_total(Discarded::Skipped), 2);
        assert_eq!(telemetry.tls_total(TlsStartup::Declined), [0, 1]);
        assert_eq!(telemetry.notified_total(Channel::Email, Notification::Sent), 4);
        assert_eq!(telemetry.notified_total(Channel::Slack, Notification::Sent), 0);
    }

    #[test]
    fn the_gate_lets_one_line_through_and_says_how_many_it_kept() {
        let gate = LogGate::default();
        let second = Nanos::from_millis(1_000);
        assert_eq!(gate.open(Stamp::from_nanos(0), second), Some(0));
        assert_eq!(gate.open(Stamp::from_nanos(1), second), None);
        assert_eq!(gate.open(Stamp::from_nanos(2), second), None);
        assert_eq!(gate.open(Stamp::from_nanos(1_000_000_000), second), Some(2));
    }
}
