//! Tests of the room.

mod arguments;
mod asking;
mod docs;
mod exits;
