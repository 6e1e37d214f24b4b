//! A sidecar whose clock is wrong.

use std::sync::Arc;

use pgvitals::base::units::Nanos;
use pgvitals::runtime::clock::Clock;
use pgvitals::runtime::shutdown::{Phase, Shutdown};
use pgvitals::stats::live::LiveView;
use pgvitals::store::batch::Batch;
use pgvitals::store::flusher::Flusher;
use pgvitals::store::spool::Spool;

use super::Store;
use super::idle::{parts, settings};
use crate::support::postgres::Cluster;

/// The day of its key is of that clock, and the store has partitions for two weeks: all that came after waited behind it.
#[test]
fn a_clock_that_is_months_ahead_holds_nothing_up() {
    let (store, directory) = (Store::on(Cluster::newest()), tempfile::tempdir().unwrap());
    let (clock, shutdown) = (Clock::start(), Shutdown::default());
    let parts = parts(clock, shutdown.clone());
    let months_ahead = clock.wall().after(Nanos::from_millis(60 * 86_400_000));
    let mut spool = Spool::open(directory.path(), u64::MAX, Arc::default()).unwrap();
    spool.put(&Batch::empty(&parts.origin, 1, months_ahead)).unwrap();
    drop(spool);
    let live = tokio::sync::watch::channel(LiveView::default()).1;
    let flusher = Flusher::new(settings(&store, directory.path()), parts, live);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Nothing more comes, and the end allows for some seconds.
    let (_, minutes) = tokio::sync::mpsc::channel(1);
    shutdown.advance(Phase::Flushing);
    runtime.block_on(flusher.run(minutes));
    assert_eq!(store.superuser().value("select count(*) from pgvitals.batches"), "1");
}
