//! What quotes are known by: what a backslash does inside, and a dollar quote's tag.

/// What a backslash in a string does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Escapes {
    Nothing,
    /// Skips the next character.
    Skip,
}

/// Bytes of a tag that are kept, for the case that no dollar quote begins after all.
pub(super) const TAG_KEPT: usize = 64;

/// A dollar quote, or what may become one.
pub(super) struct Dollar {
    pub(super) kept: [u8; TAG_KEPT],
    /// Its tag.
    pub(super) tag: Tag,
    /// What followed the last `$` inside: the closing tag, if it is the same and `$` follows.
    pub(super) seen: Option<Tag>,
}

impl Default for Dollar {
    fn default() -> Self {
        Self { kept: [0; TAG_KEPT], tag: Tag::default(), seen: None }
    }
}

/// Length and FNV-1a hash of a tag: it may be of any length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag {
    pub(super) len: usize,
    hash: u64,
}

impl Default for Tag {
    fn default() -> Self {
        Self { len: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Tag {
    pub(super) fn push(&mut self, byte: u8) {
        self.len += 1;
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}
