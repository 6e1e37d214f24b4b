//! The data plane: sockets, workers, the pump. Forward first, look after (PROTOCOL §7, LAYOUT §5).
//!
//! Reading order: `plane` listeners, threads and tasks of one proxy, `acceptor` → `worker` → `handshake` →
//! `connection`, which drives two `pump` directions over two `socket`s and lets `look` see each chunk, a row of short
//! ones at a time, from the worker's `tape`; a session is `watched`, `link` is what its connection and the worker know of
//! each other; `held` bytes of slow readers; `stream` what the kernel has of a leg, `tls` what encrypts it; `upstream`,
//! `cancel` and [`health`] towards the server; `harvester` and `active` towards readers; `local` what a thread's
//! connections share, `shared` what all workers do, `tune` what may change of it; `error` what a client is told.

mod acceptor;
mod active;
mod cancel;
mod connection;
mod error;
#[cfg(any(test, feature = "fault-injection"))]
mod fault;
mod handshake;
mod harvester;
pub mod health;
mod held;
mod link;
mod local;
mod look;
mod plane;
mod pump;
mod shared;
mod socket;
mod stream;
mod tape;
mod tls;
mod tune;
mod upstream;
mod watched;
mod worker;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::runtime::listen::Address;

pub use plane::{Listening, Parts, Proxy, StartError};
pub use tune::Tuner;

/// What the owner may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// At least one.
    pub routes: Vec<Route>,
    /// Threads that move bytes; `None`: one for each core of the cgroup, at most 4.
    pub workers: Option<usize>,
    /// Sessions at a time; the next one gets 53300.
    pub max_connections: usize,
    /// From accept to a whole StartupMessage.
    pub startup_timeout: Duration,
    /// For all addresses of the server together.
    pub connect_timeout: Duration,
    /// SO_REUSEPORT on TCP listeners: several processes share the port.
    pub reuse_port: bool,
    /// Bytes of canonical text that are kept of a statement.
    pub max_query_text: usize,
    /// What happens to sessions at SIGTERM.
    pub drain_mode: DrainMode,
    /// How long draining may take before the sessions that are left get 57P01.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            workers: None,
            max_connections: 10_000,
            startup_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            reuse_port: false,
            max_query_text: 8 * 1024,
            drain_mode: DrainMode::default(),
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// Where clients of one server connect to, and where that server is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Where pgvitals listens.
    pub listen: Vec<Address>,
    /// Tried in order, each resolved again for each connection.
    pub upstream: Vec<Address>,
    /// The monitored server's name, part of each series' key.
    pub server: String,
    /// TLS on both legs.
    pub tls: crate::tls::settings::Settings,
}

/// What happens to sessions at SIGTERM (LAYOUT §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DrainMode {
    /// A sidecar: goes on accepting until no client is left, or the timeout.
    #[default]
    Clients,
    /// Behind a balancer: new sessions are refused with 57P01, those that are there end with their transaction.
    Transactions,
}
