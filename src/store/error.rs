//! Why something could not be written.

use tokio_postgres::error::SqlState;

use super::migrate;
use super::verdict::Verdict;
use crate::pgclient::connect;
use crate::pgclient::target::describe;

/// What a store refused, or how it was away.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The tables aren't there, or not for us.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// The store said no.
    #[error("{}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The store took too long.
    #[error("no answer for {0} s")]
    Timeout(u64),
    /// The store is larger than it may be.
    #[error("the tables take {bytes} bytes, and store.max_size is {most_bytes}")]
    Full {
        /// What they take.
        bytes: u64,
        /// What they may take.
        most_bytes: u64,
    },
    /// The store didn't say what it must.
    #[error("the store's answer makes no sense: {0}")]
    Answer(&'static str),
}

impl Error {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Connect(connect::Error::Connect { reason, .. }) | Self::Database(reason) => reason.code(),
            Self::Migrate(migrate::Error::Database { reason, .. }) => reason.code(),
            _ => None,
        }
    }

    /// The tables aren't there: nobody wrote yet.
    pub fn is_empty_store(&self) -> bool {
        matches!(self.code(), Some(code) if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code))
    }

    /// It took longer than it was given.
    pub(super) fn is_canceled(&self) -> bool {
        self.code() == Some(&SqlState::QUERY_CANCELED)
    }

    /// What to do.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Connect(connect::Error::Tls(_)) => Verdict::Later,
            Self::Migrate(error) if !matches!(error, migrate::Error::Database { .. }) => Verdict::Later,
            Self::Answer(_) | Self::Full { .. } => Verdict::Later,
            _ => Verdict::of(self.code()),
        }
    }

    /// Its name in the log: the SQLSTATE, `timeout`, `migration`, `full` or `connection`.
    pub fn label(&self) -> &str {
        match self {
            Self::Timeout(_) => "timeout",
            Self::Migrate(_) => "migration",
            Self::Answer(_) => "answer",
            Self::Full { .. } => "full",
            _ => self.code().map_or("connection", SqlState::code),
        }
    }

    /// What its owner can do about it, where that isn't plain.
    pub fn advice(&self) -> &'static str {
        match self.code().map(SqlState::code) {
            Some("0A000") => "row-level security forbids COPY: `pgvitals check` names the table",
            Some("42501") => "the role lacks rights: `pgvitals check` says which",
            Some("42P01" | "3F000") => "the tables are gone: they are made again where the role may do that",
            Some("53100") => "the store's disk is full",
            _ => "it is tried again; nothing is lost until memory, or the spool, is full",
        }
    }
}
