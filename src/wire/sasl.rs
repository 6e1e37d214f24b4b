//! AuthenticationSASL (manual 55.7): the mechanisms that the server offers.

/// Subtype of an Authentication body: a list of mechanisms.
pub const AUTHENTICATION_SASL: u32 = 10;

/// The mechanism that binds authentication to the TLS channel (RFC 5802), as PostgreSQL 11 and later offer it.
pub const SCRAM_PLUS: &[u8] = b"SCRAM-SHA-256-PLUS";

/// The mechanisms in an AuthenticationSASL body, subtype and list; nothing where it is malformed.
fn mechanisms(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let list = body.strip_prefix(&AUTHENTICATION_SASL.to_be_bytes()).unwrap_or_default();
    list.split(|byte| *byte == 0).take_while(|name| !name.is_empty())
}

/// The body without [`SCRAM_PLUS`]; `None` when that isn't offered, or nothing else is.
pub fn without_plus(body: &[u8]) -> Option<Vec<u8>> {
    let others: Vec<_> = mechanisms(body).filter(|name| *name != SCRAM_PLUS).collect();
    if others.is_empty() || others.len() == mechanisms(body).count() {
        return None;
    }
    let mut out = AUTHENTICATION_SASL.to_be_bytes().to_vec();
    for name in others {
        out.extend_from_slice(name);
        out.push(0);
    }
    out.push(0);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_taken_out_unless_it_stands_alone() {
        let check = |list: &[u8], expected: Option<&[u8]>| {
            let body = |list: &[u8]| [&AUTHENTICATION_SASL.to_be_bytes()[..], list].concat();
            assert_eq!(without_plus(&body(list)), expected.map(body), "{}", list.escape_ascii());
        };
        check(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0", Some(b"SCRAM-SHA-256\0\0"));
        check(b"OAUTHBEARER\0SCRAM-SHA-256-PLUS\0\0", Some(b"OAUTHBEARER\0\0"));
        check(b"SCRAM-SHA-256-PLUS\0\0", None);
        check(b"SCRAM-SHA-256\0\0", None);
        check(b"", None);
        assert_eq!(without_plus(&[0, 0, 0, 3]), None, "another request");
    }
}
