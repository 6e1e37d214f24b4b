//! Others' text on a terminal: made harmless.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer};

use crate::base::text::is_unsafe;

/// Bytes of one text that are shown; a canonical text may be longer.
const TEXT_MAX: usize = 16 << 10;

/// Text that others wrote, on one line: a terminal obeys nothing in it (FIELD (g)).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Text(String);

impl Text {
    /// Makes it harmless.
    pub(super) fn new(text: &str) -> Self {
        Self(printable(text, TEXT_MAX))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(text)?))
    }
}

/// Text on one line, all of it, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    printable(text, usize::MAX)
}

/// Text on one line, at most about `most` bytes of it, without what a terminal would obey.
pub(super) fn printable(text: &str, most: usize) -> String {
    let is_obeyed = |c| is_unsafe(c) || matches!(c, '\u{2028}' | '\u{2029}');
    let mut words = String::new();
    for c in text.chars().map(|c| if is_obeyed(c) { ' ' } else { c }) {
        if !(c == ' ' && words.ends_with(' ')) {
            words.push(c);
        }
        if words.len() >= most {
            words.push('…');
            break;
        }
    }
    words
}
