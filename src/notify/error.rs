//! Why nobody was told.

use crate::base::units::Nanos;

/// Why a message did not arrive. No text holds a URL's path, a password or what the message said.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answered, or not in time, or not as a receiver of that kind does.
    #[error("{0}")]
    Unreachable(String),
    /// The receiver can't take it now.
    #[error("{what}")]
    Busy {
        /// What it said.
        what: String,
        /// The least time until the next attempt, where it said so.
        retry_after: Option<Nanos>,
    },
    /// The receiver doesn't want it.
    #[error("{0}")]
    Refused(String),
    /// There is no such channel any more.
    #[error("the channel is not configured")]
    NoChannel,
}

impl Failure {
    /// Whether the same message will most likely be refused again.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Failure::Refused(_) | Failure::NoChannel)
    }

    /// The least time until the next attempt, where the receiver said so.
    pub fn retry_after(&self) -> Option<Nanos> {
        match self {
            Failure::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why there are no channels.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Roots that can't be used.
    #[error("`notify.ca`: {0}")]
    Tls(#[from] crate::tls::error::Error),
    /// None at all.
    #[error("this system has no trusted roots; name a file with them in `notify.ca`")]
    NoRoots,
    /// The same, for the mail server.
    #[error("`notify.smtp`: {0}")]
    Email(#[from] lettre::transport::smtp::Error),
    /// A file that can't be read.
    #[error("`notify.ca`: cannot read {path}: {reason}; pgvitals' user must be able to read it")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
}
