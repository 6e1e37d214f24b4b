//! Text to fingerprint: a lexer of our own makes the canonical text, its hash groups statements. Pure; never fails.
//!
//! Reading order: [`query`] what a fingerprint is, [`statement`] what is known of one statement of a text,
//! [`bound`] the values that it runs with, [`fingerprint`] the way from text to statements. Behind it, in the order in which bytes pass: `lexer` with what it keeps
//! of a token (`digits`, `operator`, `dollar`) and its chapters `number`, `operators`, `quotes`, `repeats`, the tables of `token`; `skeleton` with `words`, `names`, `spacing`, `lists` and its buffer
//! `text`; `block` is behind their scanning; `piece` is the statement in progress, `split` holds them together, `characters` and `pool` serve it; `cache`, `canonical`, [`hash`], [`kind`] and
//! `prepare` make a statement of a skeleton. [`tags`] with `comment` reads comments, [`describe`] with `relations` and
//! `catalog` reads canonical texts, off the statement path.

mod block;
pub mod bound;
mod cache;
mod canonical;
mod catalog;
mod characters;
mod comment;
pub mod describe;
mod digits;
mod dollar;
pub mod fingerprint;
pub mod hash;
pub mod kind;
mod lexer;
mod lists;
mod names;
mod number;
mod operator;
mod operators;
mod piece;
pub mod pool;
mod prepare;
pub mod query;
mod quotes;
mod relations;
mod repeats;
mod skeleton;
mod spacing;
mod split;
pub mod statement;
pub mod tags;
mod text;
mod token;
mod words;

#[cfg(test)]
#[path = "tests/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "tests/statements.rs"]
mod statements;
