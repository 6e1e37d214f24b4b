//! Tests of the room: frames out of any slices.

mod scanner;
mod views;
