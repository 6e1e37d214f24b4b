//! Tokens of a canonical text: without literals, comments and capitals there is little to tell apart.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// A bare word: a name or a keyword.
    Word,
    /// `"…"`
    Quoted,
    /// `$1`
    Placeholder,
    /// One byte of anything else.
    Other,
}

/// A token and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'a> {
    pub(super) class: Class,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    /// Whether it is `byte` and nothing else.
    pub(super) fn is(&self, byte: u8) -> bool {
        self.class == Class::Other && self.text.as_bytes() == [byte]
    }

    /// The offset behind it.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of a canonical text; any text has some.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let start = at + rest.len() - trimmed.len();
        let first = trimmed.chars().next()?;
        let (class, len) = match first {
            '"' => (Class::Quoted, quoted_len(trimmed)),
            '$' => (Class::Placeholder, 1 + word_len(trimmed.get(1..).unwrap_or_default())),
            _ if is_word(first) => (Class::Word, word_len(trimmed)),
            _ => (Class::Other, first.len_utf8()),
        };
        at = start + len;
        Some(Token { class, text: text.get(start..at)?, start })
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

fn word_len(text: &str) -> usize {
    text.find(|c| !is_word(c) && c != '$').unwrap_or(text.len())
}

/// A doubled quote is read as the end of one quoted name and the start of another; the two are one token.
fn quoted_len(text: &str) -> usize {
    let mut len = 0;
    while let Some(inner) = text.get(len..).and_then(|rest| rest.strip_prefix('"')) {
        len += 1 + inner.find('"').map_or(inner.len(), |end| end + 1);
    }
    len
}
