//! What was appended is there after a death, and what a death cut short is not.

use std::sync::Arc;

use super::*;
use crate::base::units::WallTime;
use crate::store::batch::Origin;

fn part(sequence: i64, sqlstate: &str) -> Batch {
    let origin = Origin::new("pod", "shop", WallTime::default()).unwrap();
    let errors = vec![crate::store::batch::ErrorRow {
        series_id: i64::MIN,
        bucket_us: 60_000_000,
        errors: 2,
        sqlstate: sqlstate.to_owned(),
    }];
    Batch { errors, ..Batch::empty(&Arc::new(origin), sequence, WallTime::from_unix_micros(86_400_000_000 * 9)) }
}

fn append(seconds: &mut Seconds, part: &Batch) {
    seconds.append(part.sequence, &encode(part).unwrap()).unwrap();
}

#[test]
fn parts_of_one_key_come_back_as_one_batch() {
    let directory = tempfile::tempdir().unwrap();
    let mut seconds = Seconds::new(directory.path(), 3);
    let first = part(1, "23505");
    append(&mut seconds, &first);
    append(&mut seconds, &part(2, "23505"));
    append(&mut seconds, &first);
    append(&mut seconds, &part(12, "23505"));
    seconds.remove(2).unwrap();
    drop(seconds);
    let left = left(directory.path(), 3).unwrap();
    assert_eq!(left.iter().map(|left| left.torn).collect::<Vec<_>>(), [0, 0]);
    let batches: Vec<Batch> = left.into_iter().filter_map(|left| left.batch).collect();
    assert_eq!(batches.iter().map(|batch| batch.sequence).collect::<Vec<_>>(), [1, 12]);
    let found: Vec<_> = batches[0].errors.iter().map(|row| (row.errors, &*row.sqlstate)).collect();
    assert_eq!((found, batches[0].day, &batches[0].origin), (vec![(4, "23505")], 9, &first.origin));
    assert!(super::left(directory.path(), 0).unwrap().is_empty(), "another journal's");
}

#[test]
fn a_record_that_was_cut_or_changed_ends_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let records: Vec<Vec<u8>> = ["a", "b"].iter().map(|code| encode(&part(1, code)).unwrap()).collect();
    let whole = records.concat();
    let first = records[0].len();
    let path = directory.path().join("spool-0-1.seconds");
    for cut in first..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let left = left(directory.path(), 0).unwrap();
        assert_eq!(left[0].torn, cut - first);
        assert_eq!(left[0].batch.as_ref().map(|batch| batch.errors.len()), Some(1));
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let left = left(directory.path(), 0).unwrap();
        assert!(left[0].torn > 0, "byte {at}");
        assert_eq!(left[0].batch.is_some(), at >= first, "byte {at}");
    }
    std::fs::write(&path, [&whole[..], &[0; 4096]].concat()).unwrap();
    let left = left(directory.path(), 0).unwrap();
    assert_eq!((left[0].torn, left[0].batch.as_ref().map(|batch| batch.errors.len())), (4096, Some(2)));
}
