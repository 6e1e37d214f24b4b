//! Questions to the monitored server: what its catalogues and counters say of tables, indexes and whoever works there.
//!
//! Reading order: [`settings`], [`collector`] one round over all databases; `ask` one question, `queries/` the questions
//! themselves, `tables`, `indexes`, `sequences`, `databases`, `server` what each answer means; `bloat` the estimate (pure),
//! `measure` what pgstattuple reads, `partitions` sums of them (pure), `missing` what could not be seen.
//!
//! **It loads nobody.** Each question is a transaction of its own that may not write, ends after 30 s, and waits for a
//! lock 100 ms at most; relations that somebody changes are left alone. One connection at a time.

mod ask;
mod bloat;
pub mod collector;
mod databases;
pub mod error;
mod indexes;
mod measure;
mod missing;
mod partitions;
mod sequences;
mod server;
pub mod settings;
mod tables;
