//! What is journaled is there after a crash, in order, once.

use super::*;
use crate::base::units::WallTime;
use crate::store::batch::{ErrorRow, Origin, StatsRow};
use crate::store::figures::Figures;

fn batch(sequence: i64) -> Batch {
    let origin = Origin::new("pod", "shop", WallTime::default()).unwrap();
    Batch::empty(&Arc::new(origin), sequence, WallTime::default())
}

fn open(directory: &Path, most: u64) -> Spool {
    Spool::open(directory, most, Arc::default()).unwrap()
}

fn drain(spool: &mut Spool) -> Vec<i64> {
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
    assert_eq!(drain(&mut spool), [1, 2, 3]);
    assert_eq!((spool.batches().unwrap(), spool.bytes()), (0, 0));
}

#[test]
fn a_full_journal_gives_up_the_oldest_and_says_which() {
    let directory = tempfile::tempdir().unwrap();
    let size = serde_json::to_vec(&batch(1)).unwrap().len() as u64;
    let mut spool = open(directory.path(), size * 2 + 10);
    let gone: Vec<i64> = (1..=4).flat_map(|n| spool.put(&batch(n)).unwrap()).map(|batch| batch.sequence).collect();
    assert_eq!((gone, drain(&mut spool)), (vec![1, 2], vec![3, 4]));
}

#[test]
fn two_processes_share_a_directory_and_the_next_one_takes_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path(), u64::MAX);
    let mut second = open(directory.path(), u64::MAX);
    first.put(&batch(1)).unwrap();
    second.put(&batch(2)).unwrap();
    drop((first, second));
    assert_eq!(drain(&mut open(directory.path(), u64::MAX)), [1, 2]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// A part of a batch that counts one error.
fn part(of: &Batch) -> Batch {
    let errors = vec![ErrorRow { series_id: 1, bucket_us: 0, errors: 1, sqlstate: "23505".to_owned() }];
    Batch { errors, ..of.clone() }
}

#[test]
fn what_was_not_closed_is_closed_by_the_next_life_under_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path(), u64::MAX);
    let (closed, growing) = (batch(1), batch(2));
    [&closed, &growing, &growing].into_iter().for_each(|batch| spool.note(&part(batch)).unwrap());
    assert!(spool.close(&closed).unwrap().is_empty());
    drop(spool);
    let mut spool = open(directory.path(), u64::MAX);
    assert_eq!(spool.first().unwrap().map(|(_, batch)| batch), Some(closed), "its seconds went with its closing");
    spool.remove(0).unwrap();
    let (key, left) = spool.first().unwrap().expect("the other one");
    assert_eq!((&left.origin, left.sequence, left.errors[0].errors), (&growing.origin, 2, 2));
    spool.remove(key).unwrap();
    assert!(spool.first().unwrap().is_none());
    drop(spool);
    assert_eq!(open(directory.path(), u64::MAX).batches().unwrap(), 0, "once");
}

/// After a step back to an earlier version nothing was written any more, and at last all of it was given up.
#[test]
fn a_batch_that_can_t_be_read_stands_in_nobody_s_way() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path(), u64::MAX);
    spool.put(&batch(1)).unwrap();
    let write = spool.database.begin_write().unwrap();
    write.open_table(BATCHES).unwrap().insert(0, b"{\"form\":2}".as_slice()).unwrap();
    write.commit().unwrap();
    spool.put(&batch(2)).unwrap();
    assert_eq!((drain(&mut spool), spool.take_lost()), (vec![2], 1));
}

#[test]
fn a_second_process_leaves_the_seconds_of_the_first_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path(), u64::MAX);
    first.note(&part(&batch(1))).unwrap();
    let mut second = open(directory.path(), u64::MAX);
    assert_eq!(second.batches().unwrap(), 0);
    second.note(&part(&batch(1))).unwrap();
    drop((first, second));
    assert_eq!(drain(&mut open(directory.path(), u64::MAX)), [1, 1]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_journal_without_room_takes_no_seconds_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let part = part(&batch(1));
    let mut spool = open(directory.path(), seconds::encode(&part).unwrap().len() as u64 * 2 - 1);
    spool.note(&part).unwrap();
    assert!(matches!(spool.note(&part), Err(Error::Full)));
}

#[test]
fn journals_that_do_not_fit_into_one_say_what_they_cost() {
    let directory = tempfile::tempdir().unwrap();
    let used = |sequence| {
        let figures = Figures { calls: 5, ..Figures::default() };
        Batch { stats: vec![StatsRow { series_id: 1, bucket_us: 0, figures }], ..batch(sequence) }
    };
    let size = serde_json::to_vec(&used(1)).unwrap().len() as u64;
    let (mut first, mut second) = (open(directory.path(), u64::MAX), open(directory.path(), u64::MAX));
    first.put(&used(1)).unwrap();
    second.put(&used(2)).unwrap();
    drop((first, second));
    let mut spool = open(directory.path(), size + 10);
    assert_eq!((spool.take_lost(), spool.take_lost(), drain(&mut spool)), (5, 0, vec![2]));
}

/// "Statements, names and bind values are in it": whatever the umask is, its owner alone reads it.
#[test]
fn nobody_else_may_read_a_journal() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("journal");
    let mut spool = open(&directory, u64::MAX);
    spool.note(&part(&batch(1))).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| mode(&entry.unwrap().path())).collect();
    assert_eq!((mode(&directory), files), (0o700, vec![0o600, 0o600]));
}
