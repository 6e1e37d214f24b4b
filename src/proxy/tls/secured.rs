//! What a handshake leaves behind: all that an encrypted leg needs.

use rustls::pki_types::CertificateDer;

use super::PROTOCOL;
use super::machine::Machine;

/// A leg's keys, and what was read with its handshake.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(super) machine: Machine,
    /// A record that is not whole.
    pub(super) incoming: Vec<u8>,
    /// What the peer has said already.
    pub(super) plain: Vec<u8>,
    /// It will say no more.
    pub(super) ended: bool,
}

impl Secured {
    /// The certificate that the peer has shown, as DER.
    pub(crate) fn peer(&self) -> Option<&CertificateDer<'static>> {
        self.machine.peer_certificates()?.first()
    }

    /// Whether the peer speaks our protocol and has said so.
    pub(super) fn has_protocol(&self) -> bool {
        self.machine.alpn_protocol() == Some(PROTOCOL)
    }
}
