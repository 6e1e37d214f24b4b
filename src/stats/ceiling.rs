//! Who may hold how much (PROTOCOL §7): 64 MiB for all recorders, the merge and the registry together.
//!
//! Sizes are estimates: what Rust's types and heap blocks take, and [`MAP_ENTRY`] for a place in a hash map.

/// The ceiling.
pub const TOTAL: usize = 64 << 20;

/// Of it: what all recorders hold between two harvests.
pub const RECORDERS: usize = 12 << 20;

/// Of it: harvests on their way.
pub const HARVESTS: usize = 8 << 20;

/// Of it: the merged state with the registry of texts.
pub const MERGED: usize = TOTAL - RECORDERS - HARVESTS;

/// Beside it, where a store is configured: closed minutes that nobody takes.
pub const OUTBOX: usize = 16 << 20;

/// Beside it, where `sample_rate` takes executions: what all workers hold of them between two harvests, and as much once
/// more for those that wait for the store.
pub const SAMPLES: usize = 8 << 20;

/// A place in a hash map beside key and value: control byte and load factor, rounded up.
pub(super) const MAP_ENTRY: usize = 16;

/// An allocation's or an `Arc`'s own words.
pub(super) const ALLOCATION: usize = 16;

/// Series that one of `workers` workers holds between two harvests.
pub fn worker_series(max_series: usize, workers: usize) -> usize {
    (max_series / workers.max(1)).max(256)
}

/// Bytes that sampled executions of one of `workers` workers take between two harvests.
pub fn worker_samples(workers: usize) -> usize {
    SAMPLES / workers.max(1)
}

/// Bytes that one of `workers` workers holds between two harvests.
pub fn worker_bytes(workers: usize) -> usize {
    RECORDERS / workers.max(1)
}
