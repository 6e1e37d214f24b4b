//! Each type in both formats. Binary values are those that PostgreSQL's `…_send` functions give.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A Bind body behind its names: values of one format.
fn body(binary: bool, values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = vec![0, 1, 0, u8::from(binary)];
    body.extend((values.len() as u16).to_be_bytes());
    for value in values {
        let length = value.map_or(-1, |value| value.len() as i32);
        body.extend(length.to_be_bytes());
        body.extend(value.unwrap_or_default());
    }
    body
}

fn read(binary: bool, oid: u32, value: &[u8]) -> Value {
    let text = array_of(&body(binary, &[Some(value)]), &[oid]);
    let mut values: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(values.len(), 1, "{text}");
    values.remove(0)
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|digit| *digit != ' ').collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("digits")).collect()
}

/// `select encode(int4send(42), 'hex')` and so on, on PostgreSQL 15.
#[test]
fn binary_formats_are_read() {
    for (oid, digits, expected) in [
        (16, "01", json!(true)),
        (16, "00", json!(false)),
        (21, "fffe", json!(-2)),
        (23, "0000002a", json!(42)),
        (20, "7fffffffffffffff", json!(i64::MAX)),
        (26, "ffffffff", json!(u32::MAX)),
        (700, "3dcccccd", json!(0.1)),
        (700, "7fc00000", json!("NaN")),
        (701, "3fb999999999999a", json!(0.1)),
        (701, "fff0000000000000", json!("-Infinity")),
        (25, "68c3a969", json!("héi")),
        (1043, "", json!("")),
        (17, "00ff41", json!("\\x00ff41")),
        (2950, "123e4567e89b12d3a456426614174000", json!("123e4567-e89b-12d3-a456-426614174000")),
        (1082, "00000000", json!("2000-01-01")),
        (1082, "00002279", json!("2024-02-29")),
        (1082, "fff4dbf7", json!("0001-12-30 BC")),
        (1082, "7fffffff", json!("infinity")),
        (1083, "0000000a8bda1c00", json!("12:34:56")),
        (1083, "0000000a8bda1c01", json!("12:34:56.000001")),
        (1114, "0000000000000000", json!("2000-01-01 00:00:00")),
        (1184, "fffffffffff0bdc0", json!("1999-12-31 23:59:59+00")),
        (1114, "8000000000000000", json!("-infinity")),
        (1700, "0003 0001 0000 0003 0001 0929 1a7c", json!("12345.678")),
        (1700, "0002 ffff 4000 0005 0001 07d0", json!("-0.00012")),
        (1700, "0001 0001 0000 0000 0001", json!("10000")),
        (1700, "0000 0000 0000 0002", json!("0.00")),
        (1700, "0000 0000 c000 0000", json!("NaN")),
        (1700, "0001 fffe 0000 0008 0001", json!("0.00000001")),
        (114, "7b2261223a317d", json!({"a": 1})),
        (3802, "01 7b2261223a5b315d7d", json!({"a": [1]})),
        (1007, "00000001 00000001 00000017 00000002 00000001 00000004 00000001 ffffffff", json!([1, null])),
        (1007, "00000000 00000000 00000017", json!([])),
        (1009, "00000001 00000000 00000019 00000001 00000001 00000002 6869", json!(["hi"])),
        (
            1007,
            "00000002 00000000 00000017 00000002 00000001 00000001 00000001 00000004 00000001 00000004 00000002",
            json!([[1], [2]]),
        ),
    ] {
        assert_eq!(read(true, oid, &hex(digits)), expected, "{oid} {digits}");
    }
}

