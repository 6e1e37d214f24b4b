//! What pgvitals itself says to a client (PROTOCOL §8), written with the `pgwire` crate's message types.

use bytes::{Bytes, BytesMut};
use pgwire::error::ErrorInfo;
use pgwire::messages::Message;
use pgwire::messages::response::ErrorResponse;

use crate::base::sqlstate::Sqlstate;

/// The answer to SSLRequest and GSSENCRequest that says no.
pub const REFUSE_ENCRYPTION: &[u8] = b"N";

/// The answer to SSLRequest that says yes.
pub const ACCEPT_ENCRYPTION: &[u8] = b"S";

/// SSLRequest, as pgvitals asks the server.
pub const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

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

/// The body of an ErrorResponse of the server's with a hint added, if its code is `code` and it has no hint.
pub fn with_hint(body: &[u8], code: Sqlstate, hint: &str) -> Option<Vec<u8>> {
    let fields = body.strip_suffix(b"\0\0")?;
    let has = |name: u8| fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(&[name]));
    if has(b'C') != Some(code.as_str().as_bytes()) || has(b'H').is_some() {
        return None;
    }
    Some([fields, b"\0H", hint.as_bytes(), b"\0\0"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_added_to_the_error_that_is_meant() {
        let body = b"SFATAL\0C08P01\0Mno\0\0";
        let with = with_hint(body, Sqlstate::PROTOCOL_VIOLATION, "do this").unwrap();
        assert_eq!(with, b"SFATAL\0C08P01\0Mno\0Hdo this\0\0");
        assert_eq!(with_hint(&with, Sqlstate::PROTOCOL_VIOLATION, "again"), None, "it has one");
        assert_eq!(with_hint(body, Sqlstate::ADMIN_SHUTDOWN, "another code"), None);
        assert_eq!(with_hint(b"", Sqlstate::PROTOCOL_VIOLATION, "malformed"), None);
    }

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
