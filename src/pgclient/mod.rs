//! Connections that pgvitals itself makes to PostgreSQL, apart from what it forwards: to the store, later to the
//! monitored database. In a room of its own, because both use it and know nothing of one another.
//!
//! Reading order: [`target`] where to, as whom, with what TLS; [`connect`] the connection.
//!
//! **Pooler-safe**: a connection here may be another server session in each transaction. So nothing may stay behind one:
//! `SET LOCAL` alone, no named statement, no session lock.

pub mod connect;
pub mod target;
