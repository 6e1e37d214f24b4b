//! Why a connection did not come about: whose side it was, and what its client is told.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use super::tls::start::Failure;
use crate::base::sqlstate::Sqlstate;
use crate::runtime::timers::Timers;
use crate::wire::reply;
use crate::wire::startup::StartupError;

/// Whose side a failure was on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Upstream,
    Own,
}

/// Why a start-up failed before the server could answer it.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Error {
    #[error("the client left without a word")]
    NothingSent,
    #[error("the client's connection: {0}")]
    Client(io::Error),
    #[error(transparent)]
    Packet(#[from] StartupError),
    #[error("encryption asked for twice")]
    AskedTwice,
    #[error("bytes behind a request for encryption that was not answered yet")]
    EarlyBytes,
    #[error("the client's connection: {0}")]
    ClientTls(Failure),
    #[error("TLS is required")]
    TlsRequired,
    #[error("no whole start-up packet in time")]
    StartupTimeout,
    #[error("the connection to the server: {0}")]
    Upstream(io::Error),
    #[error("could not connect to the server: {0}")]
    Unreachable(String),
    #[error("more than {0} connections")]
    TooMany(usize),
    #[error("too many start-ups at a time")]
    Crowded,
    #[error("draining")]
    Draining,
}

impl Error {
    /// Whose side it was.
    pub(crate) fn side(&self) -> Side {
        match self {
            Error::NothingSent
            | Error::Client(_)
            | Error::Packet(_)
            | Error::AskedTwice
            | Error::EarlyBytes
            | Error::ClientTls(_)
            | Error::TlsRequired
            | Error::StartupTimeout => Side::Client,
            Error::Upstream(_) | Error::Unreachable(_) => Side::Upstream,
            Error::TooMany(_) | Error::Crowded | Error::Draining => Side::Own,
        }
    }

    /// The code that the client is told; `None`: its connection is closed without a word, as PostgreSQL does.
    pub(crate) fn sqlstate(&self) -> Option<Sqlstate> {
        match self {
            Error::TlsRequired => Some(Sqlstate::INVALID_AUTHORIZATION),
            Error::Upstream(_) | Error::Unreachable(_) => Some(Sqlstate::CONNECTION_FAILURE),
            Error::TooMany(_) => Some(Sqlstate::TOO_MANY_CONNECTIONS),
            Error::Draining => Some(Sqlstate::ADMIN_SHUTDOWN),
            _ => None,
        }
    }

    /// What the client is told.
    pub(crate) fn reply(&self) -> Option<Bytes> {
        let hint = match self {
            Error::Draining => return Some(shutting_down()),
            Error::TlsRequired => "pgvitals' tls.client is require: connect with sslmode=require or stricter.",
            Error::TooMany(_) => "pgvitals' max_connections is reached; raise it, or find out who opens all these.",
            _ => {
                "pgvitals stands in front of the server: check that the server runs, and pgvitals' setting `upstream`."
            }
        };
        Some(reply::fatal(self.sqlstate()?, &format!("pgvitals: {self}"), hint))
    }
}

/// What the client of a session that is ended by pgvitals' own end is told.
pub(crate) fn shutting_down() -> Bytes {
    let message = "pgvitals: terminating connection because pgvitals is shutting down";
    reply::fatal(Sqlstate::ADMIN_SHUTDOWN, message, "Connect again; the server itself is not shutting down.")
}

/// Waits for `future`, at most `limit`.
pub(crate) async fn in_time<T>(
    timers: &Timers,
    limit: Duration,
    future: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    timers.timeout(limit, future).await.unwrap_or_else(|_| Err(late()))
}
