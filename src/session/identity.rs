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

/// Whose session it is, and what may still change of it.
#[derive(Debug)]
pub(super) struct Owner {
    identity: Arc<Identity>,
}

impl Owner {
    /// The owner that a start-up names.
    pub(super) fn new(server: Arc<str>, startup: &StartupParameters<'_>) -> Self {
        let text = String::from_utf8_lossy;
        let database = startup.database.filter(|name| !name.is_empty()).unwrap_or(startup.user);
        let application = normal_application(&text(startup.application_name.unwrap_or_default()));
        Self { identity: Arc::new(Identity::new(server, &text(database), &text(startup.user), &application)) }
    }

    /// Whose session it is now.
    #[inline]
    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The server reported `application_name`. Returns the identity that it replaced.
    pub(super) fn set_application(&mut self, name: &[u8]) -> Option<Arc<Identity>> {
        let name = normal_application(&String::from_utf8_lossy(name));
        self.replace(|now| Identity::new(Arc::clone(&now.server), &now.database, &now.user, &name))
    }

    /// The server reported `session_authorization`. Returns the identity that it replaced.
    pub(super) fn set_user(&mut self, name: &[u8]) -> Option<Arc<Identity>> {
        let name = String::from_utf8_lossy(name);
        self.replace(|now| Identity::new(Arc::clone(&now.server), &now.database, &name, &now.application))
    }

    fn replace(&mut self, change: impl FnOnce(&Identity) -> Identity) -> Option<Arc<Identity>> {
        let changed = change(&self.identity);
        (changed != *self.identity).then(|| std::mem::replace(&mut self.identity, Arc::new(changed)))
    }
}

/// Runs of this many digits are ids of something: a process, a pod, a job.
const DIGITS: usize = 4;
/// Digits of a UUID's groups.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// `application_name` with runs of four and more digits and UUIDs replaced by `{n}` (PROTOCOL §6).
pub fn normal_application(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let length = match uuid(rest.as_bytes()) {
            Some(length) => length,
            None if digits >= DIGITS => digits,
            None => 0,
        };
        if length > 0 {
            out.push_str("{n}");
        } else {
            out.push_str(rest.get(..digits).unwrap_or_default());
            if digits == 0 {
                out.push(first);
            }
        }
        let length = if length > 0 { length } else { digits.max(first.len_utf8()) };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The length of a UUID at the start of `text`.
fn uuid(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for (index, digits) in UUID.into_iter().enumerate() {
        if index > 0 {
            text.get(at).filter(|byte| **byte == b'-')?;
            at += 1;
        }
        text.get(at..at + digits).filter(|group| group.iter().all(u8::is_ascii_hexdigit))?;
        at += digits;
    }
    Some(at)
}

/// Any constant: keys live in one process only.
const KEY_SEED: u64 = 0x7067_7669_7461_6c73;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_an_application_name_become_n() {
        for (name, expected) in [
            ("api", "api"),
            ("worker-3", "worker-3"),
            ("job 12345/7", "job {n}/7"),
            ("pod-1234abcd", "pod-{n}abcd"),
            ("x 6ba7b810-9dad-11d1-80b4-00c04fd430c8.", "x {n}."),
            ("12345678-9dad-11d1-80b4-00c04fd430c", "{n}-9dad-11d1-80b4-00c04fd430c"),
            ("Zürich 0042", "Zürich {n}"),
            ("", ""),
        ] {
            assert_eq!(normal_application(name), expected);
        }
    }
}
