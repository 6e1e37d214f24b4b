//! Frames out of any slices: headers are read across any split, bodies are skipped by length unless somebody asked.
//!
//! A [`Scanner`] is pulled: each call takes bytes off the input and yields at most one [`Piece`]. Memory is O(1): five
//! header bytes and, while a kept body spans reads, at most [`Interest::Keep`] bytes of it.

use crate::wire::capture::Capture;
use crate::wire::error::{Sender, Violation};

/// What is to become of a frame's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Nobody reads it. The frame is told when its header is complete, with others of its tag as one run.
    Skip,
    /// Its first bytes, up to so many, are read. The frame is told when all of it was there.
    Keep(u16),
    /// All of it is read as it comes.
    Stream,
}

/// A direction: what its tags are, which bodies matter, how long a message may be.
pub trait Direction: Default {
    /// The direction's tags.
    type Tag: Copy + Eq + From<u8> + std::fmt::Debug;
    /// Who sends in this direction.
    const SENDER: Sender;
    /// What is to become of a body.
    fn interest(&self, tag: Self::Tag) -> Interest;
    /// The longest length field that PostgreSQL sends or accepts.
    fn longest(tag: Self::Tag) -> u32;
}

/// What a scanner yields. Sizes count the whole frame: tag, length, body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a, Tag> {
    /// Frames of one tag whose bodies nobody reads. All headers are complete; the last body may still be arriving.
    Run {
        /// Their tag.
        tag: Tag,
        /// How many.
        frames: u64,
        /// Their sizes.
        bytes: u64,
    },
    /// A frame that is complete; `body` is whole, or the part that [`Interest::Keep`] asked for.
    Frame {
        /// Its tag.
        tag: Tag,
        /// Its body.
        body: &'a [u8],
        /// Its size.
        bytes: u64,
    },
    /// A streamed frame whose body does not lie in the input as a whole. Chunks follow, then [`Piece::End`].
    Begin {
        /// Its tag.
        tag: Tag,
        /// Its size.
        bytes: u64,
    },
    /// Some of a streamed frame's body.
    Chunk(&'a [u8]),
    /// The end of a streamed frame.
    End,
}

/// Where a scanner stands.
///
/// `Header` → `Skipping` → `Header`; `Header` → `Keeping` → `Header`; `Header` → `Streaming` → `Header`;
/// `Header` → `Broken`, for ever.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Some of the five header bytes are here.
    Header,
    /// So many body bytes still to pass over.
    Skipping(u32),
    /// A kept body spans reads.
    Keeping { tag: u8, body: u32, left: u32 },
    /// A streamed body; at 0 its end is still to be told.
    Streaming(u32),
    /// Nothing that follows can be framed.
    Broken,
}

/// Size of tag and length.
pub const HEADER: usize = 5;

/// An incremental frame scanner of one direction.
#[derive(Debug)]
pub struct Scanner<D> {
    state: State,
    header: [u8; HEADER],
    have: u8,
    offset: u64,
    capture: Capture,
    direction: D,
}

impl<D: Default> Default for Scanner<D> {
    fn default() -> Self {
        Self::new(D::default())
    }
}

impl<D> Scanner<D> {
    /// A scanner at the begin of a stream.
    pub fn new(direction: D) -> Self {
        Self { state: State::Header, header: [0; HEADER], have: 0, offset: 0, capture: Capture::default(), direction }
    }
}

impl<D: Direction> Scanner<D> {
    /// True when the last byte seen ended a frame, or none was seen.
    pub fn at_boundary(&self) -> bool {
        matches!(self.state, State::Header) && self.have == 0
    }

    /// Gives memory back that a body took which spanned reads.
    pub fn rest(&mut self) {
        if self.at_boundary() {
            self.capture.rest();
        }
    }

