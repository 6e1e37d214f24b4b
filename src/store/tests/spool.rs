//! What is journaled is there after a crash, in order, once.

use super::*;
use crate::base::units::WallTime;
use crate::stats::level::Thresholds;
use crate::store::batch::Origin;

fn batch(sequence: i64) -> Batch {
    let origin = Origin::new("pod", "shop", WallTime::default()).unwrap();
    Batch::new(&Arc::new(origin), sequence, WallTime::default(), &[], &Thresholds::default(), false)
}

fn open(directory: &Path, most: u64) -> Spool {
    Spool::open(directory, most, Arc::default()).unwrap()
}

fn drain(spool: &Spool) -> Vec<i64> {
    std::iter::from_fn(|| {
        let (key, batch) = spool.first().unwrap()?;
        spool.remove(key).unwrap();
        Some(batch.sequence)
    })
    .collect()
}

#[test]
fn batches_come_back_whole_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let first = batch(1);
    let mut spool = open(directory.path(), u64::MAX);
    spool.put(&first).unwrap();
    spool.put(&batch(2)).unwrap();
    assert_eq!((spool.batches().unwrap(), spool.bytes() > 0), (2, true));
    drop(spool);
    let mut spool = open(directory.path(), u64::MAX);
    assert_eq!(spool.first().unwrap().map(|(_, batch)| batch), Some(first));
    spool.put(&batch(3)).unwrap();
    assert_eq!(drain(&spool), [1, 2, 3]);
    assert_eq!((spool.batches().unwrap(), spool.bytes()), (0, 0));
}

#[test]
fn a_full_journal_gives_up_the_oldest_and_says_which() {
    let directory = tempfile::tempdir().unwrap();
    let size = serde_json::to_vec(&batch(1)).unwrap().len() as u64;
    let mut spool = open(directory.path(), size * 2 + 10);
    let gone: Vec<i64> = (1..=4).flat_map(|n| spool.put(&batch(n)).unwrap()).map(|batch| batch.sequence).collect();
    assert_eq!((gone, drain(&spool)), (vec![1, 2], vec![3, 4]));
}

#[test]
fn two_processes_share_a_directory_and_the_next_one_takes_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path(), u64::MAX);
    let mut second = open(directory.path(), u64::MAX);
    first.put(&batch(1)).unwrap();
    second.put(&batch(2)).unwrap();
    drop((first, second));
    assert_eq!(drain(&open(directory.path(), u64::MAX)), [1, 2]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
