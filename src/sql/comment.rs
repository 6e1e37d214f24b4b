//! What one comment says of its statement: `key='value'` pairs, a query's name, a trace context, or nothing (prose).
//!
//! Sources: sqlcommenter's and Marginalia's formats, sqlc's `-- name: GetUser :one`, W3C Trace Context; what of them
//! is accepted: FIELD (b).

use super::statement::{Tags, Trace};

/// Pairs that one statement keeps.
const PAIRS_MAX: usize = 16;
/// Bytes of a key, decoded. A longer one makes its comment prose.
const KEY_BYTES_MAX: usize = 64;
/// Bytes of a value or a name, decoded. A longer one is cut.
const VALUE_BYTES_MAX: usize = 256;

/// What the comments of one statement have said so far. Its buffers are kept from statement to statement.
#[derive(Default, Debug)]
pub(super) struct Findings {
    /// `key \0 value \0` of each pair, in order: unambiguous, because neither holds a zero byte.
    text: String,
    pairs: usize,
    name: String,
    trace: Option<Trace>,
    decoded: Vec<u8>,
}

/// A point to which [`Findings`] can go back.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Mark {
    text: usize,
    pairs: usize,
    name: usize,
    traced: bool,
}

impl Findings {
    /// Adds what a comment says. A comment that isn't pairs from end to end, nor a name, adds nothing.
    pub(super) fn read(&mut self, comment: &[u8]) {
        let comment = comment.trim_ascii();
        if let Some(name) = query_name(comment) {
            self.set_name(name);
            return;
        }
        let before = self.mark();
        if self.read_pairs(comment).is_none() {
            self.back_to(before);
        }
    }

    /// Where it stands now.
    pub(super) fn mark(&self) -> Mark {
        Mark { text: self.text.len(), pairs: self.pairs, name: self.name.len(), traced: self.trace.is_some() }
    }

    /// Forgets what was added since `mark`; the first value of a key wins, so nothing older was overwritten.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.pairs = mark.pairs;
        self.name.truncate(mark.name);
        if !mark.traced {
            self.trace = None;
        }
    }

    /// The trace context.
    pub(super) fn trace(&self) -> Option<Trace> {
        self.trace
    }

    /// One text for equal pairs and name, another for any others; `None` when there is neither.
    pub(super) fn key(&mut self) -> Option<&str> {
        if self.text.is_empty() && self.name.is_empty() {
            return None;
        }
        // Goes away with the next `back_to`; a key is never empty, so the name can't be taken for one.
        self.text.push('\0');
        self.text.push_str(&self.name);
        Some(&self.text)
    }

    fn read_pairs(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some(pair) = next_pair(&mut rest)? {
            self.add(&pair)?;
        }
        Some(())
    }

    fn add(&mut self, pair: &Pair) -> Option<()> {
        let start = self.text.len();
        self.push_decoded(pair.key, pair.quoted, KEY_BYTES_MAX + 1)?;
        let key = self.text.get(start..).unwrap_or_default();
        if key.len() > KEY_BYTES_MAX {
            return None;
        }
        if key == "traceparent" {
            self.text.truncate(start);
            self.trace = self.trace.or_else(|| traceparent(pair.value));
            return Some(());
        }
        let named = key == "name" && self.name.is_empty();
        let known = self.text.get(..start).unwrap_or_default().split('\0').step_by(2).any(|older| older == key);
        self.text.push('\0');
        let value = self.text.len();
        self.push_decoded(pair.value, pair.quoted, VALUE_BYTES_MAX)?;
        if named {
            self.name.push_str(self.text.get(value..).unwrap_or_default());
        }
        if known || self.pairs == PAIRS_MAX || value == self.text.len() {
            self.text.truncate(start);
        } else {
            self.text.push('\0');
            self.pairs += 1;
        }
        Some(())
    }

    /// Appends `raw` decoded and cut at `bytes_max`; `None` when it is no text.
    fn push_decoded(&mut self, raw: &[u8], escaped: bool, bytes_max: usize) -> Option<()> {
        self.decoded.clear();
        if escaped {
            unescape(raw, &mut self.decoded);
        } else {
            self.decoded.extend_from_slice(raw);
        }
        let text = std::str::from_utf8(&self.decoded).ok().filter(|text| !text.contains('\0'))?;
        self.text.push_str(cut(text, bytes_max));
        Some(())
    }

    fn set_name(&mut self, name: &[u8]) {
        if let (true, Ok(name)) = (self.name.is_empty(), std::str::from_utf8(name)) {
            self.name.push_str(cut(name, VALUE_BYTES_MAX));
        }
    }
}

/// The [`Findings::key`] of what `first` says and then `second`.
pub(super) fn joined_key(first: &Tags, second: &Tags) -> String {
    let mut text = String::new();
    let new = second.pairs.iter().filter(|(key, _)| first.pairs.iter().all(|(older, _)| older != key));
    for (key, value) in first.pairs.iter().chain(new).take(PAIRS_MAX) {
        text.extend([key, "\0", value, "\0"]);
    }
    let name = first.name.as_deref().or(second.name.as_deref());
    text.extend(["\0", name.unwrap_or_default()]);
    text
}

