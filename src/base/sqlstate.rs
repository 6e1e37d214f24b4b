//! SQLSTATE codes: five bytes, `0-9A-Z` (PostgreSQL manual, appendix A).

use std::fmt;

/// A five-character error code as it came off the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sqlstate([u8; 5]);

impl Sqlstate {
    /// What stands for codes that did not fit under a cap; as text `(other)`. No server can send it.
    pub const OTHER: Sqlstate = Sqlstate([0; 5]);
    /// What stands where a server sent no or a malformed code.
    pub const UNKNOWN: Sqlstate = Sqlstate(*b"XX000");
    /// `syntax_error`
    pub const SYNTAX_ERROR: Sqlstate = Sqlstate(*b"42601");
    /// `query_canceled`
    pub const QUERY_CANCELED: Sqlstate = Sqlstate(*b"57014");
    /// `admin_shutdown`
    pub const ADMIN_SHUTDOWN: Sqlstate = Sqlstate(*b"57P01");
    /// `idle_session_timeout`
    pub const IDLE_SESSION_TIMEOUT: Sqlstate = Sqlstate(*b"57P05");
    /// `idle_in_transaction_session_timeout`
    pub const IDLE_IN_TRANSACTION_TIMEOUT: Sqlstate = Sqlstate(*b"25P03");
    /// `connection_failure`
    pub const CONNECTION_FAILURE: Sqlstate = Sqlstate(*b"08006");
    /// `protocol_violation`
    pub const PROTOCOL_VIOLATION: Sqlstate = Sqlstate(*b"08P01");
    /// `invalid_authorization_specification`
    pub const INVALID_AUTHORIZATION: Sqlstate = Sqlstate(*b"28000");
    /// `too_many_connections`
    pub const TOO_MANY_CONNECTIONS: Sqlstate = Sqlstate(*b"53300");

    /// The code in `bytes`, `None` unless it is five of `0-9A-Z`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let code: [u8; 5] = bytes.try_into().ok()?;
        code.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()).then_some(Self(code))
    }

    /// The first two characters: the class of the error.
    pub fn class(&self) -> &str {
        self.as_str().get(..2).unwrap_or_default()
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        if *self == Self::OTHER {
            return "(other)";
        }
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }
}

impl fmt::Display for Sqlstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Sqlstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_five_digits_or_capitals_are_a_code() {
        assert_eq!(Sqlstate::parse(b"57014"), Some(Sqlstate::QUERY_CANCELED));
        for bad in [&b"5701"[..], b"570144", b"57o14", b"", b"5701\xff"] {
            assert_eq!(Sqlstate::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Sqlstate::ADMIN_SHUTDOWN.class(), "57");
    }

    #[test]
    fn what_did_not_fit_is_no_code_that_a_server_could_send() {
        assert_eq!(Sqlstate::OTHER.to_string(), "(other)");
        assert_eq!(Sqlstate::parse(&[0; 5]), None);
    }
}
