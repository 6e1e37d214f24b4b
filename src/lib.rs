//! pgvitals: a sidecar proxy for PostgreSQL that times every statement and changes nothing else.
//!
//! The rooms, from the ground up. `ARCHITECTURE.md` says who may import whom; `tests/tidy.rs` holds it.
//!
//! Pure rooms, bytes and stamps in, facts out: [`base`] ground that every room stands on, [`wire`] the PostgreSQL
//! protocol, [`sql`] text to fingerprint, [`session`] one connection's state machine, [`stats`] aggregates in memory,
//! [`snapshot`] what was seen in a database, [`analyze`] rules over both.
//!
//! Rooms that touch the world: [`runtime`] clock, tasks, sockets, [`tls`] certificates and trust, [`proxy`] the data plane,
//! [`pgclient`] our own connections to PostgreSQL, [`store`] the monitoring tables, [`collect`] questions to the monitored
//! server, [`notify`] people are told, [`jobs`] what one process does for all, [`http`] API and metrics, [`demo`] a month played back, [`config`] settings, [`app`] wires the rooms together, [`cli`] the commands.

pub mod base;

pub mod analyze;
pub mod session;
pub mod snapshot;
pub mod sql;
pub mod stats;
pub mod wire;

pub mod collect;
pub mod demo;
pub mod http;
pub mod jobs;
pub mod notify;
pub mod pgclient;
pub mod proxy;
pub mod runtime;
pub mod store;
pub mod tls;

pub mod app;
pub mod cli;
pub mod config;
