//! TLS on a connection's legs (PROTOCOL §1, §2, §7). Boxed beside a socket: a leg without TLS pays a null check.
//!
//! Reading order: [`machine`] rustls, client or server, as one type; [`start`] the handshake, [`secured`]
//! what it leaves; [`stream`] an encrypted leg, read and written by `poll_…` like a socket; [`gate`] what is changed of the server's authentication request.

pub(crate) mod gate;
mod machine;
pub(crate) mod secured;
pub(crate) mod start;
pub(crate) mod stream;

/// The application protocol (ALPN) of PostgreSQL 17's direct negotiation; offered in every handshake.
pub(crate) const PROTOCOL: &[u8] = b"postgresql";
