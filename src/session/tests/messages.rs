//! Messages as pgwire encodes them: written by others than our scanner.

use bytes::{Bytes, BytesMut};
use pgwire::messages::{Message, copy, data, extendedquery, response, simplequery, startup, terminate};

fn encoded(message: &impl Message) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    message.encode(&mut buffer).expect("pgwire encodes what the tests build");
    buffer.to_vec()
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

/// A frame with any tag and body.
pub(super) fn raw(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// One word of a transcript's client line, with the words that belong to it.
pub(super) fn frontend(words: &mut dyn Iterator<Item = String>) -> Option<Vec<u8>> {
    let kind = words.next()?;
    let mut next = || words.next().unwrap_or_else(|| panic!("a word is missing after {kind}"));
    Some(match kind.as_str() {
        "Q" => encoded(&simplequery::Query::new(next())),
        "P" => encoded(&extendedquery::Parse::new(named(&next()), next(), vec![])),
        "B" => {
            let (portal, statement) = (next(), next());
            let parameters = vec![Some(Bytes::from_static(b"value"))];
            encoded(&extendedquery::Bind::new(named(&portal), named(&statement), vec![], parameters, vec![]))
        }
        "D" => encoded(&extendedquery::Describe::new(next().as_bytes()[0], named(&next()))),
        "C" => encoded(&extendedquery::Close::new(next().as_bytes()[0], named(&next()))),
        "E" => encoded(&extendedquery::Execute::new(named(&next()), next().parse().expect("a row limit"))),
        "S" => encoded(&extendedquery::Sync::new()),
        "H" => encoded(&extendedquery::Flush::new()),
        "F" => raw(b'F', &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        "d" => encoded(&copy::CopyData::new(Bytes::from(vec![b'x'; next().parse().expect("a size")]))),
        "c" => encoded(&copy::CopyDone::new()),
        "f" => encoded(&copy::CopyFail::new("failed by the client".into())),
        "X" => encoded(&terminate::Terminate::new()),
        "p" => encoded(&startup::Password::new(next())),
        "raw" => hex(&next()),
        other => panic!("no client message {other}"),
    })
}

/// One word of a transcript's server line, with the words that belong to it.
pub(super) fn backend(words: &mut dyn Iterator<Item = String>) -> Option<Vec<u8>> {
    let kind = words.next()?;
    let (kind, times) =
        kind.split_once('*').map_or((kind.as_str(), 1), |(kind, n)| (kind, n.parse().expect("a count")));
    let mut next = || words.next().unwrap_or_else(|| panic!("a word is missing after {kind}"));
    let message = match kind {
        "R" => raw(b'R', &next().parse::<u32>().expect("a subtype").to_be_bytes()),
        "K" => encoded(&startup::BackendKeyData::new(42, startup::SecretKey::I32(7))),
        "1" => encoded(&extendedquery::ParseComplete::new()),
        "2" => encoded(&extendedquery::BindComplete::new()),
        "3" => encoded(&extendedquery::CloseComplete::new()),
        "n" => encoded(&data::NoData::new()),
        "t" => encoded(&data::ParameterDescription::new(vec![23])),
        "T" => {
            let field = data::FieldDescription::new("a".into(), 0, 0, 23, 4, -1, 0);
            encoded(&data::RowDescription::new(vec![field]))
        }
        "D" => encoded(&data::DataRow::new(BytesMut::from(&[0, 0, 0, 1, b'1'][..]), 1)),
        "C" => encoded(&response::CommandComplete::new(next())),
        "I" => encoded(&response::EmptyQueryResponse::new()),
        "s" => encoded(&extendedquery::PortalSuspended::new()),
        "V" => raw(b'V', &[0, 0, 0, 1, b'7']),
        "E" => error(&next()),
        "N" => encoded(&response::NoticeResponse::new(vec![(b'S', "NOTICE".into()), (b'M', "well".into())])),
        "A" => encoded(&response::NotificationResponse::new(42, "channel".into(), "payload".into())),
        "S" => encoded(&startup::ParameterStatus::new(next(), next())),
        "G" => encoded(&copy::CopyInResponse::new(0, 1, vec![0])),
        "H" => encoded(&copy::CopyOutResponse::new(0, 1, vec![0])),
        "d" => encoded(&copy::CopyData::new(Bytes::from(vec![b'x'; next().parse().expect("a size")]))),
        "c" => encoded(&copy::CopyDone::new()),
        "Z" => raw(b'Z', next().as_bytes()),
        "raw" => hex(&next()),
        other => panic!("no server message {other}"),
    };
    Some(message.repeat(times))
}

/// `CODE`, `CODE/FATAL`, `CODE@POSITION`; the message is long and the severity translated.
fn error(word: &str) -> Vec<u8> {
    let (word, position) = word.split_once('@').map_or((word, None), |(word, at)| (word, Some(at.to_owned())));
    let (code, severity) = word.split_once('/').unwrap_or((word, "ERROR"));
    let mut fields = vec![
        (b'S', "FEHLER".to_owned()),
        (b'V', severity.to_owned()),
        (b'C', code.to_owned()),
        (b'M', "something is the matter with it, P1 C2 V3".repeat(3)),
        (b'H', "nothing helps".to_owned()),
    ];
    fields.extend(position.map(|position| (b'P', position)));
    encoded(&response::ErrorResponse::new(fields))
}

fn hex(digits: &str) -> Vec<u8> {
    let digit =
        |at: usize| u8::from_str_radix(digits.get(at..at + 2).expect("pairs of digits"), 16).expect("hex digits");
    (0..digits.len() / 2).map(|index| digit(2 * index)).collect()
}
