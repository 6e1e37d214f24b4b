//! Tests of the whole machine: bytes in, events out.

mod messages;
mod splits;
mod transcript;