/// The tags that a [`Findings::key`] stands for.
pub(super) fn tags(key: &str) -> Tags {
    let mut parts = key.split('\0');
    let mut tags = Tags::default();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        if key.is_empty() {
            tags.name = (!value.is_empty()).then(|| value.into());
        } else {
            tags.pairs.push((key.into(), value.into()));
        }
    }
    tags
}

/// A pair as it is written.
struct Pair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    /// Written as sqlcommenter does: `\'` is a quote, `%2F` a byte.
    quoted: bool,
}

/// Takes the next pair off `rest`: `Some(None)` at the end, `None` where prose stands.
fn next_pair<'a>(rest: &mut &'a [u8]) -> Option<Option<Pair<'a>>> {
    let text = skip(rest, |b| b == b',' || b.is_ascii_whitespace());
    if text.is_empty() {
        return Some(None);
    }
    let (key, text) = split(text, |b| !is_key_byte(b));
    if key.first().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    let pair = if let Some(text) = text.strip_prefix(b":") {
        let (value, after) = split(text, |b| b == b',' || b == b'\n');
        *rest = after;
        // `TODO: x`, `https://x` and `a::int` are prose and code.
        let prose = value.first().is_some_and(u8::is_ascii_whitespace) || value.starts_with(b"//");
        (!prose && !value.starts_with(b":")).then_some(Pair { key, value: value.trim_ascii_end(), quoted: false })
    } else {
        let text = skip(skip(text, |b| b.is_ascii_whitespace()).strip_prefix(b"=")?, |b| b.is_ascii_whitespace());
        match text.strip_prefix(b"'") {
            Some(text) => {
                let (value, after) = text.split_at_checked(closing_quote(text)?)?;
                *rest = skip(after.get(1..)?, |b| b.is_ascii_whitespace());
                Some(Pair { key, value, quoted: true })
            }
            None => {
                let (value, after) = split(text, |b| b == b',' || b.is_ascii_whitespace());
                *rest = skip(after, |b| b.is_ascii_whitespace());
                Some(Pair { key, value, quoted: false })
            }
        }
    };
    rest.first().is_none_or(|b| *b == b',').then_some(pair)?.map(Some)
}

/// The name in `name: GetUser :one`, `None` for any other comment.
fn query_name(comment: &[u8]) -> Option<&[u8]> {
    let rest = comment.strip_prefix(b"name:")?;
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let name = words.next().filter(|name| !name.iter().any(|b| matches!(b, b',' | b'=' | b'\'')))?;
    // Without a space and without a command it is Marginalia's `key:value`.
    let spaced = rest.first().is_some_and(u8::is_ascii_whitespace);
    let mut commands = words.peekable();
    (spaced || commands.peek().is_some()).then_some(())?;
    commands.all(|word| word.starts_with(b":")).then_some(name)
}

/// `00-<trace id>-<parent id>-<flags>` in lower-case hex: 55 characters, version not ff, ids not zero.
fn traceparent(value: &[u8]) -> Option<Trace> {
    let value: &[u8; 55] = value.try_into().ok()?;
    let mut fields = value.split(|b| *b == b'-');
    let [version] = hex(fields.next()?)?;
    let trace_id: [u8; 16] = hex(fields.next()?)?;
    let span_id: [u8; 8] = hex(fields.next()?)?;
    let [flags] = hex(fields.next()?)?;
    let valid = version != 0xff && trace_id != [0; 16] && span_id != [0; 8];
    valid.then_some(Trace { trace_id, span_id, sampled: flags & 1 == 1 })
}

fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = (*digit as char).to_digit(16).filter(|_| !digit.is_ascii_uppercase())?;
            *byte = *byte << 4 | value as u8;
        }
    }
    Some(bytes)
}

/// Undoes `\'`, then `%2F`. A `%` without two digits stays.
fn unescape(mut raw: &[u8], into: &mut Vec<u8>) {
    while let Some((byte, rest)) = raw.split_first() {
        let (byte, rest) = match (*byte, rest) {
            (b'\\', [b'\'', rest @ ..]) => (b'\'', rest),
            (b'%', [high, low, rest @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |b: u8| (b as char).to_digit(16).unwrap_or_default() as u8;
                (digit(*high) << 4 | digit(*low), rest)
            }
            (byte, rest) => (byte, rest),
        };
        into.push(byte);
        raw = rest;
    }
}

/// Where the quote stands that ends a value.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|byte| {
        let closes = *byte == b'\'' && !escaped;
        escaped = *byte == b'\\';
        closes
    })
}

/// The longest start of `text` that has no more than `bytes_max` bytes.
fn cut(text: &str, bytes_max: usize) -> &str {
    (0..=bytes_max).rev().find_map(|end| text.get(..end)).unwrap_or(text)
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'-' | b'.' | b'%')
}

fn skip(text: &[u8], unwanted: impl Fn(u8) -> bool) -> &[u8] {
    split(text, |b| !unwanted(b)).1
}

/// `text` before and from the first byte that `ends` it.
fn split(text: &[u8], ends: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| ends(*b)).unwrap_or(text.len()))
}