#[test]
fn text_is_a_string_unless_json_knows_better() {
    for (oid, text, expected) in [
        (0, "42", json!("42")),
        (23, "42", json!(42)),
        (20, " -7 ", json!(-7)),
        (23, "forty", json!("forty")),
        (701, "0.5", json!(0.5)),
        (701, "NaN", json!("NaN")),
        (16, "t", json!(true)),
        (16, "off", json!("off")),
        (1700, "12.50", json!("12.50")),
        (1184, "2024-01-01", json!("2024-01-01")),
        (1007, "{1,2}", json!("{1,2}")),
        (3802, r#"{"a":[1,"x"]}"#, json!({"a": [1, "x"]})),
        (114, "{broken", json!("{broken")),
        (25, "it's \"quoted\"\n", json!("it's \"quoted\"\n")),
    ] {
        assert_eq!(read(false, oid, text.as_bytes()), expected, "{oid} {text}");
    }
}

/// `jsonb` takes no NUL, in whatever disguise; values that can't be read are shown as they are.
#[test]
fn nothing_is_told_that_the_store_would_refuse() {
    assert_eq!(read(false, 25, b"a\0b\xff"), json!("a\u{fffd}b\u{fffd}"));
    assert_eq!(read(false, 114, br#"{"a":"\u0000"}"#), json!(r#"{"a":"\u0000"}"#));
    assert_eq!(read(false, 114, b"1e999999"), json!("1e999999"));
    assert_eq!(read(true, 0, b"\x01\x02"), json!({"hex": "0102"}));
    assert_eq!(read(true, 600, b"\x01\x02"), json!({"oid": 600, "hex": "0102"}));
    assert_eq!(read(true, 23, b"\x01"), json!({"oid": 23, "hex": "01"}), "too short for its type");
    assert_eq!(read(true, 1007, &hex("00000001")), json!({"oid": 1007, "hex": "00000001"}));
    let lies = "00000006 00000000 00000017 7fffffff 00000001 00000000 00000001 7fffffff 00000001 00000000 00000001 \
                7fffffff 00000001 00000000 00000001";
    assert!(read(true, 1007, &hex(lies)).to_string().len() < 2 * VALUE_MAX);
}

#[test]
fn what_is_long_is_cut() {
    let long = "é".repeat(3_000);
    let told = read(false, 25, long.as_bytes());
    assert_eq!(told.as_str().map(|told| told.chars().count()), Some(VALUE_MAX / 2 + 1));
    assert!(told.as_str().is_some_and(|told| told.ends_with("é…")));
    assert!(read(true, 17, &[7; 500]).as_str().is_some_and(|told| told.len() < 200 && told.ends_with('…')));
    let many: Vec<u8> = (0..1_000_u32).flat_map(|n| [4_u32.to_be_bytes(), n.to_be_bytes()].concat()).collect();
    let array = [hex("00000001 00000000 00000017 000003e8 00000001"), many].concat();
    let told = read(true, 1007, &array);
    let told = told.as_array().expect("an array");
    assert_eq!((told.first(), told.last()), (Some(&json!(0)), Some(&json!("…"))));
    assert!(told.len() < 200, "{}", told.len());

    let value = "x".repeat(200);
    let all = array_of(&body(false, &[Some(value.as_bytes()); 100]), &[]);
    assert!(all.len() < ALL_MAX + 2 * VALUE_MAX && all.ends_with(",\"…\"]"), "{all}");
    assert!(serde_json::from_str::<Vec<Value>>(&all).is_ok());
}

#[test]
fn what_was_not_kept_is_said() {
    let whole = body(false, &[Some(b"first"), Some(b"second"), None]);
    assert_eq!(array_of(&whole, &[]), r#"["first","second",null]"#);
    for length in 0..whole.len() {
        let told = array_of(&whole[..length], &[]);
        let values: Vec<Value> = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{told}: {error}"));
        assert!(values.last().and_then(Value::as_str).is_some_and(|last| last.ends_with('…')), "{told}");
    }
}

/// Every type that is read, and some that are not.
const TYPES: &[u32] = &[
    0, 16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 142, 199, 600, 700, 701, 1000, 1001, 1005, 1007, 1009, 1016, 1022,
    1042, 1043, 1082, 1083, 1114, 1115, 1184, 1231, 1700, 2950, 2951, 3802, 3807,
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_an_array_of_json(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        values in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..60)), 0..6),
        binary in any::<bool>(),
        oid in prop::sample::select(TYPES),
    ) {
        let values: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
        for body in [bytes.clone(), body(binary, &values), body(binary, &[Some(&bytes)])] {
            let told = array_of(&body, &[oid; 6]);
            prop_assert!(told.len() < ALL_MAX + 8 * VALUE_MAX, "{}", told.len());
            let parsed: Result<Vec<Value>, _> = serde_json::from_str(&told);
            prop_assert!(parsed.is_ok(), "{told}");
            prop_assert!(!told.contains("\\u0000"), "{told}");
        }
    }
}
