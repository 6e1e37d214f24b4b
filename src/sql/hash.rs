//! `query_hash`: the first 8 bytes of the SHA-256 of the canonical text, as 16 hex digits.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Identifies a canonical text. Equal over processes, machines and versions of pgvitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryHash(u64);

impl QueryHash {
    /// The hash of a canonical text: `printf %s "$query" | sha256sum | cut -c1-16`.
    pub fn of(canonical: &str) -> Self {
        let digest = Sha256::digest(canonical.as_bytes());
        Self(digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }

    /// The hash as a number, the first byte highest.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A text that is not 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a query hash is 16 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for QueryHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAHash);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotAHash)
    }
}

impl fmt::Display for QueryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for QueryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_sha256sum_prints() {
        let hash = QueryHash::of("select * from users where id = $1");
        assert_eq!(hash.to_string(), "7609165d94c8f1be");
        assert_eq!("7609165d94c8f1be".parse(), Ok(hash));
    }

    #[test]
    fn anything_but_sixteen_hex_digits_is_refused() {
        for bad in ["", "7609165d94c8f1b", "7609165d94c8f1bez", "+609165d94c8f1be"] {
            assert_eq!(bad.parse::<QueryHash>(), Err(NotAHash), "{bad}");
        }
    }
}
