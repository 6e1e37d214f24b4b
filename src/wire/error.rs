//! What can be wrong with a stream of frames.

/// Who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The client: a frontend message.
    Frontend,
    /// The server: a backend message.
    Backend,
}

/// A length that no PostgreSQL sends or accepts. What follows can't be framed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{sender:?} message {:?} at byte {offset} has length {length}, allowed are 4 to {longest}", char::from(*tag))]
pub struct Violation {
    /// Who sent it.
    pub sender: Sender,
    /// The frame's tag byte.
    pub tag: u8,
    /// The length field, which counts itself.
    pub length: u32,
    /// The longest that is allowed for this tag.
    pub longest: u32,
    /// Where the frame begins, in bytes from where the scanner began.
    pub offset: u64,
}
