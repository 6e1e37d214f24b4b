//! Views of bodies: what pgwire encodes is what they read, and no body is too short for them.

use bytes::{Bytes, BytesMut};
use pgwire::messages::{Message, extendedquery, response, simplequery, startup};
use proptest::prelude::*;

use crate::wire::backend::{self, ErrorFields, TransactionStatus};
use crate::wire::frontend::{self, Target, TextStream};

fn body(message: &impl Message) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    message.encode(&mut buffer).expect("pgwire encodes it");
    buffer[5..].to_vec()
}

#[test]
fn messages_of_a_client() {
    let parse = body(&extendedquery::Parse::new(Some("s1".into()), "select 1".into(), vec![23]));
    assert_eq!(frontend::parse(&parse), Some((&b"s1"[..], &b"select 1"[..])));
    assert_eq!(frontend::query(&body(&simplequery::Query::new("select 1".into()))), b"select 1");
    let value = Some(Bytes::from_static(b"a\0b"));
    let bind = extendedquery::Bind::new(Some("p1".into()), Some("s1".into()), vec![], vec![value], vec![]);
    assert_eq!(frontend::bind(&body(&bind)), Some((&b"p1"[..], &b"s1"[..])));
    assert_eq!(frontend::execute(&body(&extendedquery::Execute::new(None, 5))), Some(&b""[..]));
    let close = extendedquery::Close::new(b'S', Some("s1".into()));
    assert_eq!(frontend::named(&body(&close)), Some((Target::Statement, &b"s1"[..])));
    let describe = extendedquery::Describe::new(b'P', None);
    assert_eq!(frontend::named(&body(&describe)), Some((Target::Portal, &b""[..])));
}

#[test]
fn bodies_that_end_too_early_name_nothing() {
    assert_eq!(frontend::bind(b"p1\0s1"), None);
    assert_eq!(frontend::bind(b"p1"), None);
    assert_eq!(frontend::execute(b""), None);
    assert_eq!(frontend::named(b"X\0"), None);
    assert_eq!(frontend::named(b""), None);
    assert_eq!(frontend::parse(b"s1"), None);
    assert_eq!(frontend::query(b"select 1"), b"select 1");
    assert_eq!(backend::parameter(b"TimeZone\0U"), None);
    assert_eq!(backend::authentication(b"\0\0"), None);
    assert_eq!(backend::ready(b""), TransactionStatus::Idle);
}

#[test]
fn messages_of_a_server() {
    let status = startup::ParameterStatus::new("TimeZone".into(), "UTC".into());
    assert_eq!(backend::parameter(&body(&status)), Some((&b"TimeZone"[..], &b"UTC"[..])));
    let failed = response::ReadyForQuery::new(response::TransactionStatus::Error);
    assert_eq!(backend::ready(&body(&failed)), TransactionStatus::Failed);
    assert_eq!(backend::command_tag(&body(&response::CommandComplete::new("BEGIN".into()))), b"BEGIN");
}

#[test]
fn rows_are_the_last_word_of_a_tag() {
    for (tag, rows) in [
        ("SELECT 5", 5),
        ("INSERT 0 12", 12),
        ("COPY 18446744073709551615", backend::ROWS_MAX),
        ("COPY 99999999999999999999999", backend::ROWS_MAX),
        ("BEGIN", 0),
        ("CREATE TABLE", 0),
        ("", 0),
        ("5", 0),
        ("LISTEN x5", 0),
    ] {
        assert_eq!(backend::rows(tag.as_bytes()), rows, "{tag}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_of_an_error_are_found_behind_long_ones_and_across_any_split(
        message in "[a-zPCV0-9 ]{0,200}",
        position in 1..100_000_u32,
        fatal: bool,
        size in 1..60_usize,
    ) {
        let severity = if fatal { "FATAL" } else { "ERROR" };
        let fields = [(b'S', "FATALE"), (b'V', severity), (b'C', "42601"), (b'M', &message), (b'D', &message)];
        let position_text = position.to_string();
        let fields = fields.into_iter().chain([(b'P', position_text.as_str())]);
        let body = body(&response::ErrorResponse::new(fields.map(|(tag, text)| (tag, text.to_owned())).collect()));
        let mut fields = ErrorFields::default();
        body.chunks(size).for_each(|chunk| fields.feed(chunk));
        for fields in [fields, ErrorFields::of(&body)] {
            prop_assert_eq!(fields.code(), crate::base::sqlstate::Sqlstate::SYNTAX_ERROR);
            prop_assert_eq!(fields.is_fatal(), fatal);
            prop_assert_eq!(fields.position(), Some(position));
        }
    }

    #[test]
    fn a_text_that_comes_in_chunks_is_the_text(name in "[a-z]{0,70}", text in "[a-z ;']{0,200}", size in 1..60_usize) {
        let parse = body(&extendedquery::Parse::new(Some(name.clone()), text.clone(), vec![1, 2]));
        let mut stream = TextStream::parse(false);
        let found: Vec<u8> = parse.chunks(size).flat_map(|chunk| stream.feed(chunk).to_vec()).collect();
        prop_assert_eq!(found, text.as_bytes());
        prop_assert_eq!(stream.name(), name.as_bytes());
        let query = body(&simplequery::Query::new(text.clone()));
        let mut stream = TextStream::query();
        let found: Vec<u8> = query.chunks(size).flat_map(|chunk| stream.feed(chunk).to_vec()).collect();
        prop_assert_eq!(found, text.as_bytes());
    }
}
