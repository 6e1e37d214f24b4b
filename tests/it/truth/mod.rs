//! Numbers against an oracle that isn't ours: `pg_stat_statements`, and what a client measures.

pub(crate) mod counts;
mod times;
