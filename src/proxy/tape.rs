//! What was forwarded and waits to be looked at.
//!
//! Behind each system call the caches hold the kernel's code and not ours: chunks that are looked at one by one cost
//! several times what they cost in a row. So short ones are kept, with the instant of their read, and a row of them is
//! looked at together: when the tape is full, when a long chunk comes, when somebody asks, and once a second. Nothing
//! that is measured depends on when that is.

use std::rc::Rc;

use super::link::Link;
use crate::base::units::Stamp;
use crate::session::Leg;

/// Chunks that wait at most: looking at so many takes some 40 µs, which at most one of 128 statements meets.
const ENTRIES: usize = 256;
/// Their bytes at most.
const BYTES: usize = 32 << 10;
/// A longer chunk costs more to copy than a cold look does.
const SHORT: usize = 1 << 10;

/// A chunk that has passed.
pub(crate) struct Entry {
    pub(crate) link: Rc<Link>,
    pub(crate) from: Leg,
    /// When it was read.
    pub(crate) at: Stamp,
    /// Behind the bytes of the entry before.
    length: usize,
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

    /// Keeps a chunk of `link` that came from `from` at `at`; false when it is too long or the tape is full.
    #[inline]
    pub(crate) fn keep(&mut self, link: &Rc<Link>, from: Leg, at: Stamp, chunk: &[u8]) -> bool {
        let length = chunk.len();
        let fits = length <= SHORT && self.entries.len() < ENTRIES && self.bytes.len() + length <= BYTES;
        if fits {
            self.bytes.extend_from_slice(chunk);
            self.entries.push(Entry { link: Rc::clone(link), from, at, length });
        }
        fits
    }

    /// Shows all that waits to `look`, in order, and forgets it.
    pub(crate) fn play(&mut self, mut look: impl FnMut(&Entry, &[u8])) {
        let mut rest = self.bytes.as_slice();
        for entry in self.entries.drain(..) {
            let (chunk, behind) = rest.split_at_checked(entry.length).unwrap_or_default();
            rest = behind;
            look(&entry, chunk);
        }
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(tape: &mut Tape) -> Vec<(Leg, u64, Vec<u8>)> {
        let mut seen = Vec::new();
        tape.play(|entry, chunk| seen.push((entry.from, entry.at.as_nanos(), chunk.to_vec())));
        seen
    }

    #[test]
    fn chunks_are_played_once_in_order_with_their_instants() {
        let (mut tape, link) = (Tape::new(), Rc::new(Link::default()));
        assert!(tape.keep(&link, Leg::Client, Stamp::from_nanos(7), b"question"));
        assert!(tape.keep(&link, Leg::Upstream, Stamp::from_nanos(9), b"answer"));
        let wanted = [(Leg::Client, 7, b"question".to_vec()), (Leg::Upstream, 9, b"answer".to_vec())];
        assert_eq!(played(&mut tape), wanted);
        assert_eq!(played(&mut tape), []);
        assert_eq!(Rc::strong_count(&link), 1, "a link that was played is let go");
    }

    #[test]
    fn a_tape_is_full_by_chunks_or_by_bytes_and_takes_no_long_chunk() {
        let link = Rc::new(Link::default());
        let filled_with = |length: usize| {
            let mut tape = Tape::new();
            let chunk = vec![b'x'; length];
            let kept = (0..).take_while(|_| tape.keep(&link, Leg::Client, Stamp::from_nanos(1), &chunk)).count();
            assert_eq!(played(&mut tape).len(), kept);
            kept
        };
        assert_eq!(filled_with(10), ENTRIES);
        assert_eq!(filled_with(SHORT), BYTES / SHORT);
        assert_eq!(filled_with(SHORT + 1), 0);
    }
}
