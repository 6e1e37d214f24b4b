//! Whose statements these are: the part of a series key that a session has.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a StartupMessage says of whose session it is; values as they came, without their NUL.
#[derive(Clone, Copy, Debug, Default)]
pub struct StartupParameters<'a> {
    /// `user`
    pub user: &'a [u8],
    /// `database`; the user's name when absent.
    pub database: Option<&'a [u8]>,
    /// `application_name`
    pub application_name: Option<&'a [u8]>,
    /// `replication`
    pub replication: Option<&'a [u8]>,
}

/// Server, database, user and application of a session at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The monitored server, one per route.
    pub server: Arc<str>,
    /// Start-up database; the user's name when none was given.
    pub database: Box<str>,
    /// Start-up user, or `session_authorization` when the server reported one.
    pub user: Box<str>,
    /// `application_name` with runs of four and more digits and UUIDs replaced by `{n}`.
    pub application: Box<str>,
    key: u64,
}

impl Identity {
    /// An identity with its key made.
    pub fn new(server: Arc<str>, database: &str, user: &str, application: &str) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::with_seed(KEY_SEED);
        (&*server, database, user, application).hash(&mut hasher);
        Self {
            server,
            database: database.into(),
            user: user.into(),
            application: application.into(),
            key: hasher.finish(),
        }
    }

    /// Equal for equal identities and, but for one chance in 2⁶⁴, for no others.
    pub fn key(&self) -> u64 {
        self.key
    }
}

/// Any constant: keys live in one process only.
const KEY_SEED: u64 = 0x7067_7669_7461_6c73;
