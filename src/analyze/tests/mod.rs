//! Tests of the room: facts in, findings out, time injected.

mod bloat;
mod book;
mod capacity;
mod coverage;
mod days;
mod indexes;
mod judge;
mod noise;
mod redundant;
mod report;
mod statements;
mod support;
mod usual;
