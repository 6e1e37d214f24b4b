//! What was forwarded and waits to be looked at.
//!
//! Behind each system call the caches hold the kernel's code, not ours: chunks that are looked at one by one cost
//! several times what they cost in a row. So small ones are kept, with their instants, and a row of them is looked at
//! together; nothing that is measured depends on when that is.

use std::rc::Rc;

use super::connection::Link;
use crate::base::units::Stamp;
use crate::session::Leg;

/// Chunks that wait at most.
const ENTRIES: usize = 32;
/// Their bytes at most.
const BYTES: usize = 8 << 10;
/// A longer chunk costs more to copy than a cold look does.
const SHORT: usize = 1 << 10;

/// Something that happened in one direction of a connection.
pub(crate) struct Entry {
    pub(crate) link: Rc<Link>,
    /// The leg that bytes of this direction come from.
    pub(crate) from: Leg,
    pub(crate) at: Stamp,
    /// Where the chunk's bytes are.
    start: u32,
    end: u32,
}

/// A worker's tape. Allocates once.
pub(crate) struct Tape {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::with_capacity(ENTRIES), bytes: Vec::with_capacity(BYTES) }
    }

    /// Whether a chunk of `length` bytes may wait, now that the tape is what it is.
    #[inline]
    pub(crate) fn takes(&self, length: usize) -> bool {
        length <= SHORT && self.entries.len() < ENTRIES && self.bytes.len() + length <= BYTES
    }

    /// Keeps a chunk that was read at `at`.
    #[inline]
    pub(crate) fn keep(&mut self, link: &Rc<Link>, from: Leg, at: Stamp, chunk: &[u8]) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(chunk);
        self.entries.push(Entry { link: Rc::clone(link), from, at, start, end: self.bytes.len() as u32 });
    }

    /// Plays all that waits to `look`, in order, and forgets it.
    #[inline]
    pub(crate) fn play(&mut self, mut look: impl FnMut(&Entry, &[u8])) {
        for entry in self.entries.drain(..) {
            look(&entry, self.bytes.get(entry.start as usize..entry.end as usize).unwrap_or_default());
        }
        self.bytes.clear();
    }
}