    /// Takes bytes off `input` and tells what they are; `None` when the input is used up.
    ///
    /// # Errors
    /// A length out of bounds, once: the header was taken off. From then on all input is swallowed.
    #[inline]
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Result<Piece<'a, D::Tag>, Violation>> {
        match self.state {
            State::Header => {}
            State::Skipping(left) => {
                let left = left - pass(input, left);
                if left > 0 {
                    self.state = State::Skipping(left);
                    return None;
                }
                self.state = State::Header;
            }
            State::Keeping { tag, body, left } => return self.keep(input, tag, body, left),
            State::Streaming(0) => {
                self.state = State::Header;
                return Some(Ok(Piece::End));
            }
            State::Streaming(left) => {
                let chunk = take(input, left);
                self.state = State::Streaming(left - chunk.len() as u32);
                return (!chunk.is_empty()).then_some(Ok(Piece::Chunk(chunk)));
            }
            State::Broken => {
                *input = &[];
                return None;
            }
        }
        let header = self.take_header(input)?;
        self.begin(header, input)
    }

    /// The next five bytes, gathered over reads when they must be.
    #[inline]
    fn take_header(&mut self, input: &mut &[u8]) -> Option<[u8; HEADER]> {
        if self.have == 0
            && let Some((header, rest)) = input.split_first_chunk::<HEADER>()
        {
            *input = rest;
            return Some(*header);
        }
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            if let Some(slot) = self.header.get_mut(usize::from(self.have)) {
                *slot = *byte;
            }
            self.have += 1;
            if usize::from(self.have) == HEADER {
                self.have = 0;
                return Some(self.header);
            }
        }
        None
    }

    #[inline]
    fn begin<'a, 'i: 'a>(
        &'a mut self,
        header: [u8; HEADER],
        input: &mut &'i [u8],
    ) -> Option<Result<Piece<'a, D::Tag>, Violation>> {
        let (byte, length) = split(header);
        let tag = D::Tag::from(byte);
        let longest = D::longest(tag);
        if length < 4 || length > longest {
            self.state = State::Broken;
            return Some(Err(Violation { sender: D::SENDER, tag: byte, length, longest, offset: self.offset }));
        }
        let (body, bytes) = (length - 4, u64::from(length) + 1);
        match self.direction.interest(tag) {
            Interest::Skip => Some(Ok(self.run(byte, body, longest, input))),
            Interest::Keep(limit) => {
                self.offset += bytes;
                if input.len() < body as usize {
                    self.capture.begin(limit);
                    return self.keep(input, byte, body, body);
                }
                let body = take(input, body);
                Some(Ok(Piece::Frame { tag, body: body.get(..usize::from(limit)).unwrap_or(body), bytes }))
            }
            Interest::Stream => {
                self.offset += bytes;
                if input.len() >= body as usize {
                    return Some(Ok(Piece::Frame { tag, body: take(input, body), bytes }));
                }
                self.state = State::Streaming(body);
                Some(Ok(Piece::Begin { tag, bytes }))
            }
        }
    }

    /// Passes over this frame and those of the same tag that follow it.
    #[inline]
    fn run(&mut self, byte: u8, body: u32, longest: u32, input: &mut &[u8]) -> Piece<'static, D::Tag> {
        let mut frames = 1;
        let mut bytes = u64::from(body) + HEADER as u64;
        let mut left = body - pass(input, body);
        while left == 0
            && let Some((header, rest)) = input.split_first_chunk::<HEADER>()
        {
            let (next, length) = split(*header);
            if next != byte || length < 4 || length > longest {
                break;
            }
            *input = rest;
            left = length - 4 - pass(input, length - 4);
            frames += 1;
            bytes += u64::from(length) + 1;
        }
        if left > 0 {
            self.state = State::Skipping(left);
        }
        self.offset += bytes;
        Piece::Run { tag: D::Tag::from(byte), frames, bytes }
    }

    fn keep<'a>(
        &'a mut self,
        input: &mut &[u8],
        byte: u8,
        body: u32,
        left: u32,
    ) -> Option<Result<Piece<'a, D::Tag>, Violation>> {
        let part = take(input, left);
        self.capture.feed(part);
        let left = left - part.len() as u32;
        if left > 0 {
            self.state = State::Keeping { tag: byte, body, left };
            return None;
        }
        self.state = State::Header;
        let bytes = u64::from(body) + HEADER as u64;
        Some(Ok(Piece::Frame { tag: D::Tag::from(byte), body: self.capture.bytes(), bytes }))
    }
}

#[inline]
fn split([tag, a, b, c, d]: [u8; HEADER]) -> (u8, u32) {
    (tag, u32::from_be_bytes([a, b, c, d]))
}

/// Takes up to `count` bytes off the input.
#[inline]
fn take<'i>(input: &mut &'i [u8], count: u32) -> &'i [u8] {
    let (taken, rest) = input.split_at_checked(count as usize).unwrap_or((*input, &[]));
    *input = rest;
    taken
}

/// Passes over up to `count` bytes of the input and says over how many.
#[inline]
fn pass(input: &mut &[u8], count: u32) -> u32 {
    take(input, count).len() as u32
}
