//! Tests of the room: what is generated, who wins, what is said.

mod loading;
mod rendering;
mod telling;
mod urls;
