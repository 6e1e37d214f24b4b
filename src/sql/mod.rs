//! Text to fingerprint: a lexer of our own makes the canonical text, its hash groups statements. Pure; never fails.
//!
//! Reading order: [`query`] what a fingerprint is, [`statement`] what is known of one statement of a text.

mod catalog;
mod comment;
pub mod describe;
pub mod fingerprint;
pub mod hash;
pub mod kind;
pub mod query;
mod relations;
pub mod statement;
pub mod tags;
