//! The common name of a certificate, for those without subjectAltName: libpq compares it, webpki doesn't read it.
//!
//! PostgreSQL's manual (18.9.5) makes certificates of this kind.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, the version, which may be left out.
const VERSION: u8 = 0xa0;
/// id-at-commonName, 2.5.4.3 (RFC 5280, 4.1.2.4), with its tag and length.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// Whether the common name of the certificate `der` is `host`, a first label `*` standing for any one label.
pub(super) fn names(der: &[u8], host: &str) -> bool {
    let Some(name) = common_name(der).and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    match name.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(host),
    }
}

/// The last common name of the subject.
fn common_name(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut rest, _) = expect(SEQUENCE, certificate)?;
    if let Some((_, behind)) = expect(VERSION, rest) {
        rest = behind;
    }
    // Serial number, algorithm, issuer and validity stand in front of the subject.
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    let (mut subject, _) = expect(SEQUENCE, rest)?;
    let mut found = None;
    while let Some((set, behind)) = expect(SET, subject) {
        let (attribute, _) = expect(SEQUENCE, set)?;
        if let Some(value) = attribute.strip_prefix(COMMON_NAME) {
            found = Some(element(value)?.1);
        }
        subject = behind;
    }
    found
}

fn expect(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Tag, contents and what lies behind (X.690, 8.1, definite form).
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, behind) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    Some((tag, content, behind))
}
