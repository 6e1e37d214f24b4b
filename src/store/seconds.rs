//! What each second brings to batches that are not closed, on disk: a file for each of them, to which parts are appended
//! and which goes when its batch is in the journal.
//!
//! Nothing is synced: what was written outlives the process at once, and a power cut as soon as the system has written it
//! back, some 30 s later with Linux's defaults.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::batch::Batch;
use super::sum::Sum;

/// Seeds the checksums: parts that were written in another form are not read.
const FORM: u64 = 1;

const EXTENSION: &str = "seconds";

/// Statements, names and, where they are kept, bind values are in it: nobody else may read it.
const FILE_MODE: u32 = 0o600;

/// Files of one process.
#[derive(Debug)]
pub(super) struct Seconds {
    directory: PathBuf,
    journal: u32,
    open: HashMap<i64, (File, u64)>,
}

/// What an ended process left of a batch.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) path: PathBuf,
    /// `None`: nothing of it can be read.
    pub(super) batch: Option<Batch>,
    /// Bytes at the end that can't be read.
    pub(super) torn: usize,
}

impl Seconds {
    /// Beside the journal of this number.
    pub(super) fn new(directory: &Path, journal: u32) -> Self {
        Self { directory: directory.to_path_buf(), journal, open: HashMap::new() }
    }

    /// Bytes in all files.
    pub(super) fn bytes(&self) -> u64 {
        self.open.values().map(|(_, bytes)| bytes).sum()
    }

    /// Appends a part of a batch, encoded by [`encode`].
    pub(super) fn append(&mut self, sequence: i64, record: &[u8]) -> Result<(), Error> {
        let path = self.path(sequence);
        let (file, bytes) = match self.open.entry(sequence) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert((private(&path, OpenOptions::new().append(true))?, 0)),
        };
        let written = file.write_all(record);
        match &written {
            Ok(()) => *bytes += record.len() as u64,
            // What comes next must not stand behind half a record.
            Err(_) => file.set_len(*bytes)?,
        }
        written
    }

    /// The batch is in the journal, or lost.
    pub(super) fn remove(&mut self, sequence: i64) -> Result<(), Error> {
        match self.open.remove(&sequence) {
            Some(_) => std::fs::remove_file(self.path(sequence)),
            None => Ok(()),
        }
    }

    fn path(&self, sequence: i64) -> PathBuf {
        self.directory.join(format!("{}{sequence}.{EXTENSION}", prefix(self.journal)))
    }
}

/// Opens a file of a journal, or makes one that its owner alone may read.
pub(super) fn private(path: &Path, how: &mut OpenOptions) -> Result<File, Error> {
    how.create(true).mode(FILE_MODE).open(path)
}

fn prefix(journal: u32) -> String {
    format!("spool-{journal}-")
}

/// A part as a record: length, checksum, content.
pub(super) fn encode(part: &Batch) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let content = rmp_serde::to_vec(part)?;
    let length = u32::try_from(content.len()).map_err(|_| rmp_serde::encode::Error::Syntax("too long".to_owned()))?;
    let mut record = length.to_le_bytes().to_vec();
    record.extend(xxh3_64_with_seed(&content, FORM).to_le_bytes());
    record.extend(content);
    Ok(record)
}

/// The first record and what follows it; `None` where none is whole.
fn decode(bytes: &[u8]) -> Option<(Batch, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<8>()?;
    let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let whole = xxh3_64_with_seed(content, FORM) == u64::from_le_bytes(*checksum);
    Some((rmp_serde::from_slice(content).ok().filter(|_| whole)?, rest))
}

/// What a process that is gone left beside its journal, in the order in which the batches were begun.
pub(super) fn left(directory: &Path, journal: u32) -> Result<Vec<Left>, Error> {
    let mut found: Vec<(i64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let sequence = name.strip_prefix(&prefix(journal)).and_then(|rest| rest.strip_suffix(&format!(".{EXTENSION}")));
        if let Some(Ok(sequence)) = sequence.map(str::parse) {
            found.push((sequence, path));
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| read(path)).collect()
}

fn read(path: PathBuf) -> Result<Left, Error> {
    let bytes = std::fs::read(&path)?;
    let mut rest = bytes.as_slice();
    let mut sum: Option<Sum> = None;
    while let Some((part, behind)) = decode(rest) {
        sum.get_or_insert_with(|| Sum::new(part.sibling())).add(part);
        rest = behind;
    }
    Ok(Left { path, batch: sum.map(Sum::finish), torn: rest.len() })
}

#[cfg(test)]
#[path = "tests/seconds.rs"]
mod tests;
