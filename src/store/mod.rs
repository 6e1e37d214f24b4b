//! Monitoring tables: what was measured outlives the process, adds up across a fleet, and answers in plain SQL
//! (docs/design/store.md).
//!
//! Reading order: [`settings`] what the owner may set, [`schema`] names in it and templates of SQL, `migrations/` the
//! tables and functions themselves, [`script`] them in order, [`migrate`] applies them, [`examine`] says what will and
//! won't work.
//!
//! Writing: [`batch`] minutes as rows, of which `figures` and `sum` add up, `open` those that still grow; `copy` PostgreSQL's binary format, `tables` which column
//! gets what; [`link`] a connection, `known` what the store was told of statements and series, `write` one batch, exactly
//! once; [`cost`] what the process costs, as [`process`] reads it; [`parts`] what the writer is given, [`flusher`] when, `delivery` again until it worked; [`error`] and [`verdict`] what a
//! refusal means, [`status`] how far it has come; [`spool`] a journal on disk, `seconds` what is not closed beside it, `journal` by way of both; [`upkeep`] what
//! one process does for all; [`snapshots`] what was seen in a server, `samples` its columns; [`runs`] what came of jobs;
//! [`play`] a time that was made up.
//!
//! Reading: [`read`]. Alerts: [`alerts`].

pub mod alerts;
pub mod batch;
mod copy;
pub mod cost;
mod delivery;
pub mod error;
pub mod examine;
mod figures;
pub mod flusher;
mod journal;
mod known;
pub mod link;
pub mod migrate;
mod open;
pub mod parts;
pub mod play;
pub mod process;
pub mod read;
pub mod runs;
mod samples;
pub mod schema;
pub mod script;
mod seconds;
pub mod settings;
pub mod snapshots;
pub mod spool;
pub mod status;
mod sum;
mod tables;
pub mod upkeep;
pub mod verdict;
mod write;
