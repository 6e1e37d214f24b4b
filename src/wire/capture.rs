//! Keeps the first bytes of a body that spans reads.

/// The kept bytes. Holds memory from [`Capture::begin`] to the next one only if a body did span reads.
#[derive(Debug, Default)]
pub(in crate::wire) struct Capture {
    bytes: Vec<u8>,
    limit: u16,
}

/// A buffer of at most this size stays when it was used; larger ones go with the next body or the next quiet second.
const RETAINED: usize = 64;

impl Capture {
    /// From now on up to `limit` bytes are kept.
    pub(in crate::wire) fn begin(&mut self, limit: u16) {
        self.rest();
        self.bytes.clear();
        self.limit = limit;
    }

    /// Gives back what a large body took.
    pub(in crate::wire) fn rest(&mut self) {
        if self.bytes.capacity() > RETAINED {
            self.bytes = Vec::new();
        }
    }

    /// Keeps what is below the limit.
    pub(in crate::wire) fn feed(&mut self, part: &[u8]) {
        let room = usize::from(self.limit).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// What was kept.
    pub(in crate::wire) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
