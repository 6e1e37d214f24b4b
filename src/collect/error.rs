//! Why a question has no answer.

use tokio_postgres::error::SqlState;

use crate::pgclient::connect;
use crate::pgclient::target::describe;

/// What the monitored server refused, or how it was away.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The server said no.
    #[error("{}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The server took too long.
    #[error("no answer for {0} s")]
    Timeout(u64),
    /// The server didn't say what it must.
    #[error("the server's answer makes no sense: {0}")]
    Answer(&'static str),
}

impl Error {
    /// The SQLSTATE, where the server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Connect(error) => error.code(),
            Self::Database(reason) => reason.code().map(SqlState::code),
            _ => None,
        }
    }
}
