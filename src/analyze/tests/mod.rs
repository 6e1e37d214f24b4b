//! Tests of the room: facts in, findings out, time injected.

mod book;
mod judge;
mod support;
