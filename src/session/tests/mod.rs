//! Tests of the whole machine: bytes in, events out.

mod limits;
mod messages;
mod model;
mod splits;
mod transcript;
mod values;
