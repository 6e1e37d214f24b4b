//! What pgvitals itself says to a client (PROTOCOL §8), written with the `pgwire` crate's message types.

use bytes::{Bytes, BytesMut};
use pgwire::error::ErrorInfo;
use pgwire::messages::Message;
use pgwire::messages::response::ErrorResponse;

use crate::base::sqlstate::Sqlstate;

/// The answer to SSLRequest and GSSENCRequest that says no.
pub const REFUSE_ENCRYPTION: &[u8] = b"N";

/// A FATAL ErrorResponse: the connection ends behind it.
pub fn fatal(code: Sqlstate, message: &str, hint: &str) -> Bytes {
    let mut info = ErrorInfo::new("FATAL".to_owned(), code.as_str().to_owned(), message.to_owned());
    info.severity_nonlocalized = Some("FATAL".to_owned());
    info.hint = Some(hint.to_owned());
    let mut bytes = BytesMut::new();
    match ErrorResponse::from(info).encode(&mut bytes) {
        Ok(()) => bytes.freeze(),
        // Nothing in these texts can fail; if it ever does, closing says less but harms nobody.
        Err(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_severity_twice_code_message_and_hint() {
        let bytes = fatal(Sqlstate::TOO_MANY_CONNECTIONS, "full", "raise max_connections");
        let (tag, rest) = bytes.split_first().unwrap();
        let (length, fields) = rest.split_first_chunk().unwrap();
        assert_eq!((*tag, u32::from_be_bytes(*length) as usize), (b'E', rest.len()));
        let fields: Vec<_> = fields.split(|byte| *byte == 0).map(|field| std::str::from_utf8(field).unwrap()).collect();
        assert_eq!(fields, ["SFATAL", "VFATAL", "C53300", "Mfull", "Hraise max_connections", "", ""]);
    }
}
