//! The packets before the first tag: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage (manual 55.7, PROTOCOL §1).
//!
//! Each begins with its own length, four bytes, itself included; then a code, four bytes. To read one and nothing that
//! lies behind it, read [`LENGTH_BYTES`], ask [`body_length`], read that many, and [`parse`] them.

use crate::wire::frontend::string;

/// Bytes of the length with which each packet begins.
pub const LENGTH_BYTES: usize = 4;

/// Longest body, the length not counted: PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
const BODY_MAX: usize = 10_000;

/// The first byte of a TLS record of type handshake: a client that negotiates TLS without asking (PostgreSQL 17).
const TLS_HANDSHAKE: u8 = 0x16;

const SSL_REQUEST: u32 = 1234 << 16 | 5679;
const GSSENC_REQUEST: u32 = 1234 << 16 | 5680;
const CANCEL_REQUEST: u32 = 1234 << 16 | 5678;

/// Shortest and longest secret of a CancelRequest: 4 up to protocol 3.0, up to 256 since 3.2.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 4..=256;
const PROCESS_ID_BYTES: usize = 4;

/// Why the bytes of a client are no start-up packet. It is answered by closing, as PostgreSQL does.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartupError {
    /// Outside 8 to 10,004 bytes.
    #[error("a start-up packet of {0} bytes")]
    Length(u32),
    /// TLS without asking first.
    #[error("direct TLS, which is off")]
    DirectTls,
    /// A CancelRequest without process id, or whose secret is shorter than 4 or longer than 256 bytes.
    #[error("a cancel request with a key of {0} bytes")]
    CancelKey(usize),
}

/// A packet before the first tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// The client asks for TLS and waits for one byte.
    SslRequest,
    /// The client asks for GSSAPI encryption and waits for one byte.
    GssEncRequest,
    /// Process id and secret, as BackendKeyData brought them.
    Cancel(&'a [u8]),
    /// Protocol 3.x.
    Startup(Parameters<'a>),
    /// A code that this version does not know: the server's to answer.
    Unknown(u32),
}

/// The number of bytes behind the length that begins with `header`.
///
/// # Errors
/// When it is no length of a start-up packet, or TLS begins here.
pub fn body_length(header: [u8; LENGTH_BYTES]) -> Result<usize, StartupError> {
    if header.first() == Some(&TLS_HANDSHAKE) {
        return Err(StartupError::DirectTls);
    }
    let length = u32::from_be_bytes(header);
    let body = (length as usize).checked_sub(LENGTH_BYTES);
    body.filter(|body| (4..=BODY_MAX).contains(body)).ok_or(StartupError::Length(length))
}

/// What the packet with this body is.
///
/// # Errors
/// When a CancelRequest has no key that a server could have given.
pub fn parse(body: &[u8]) -> Result<Packet<'_>, StartupError> {
    let Some((code, rest)) = body.split_first_chunk() else { return Err(StartupError::Length(body.len() as u32)) };
    Ok(match u32::from_be_bytes(*code) {
        SSL_REQUEST => Packet::SslRequest,
        GSSENC_REQUEST => Packet::GssEncRequest,
        CANCEL_REQUEST => {
            let secret = rest.len().checked_sub(PROCESS_ID_BYTES);
            if !secret.is_some_and(|secret| SECRET_BYTES.contains(&secret)) {
                return Err(StartupError::CancelKey(rest.len()));
            }
            Packet::Cancel(rest)
        }
        version if version >> 16 == 3 => Packet::Startup(Parameters(rest)),
        other => Packet::Unknown(other),
    })
}

/// Names and values of a StartupMessage, `_pq_.` options among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// All pairs up to the terminator, or to where the packet is malformed: the server refuses it then.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, behind) = string(rest).filter(|(name, _)| !name.is_empty())?;
            let (value, behind) = string(behind)?;
            rest = behind;
            Some((name, value))
        })
    }

    /// The value of `name`; of several the last, as PostgreSQL takes it.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(key, _)| *key == name.as_bytes()).last().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use pgwire::messages::Message;
    use pgwire::messages::cancel::CancelRequest;
    use pgwire::messages::startup::{GssEncRequest, SecretKey, SslRequest, Startup};

    use super::*;

    fn encoded(message: &impl Message) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        message.encode(&mut bytes).unwrap();
        bytes.to_vec()
    }

    /// Reads one packet as a connection does.
    fn read(packet: &[u8]) -> Result<Packet<'_>, StartupError> {
        let (header, body) = packet.split_first_chunk().unwrap();
        assert_eq!(body_length(*header)?, body.len());
        parse(body)
    }

    #[test]
    fn requests_are_told_apart() {
        assert_eq!(read(&encoded(&SslRequest::new())), Ok(Packet::SslRequest));
        assert_eq!(read(&encoded(&GssEncRequest::new())), Ok(Packet::GssEncRequest));
    }

    #[test]
    fn a_start_up_message_of_any_minor_version_gives_its_parameters() {
        for minor in [0, 2, 9999] {
            let mut message = Startup::new();
            message.protocol_number_minor = minor;
            let pairs = [("user", "ann"), ("database", "shop"), ("_pq_.x", "1"), ("options", "")];
            message.parameters = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let bytes = encoded(&message);
            let Ok(Packet::Startup(parameters)) = read(&bytes) else { panic!("minor version {minor}") };
            for (name, value) in pairs {
                assert_eq!(parameters.get(name), Some(value.as_bytes()));
            }
            assert_eq!(parameters.iter().count(), pairs.len());
            assert_eq!(parameters.get("replication"), None);
        }
    }

    #[test]
    fn of_a_parameter_given_twice_the_last_counts() {
        assert_eq!(Parameters(b"user\0a\0user\0b\0\0").get("user"), Some(&b"b"[..]));
    }

    #[test]
    fn malformed_parameters_end_early_and_harm_nothing() {
        for (bytes, pairs) in [(&b"user\0ann"[..], 0), (b"user", 0), (b"", 0), (b"user\0ann\0data", 1), (b"\0x\0", 0)] {
            assert_eq!(Parameters(bytes).iter().count(), pairs, "{bytes:?}");
        }
    }

    #[test]
    fn cancel_keys_have_4_to_256_bytes() {
        for secret in [4, 32, 256] {
            let key = SecretKey::Bytes(vec![7; secret].into());
            let bytes = encoded(&CancelRequest::new(42, key));
            let Ok(Packet::Cancel(key)) = read(&bytes) else { panic!("a secret of {secret}") };
            assert_eq!(key.len(), 4 + secret);
        }
        for secret in [0, 3, 257] {
            let mut body = CANCEL_REQUEST.to_be_bytes().to_vec();
            body.resize(8 + secret, 0);
            assert_eq!(parse(&body), Err(StartupError::CancelKey(4 + secret)));
        }
    }

    #[test]
    fn lengths_beyond_postgresqls_limits_are_refused() {
        for (length, expected) in [(8, Ok(4)), (10_004, Ok(10_000)), (7, Err(7)), (0, Err(0)), (10_005, Err(10_005))] {
            assert_eq!(body_length(u32::to_be_bytes(length)), expected.map_err(StartupError::Length));
        }
        assert_eq!(body_length([0x16, 3, 1, 2]), Err(StartupError::DirectTls));
        assert_eq!(parse(&(2u32 << 16).to_be_bytes()), Ok(Packet::Unknown(2 << 16)));
    }
}
