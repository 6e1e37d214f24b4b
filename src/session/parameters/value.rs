//! One value as JSON, by its type (catalog/pg_type.dat) and format.

use super::VALUE_MAX;
use super::array;
use super::moment;
use super::number;
use crate::wire::values::Value;

const BOOL: u32 = 16;
const BYTEA: u32 = 17;
const CHAR: u32 = 18;
const NAME: u32 = 19;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const OID: u32 = 26;
const JSON: u32 = 114;
const XML: u32 = 142;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const DATE: u32 = 1082;
const TIME: u32 = 1083;
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;
const NUMERIC: u32 = 1700;
const UUID: u32 = 2950;
const JSONB: u32 = 3802;

/// Bytes that are shown of what can't be read.
const RAW_MAX: usize = 64;

/// Adds the value to an array; a type of 0 is unknown.
pub(super) fn write(out: &mut String, value: &Value<'_>, oid: u32) {
    let Some(bytes) = value.bytes else { return out.push_str("null") };
    let written = if value.binary {
        binary(out, oid, bytes, value)
    } else if value.is_whole() {
        text(out, oid, bytes)
    } else {
        None
    };
    match written {
        Some(()) => {}
        None if value.binary => raw(out, oid, bytes, value.length),
        None => string(out, &readable(bytes, value.length)),
    }
}

/// Types whose text is more to JSON than a string.
fn text(out: &mut String, oid: u32, bytes: &[u8]) -> Option<()> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    match oid {
        INT2 | INT4 | INT8 | OID => out.push_str(&text.parse::<i64>().ok()?.to_string()),
        FLOAT4 | FLOAT8 => float(out, text.parse().ok()?),
        BOOL => out.push_str(match text {
            "t" | "true" => "true",
            "f" | "false" => "false",
            _ => return None,
        }),
        JSON | JSONB => json(out, text)?,
        _ => return None,
    }
    Some(())
}

fn binary(out: &mut String, oid: u32, bytes: &[u8], value: &Value<'_>) -> Option<()> {
    match oid {
        TEXT | VARCHAR | BPCHAR | NAME | CHAR | XML => string(out, &readable(bytes, value.length)),
        BYTEA => string(out, &format!("\\x{}", hex(bytes, value.length))),
        oid if array::is_array(oid) => array::write(out, bytes, write)?,
        _ if !value.is_whole() => return None,
        JSON => document(out, bytes),
        // A version stands before the text.
        JSONB => document(out, bytes.strip_prefix(&[1])?),
        oid => plain(out, oid, bytes)?,
    }
    Some(())
}

/// Types of a fixed size, and numeric.
fn plain(out: &mut String, oid: u32, bytes: &[u8]) -> Option<()> {
    match oid {
        BOOL => out.push_str(if *bytes.first()? == 0 { "false" } else { "true" }),
        INT2 => out.push_str(&i16::from_be_bytes(bytes.try_into().ok()?).to_string()),
        INT4 => out.push_str(&i32::from_be_bytes(bytes.try_into().ok()?).to_string()),
        INT8 => out.push_str(&i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
        OID => out.push_str(&u32::from_be_bytes(bytes.try_into().ok()?).to_string()),
        FLOAT4 => {
            let value = f32::from_be_bytes(bytes.try_into().ok()?);
            // The shortest digits that mean this number among those of its size.
            float(out, format!("{value:?}").parse().ok()?);
        }
        FLOAT8 => float(out, f64::from_be_bytes(bytes.try_into().ok()?)),
        NUMERIC => string(out, &number::numeric(bytes)?),
        UUID => string(out, &uuid(bytes.try_into().ok()?)),
        DATE => string(out, &moment::date(i32::from_be_bytes(bytes.try_into().ok()?))),
        TIME => string(out, &moment::time(i64::from_be_bytes(bytes.try_into().ok()?))?),
        TIMESTAMP => string(out, &moment::timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "")),
        TIMESTAMPTZ => string(out, &moment::timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "+00")),
        _ => return None,
    }
    Some(())
}

/// JSON has no NaN and no infinity.
fn float(out: &mut String, value: f64) {
    if value.is_finite() {
        out.push_str(&format!("{value:?}"));
    } else if value.is_nan() {
        string(out, "NaN");
    } else {
        string(out, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

fn document(out: &mut String, bytes: &[u8]) {
    let done = std::str::from_utf8(bytes).ok().and_then(|text| json(out, text));
    if done.is_none() {
        string(out, &readable(bytes, bytes.len()));
    }
}

/// A document as part of ours; `None` if it is too long, or has what `jsonb` does not take.
fn json(out: &mut String, text: &str) -> Option<()> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let text = value.to_string();
    let fits = text.len() <= VALUE_MAX && !text.contains("\\u0000");
    fits.then(|| out.push_str(&text))
}

/// What can't be read: its type, if known, and its first bytes.
fn raw(out: &mut String, oid: u32, bytes: &[u8], length: usize) {
    out.push('{');
    if oid != 0 {
        out.push_str(&format!("\"oid\":{oid},"));
    }
    out.push_str(&format!("\"hex\":\"{}\"}}", hex(bytes, length)));
}

fn hex(bytes: &[u8], length: usize) -> String {
    let head = bytes.get(..RAW_MAX).unwrap_or(bytes);
    let mut hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    if head.len() < length {
        hex.push('…');
    }
    hex
}

/// The begin of a text of `length` bytes. What is not UTF-8, and NUL, which `jsonb` does not take, is replaced.
fn readable(bytes: &[u8], length: usize) -> String {
    let mut head = bytes.get(..VALUE_MAX).unwrap_or(bytes);
    let is_cut = head.len() < length;
    if is_cut
        && let Err(error) = std::str::from_utf8(head)
        && error.error_len().is_none()
    {
        // A character that was cut.
        head = head.get(..error.valid_up_to()).unwrap_or(head);
    }
    let mut text = String::from_utf8_lossy(head).replace('\0', "\u{fffd}");
    if is_cut {
        text.push('…');
    }
    text
}

fn string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn uuid(bytes: [u8; 16]) -> String {
    let digits = hex(&bytes, bytes.len());
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default());
    parts.join("-")
}
