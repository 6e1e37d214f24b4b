//! What was seen in a monitored server and its databases, as plain data: no rule, no IO, no clock.
//!
//! Reading order: [`relation`] what a table or an index is known by, and bloat; [`index`], [`table`], [`sequence`],
//! [`database`]; of the whole server [`server`], [`holder`] what keeps dead rows and WAL alive, [`activity`] who works
//! there; [`set`] all of one round, with what could not be seen; [`history`] what rounds before said.
//!
//! Objects are known by oid: a rename changes a name and nothing else, an index that is made again is another one.
//! Counters are what the server counted since its last reset; rules compare them.

pub mod activity;
pub mod database;
pub mod history;
pub mod holder;
pub mod index;
pub mod relation;
pub mod sequence;
pub mod server;
pub mod set;
pub mod table;
