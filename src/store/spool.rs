//! A journal of batches on disk: each is in it before it is written to the store, and leaves it when it is there. What it
//! comes to until it is closed lies beside it, second by second (`seconds`). What a killed process left is written by the
//! next one, in order, under the keys that it had.
//!
//! The database (redb) is crash-safe and locked by its process; a second process of the same directory takes a file of
//! its own.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::batch::Batch;
use super::seconds::{self, Left, Seconds};

/// Batches in the order in which they came.
const BATCHES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("batches");

/// Processes that share a directory.
const FILES: u32 = 100;

/// What the database may hold of itself in memory; its default is a GiB.
const CACHE: usize = 4 << 20;

/// Of a directory that isn't there yet; as its files', whatever the umask is.
const DIRECTORY_MODE: u32 = 0o700;

/// Why there is no journal.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The directory can't be made or read.
    #[error("{path}: {reason}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// From the system.
        reason: std::io::Error,
    },
    /// The database can't be used.
    #[error("the journal can't be used: {0}")]
    Database(#[from] redb::Error),
    /// All files are taken by other processes.
    #[error("{0} files of {1} are in use by other processes; give this one another store.spool_dir")]
    Taken(u32, PathBuf),
    /// A batch can't be made ready for it.
    #[error("a batch can't be journaled: {0}")]
    Batch(#[from] serde_json::Error),
    /// A second can't be written down.
    #[error("a second can't be journaled: {0}")]
    Seconds(#[from] std::io::Error),
    /// Nor made ready for that.
    #[error("a second can't be journaled: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// It has no room for a second.
    #[error("the journal is full")]
    Full,
    /// Whoever read or wrote it has panicked.
    #[error("an access to the journal failed: {0}")]
    Task(tokio::task::JoinError),
}

/// What it takes, for metrics.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes of the batches in it.
    pub(super) held: AtomicU64,
    /// Bytes that were ever written to it.
    written: AtomicU64,
}

impl Meter {
    /// Bytes of the batches in it.
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    /// Bytes that were ever written to it, batches and seconds.
    pub fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }
}

/// The journal of this process.
#[derive(Debug)]
pub struct Spool {
    database: Database,
    seconds: Seconds,
    most_bytes: u64,
    meter: Arc<Meter>,
    next: u64,
    /// Executions that are lost and that nobody has counted yet.
    lost: u64,
}

impl Spool {
    /// Opens the first file that no other process has, and takes over what ended processes left in others.
    ///
    /// # Errors
    /// A directory or a database that can't be used.
    pub fn open(directory: &Path, most_bytes: u64, meter: Arc<Meter>) -> Result<Self, Error> {
        let failed = |reason| Error::Directory { path: directory.to_path_buf(), reason };
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory).map_err(failed)?;
        let mut own: Option<Self> = None;
        for file in 0..FILES {
            let path = directory.join(format!("spool-{file}.redb"));
            if own.is_some() && !path.exists() {
                continue;
            }
            seconds::private(&path, OpenOptions::new().write(true)).map_err(failed)?;
            let database = match Builder::new().set_cache_size(CACHE).create(&path) {
                Ok(database) => database,
                Err(DatabaseError::DatabaseAlreadyOpen) => continue,
                Err(error) => return Err(redb::Error::from(error).into()),
            };
            match &mut own {
                None => {
                    let seconds = Seconds::new(directory, file);
                    let spool = own.insert(Self::of(database, seconds, most_bytes, Arc::clone(&meter))?);
                    spool.adopt_seconds(seconds::left(directory, file).map_err(failed)?)?;
                }
                Some(own) => {
                    own.adopt(Self::of(database, Seconds::new(directory, file), u64::MAX, Arc::default())?)?;
                    own.adopt_seconds(seconds::left(directory, file).map_err(failed)?)?;
                    std::fs::remove_file(&path).map_err(failed)?;
                }
            }
        }
        own.ok_or_else(|| Error::Taken(FILES, directory.to_path_buf()))
    }

    fn of(database: Database, seconds: Seconds, most_bytes: u64, meter: Arc<Meter>) -> Result<Self, Error> {
        let write = database.begin_write().map_err(redb::Error::from)?;
        let (mut next, mut held) = (0, 0);
        {
            let table = write.open_table(BATCHES).map_err(redb::Error::from)?;
            for entry in table.iter().map_err(redb::Error::from)? {
                let (key, value) = entry.map_err(redb::Error::from)?;
                next = key.value() + 1;
                held += value.value().len() as u64;
            }
        }
        write.commit().map_err(redb::Error::from)?;
        meter.held.store(held, Relaxed);
        Ok(Self { database, seconds, most_bytes, meter, next, lost: 0 })
    }

    fn adopt(&mut self, mut other: Self) -> Result<(), Error> {
        while let Some((key, batch)) = other.first()? {
            self.take_over(&batch)?;
            other.remove(key)?;
        }
        self.lost += other.lost;
        Ok(())
    }

    /// What was not closed is closed now. If it was, and its file is there nevertheless, its key says so to the store.
    fn adopt_seconds(&mut self, left: Vec<Left>) -> Result<(), Error> {
        for Left { path, batch, torn } in left {
            if torn > 0 {
                tracing::warn!(path = %path.display(), bytes = torn, "the last second of a journal was not written whole");
            }
            if let Some(batch) = batch {
                self.take_over(&batch)?;
            }
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    fn take_over(&mut self, batch: &Batch) -> Result<(), Error> {
        let gone = self.put(batch)?;
        self.lost += gone.iter().map(Batch::calls).sum::<u64>();
        Ok(())
    }

    /// Executions that are lost since the last time that this was asked: because what was left by several processes did not
    /// fit, or because it can't be read.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Journals what a second brought to a batch that is not closed: when it returns, the process's death loses nothing
    /// of it.
    ///
    /// # Errors
    /// A disk that is full, or fails; or no room. The batch is to be journaled all the same.
    pub fn note(&mut self, part: &Batch) -> Result<(), Error> {
        let record = seconds::encode(part)?;
        let bytes = record.len() as u64;
        if self.bytes() + self.seconds.bytes() + bytes > self.most_bytes {
            return Err(Error::Full);
        }
        self.seconds.append(part.sequence, &record)?;
        self.meter.written.fetch_add(bytes, Relaxed);
        Ok(())
    }

    /// Journals a closed batch of this process, as [`Spool::put`], and forgets its seconds.
    ///
    /// # Errors
    /// As there; its seconds are forgotten then too.
    pub fn close(&mut self, batch: &Batch) -> Result<Vec<Batch>, Error> {
        let done = self.put(batch);
        if let Err(error) = self.seconds.remove(batch.sequence) {
            tracing::warn!(%error, "seconds of a batch that is in the journal can't be removed");
        }
        done
    }

    /// Journals a batch: when it returns, a crash of this process or machine loses nothing of it. Returns the batches that
    /// had to go because the journal is full, the oldest.
    ///
    /// # Errors
    /// A disk that is full, or fails.
    pub fn put(&mut self, batch: &Batch) -> Result<Vec<Batch>, Error> {
        let value = serde_json::to_vec(batch)?;
        let mut gone = Vec::new();
        while self.bytes() + value.len() as u64 > self.most_bytes {
            let Some((key, oldest)) = self.first()? else { break };
            self.remove(key)?;
            gone.push(oldest);
        }
        let write = self.database.begin_write().map_err(redb::Error::from)?;
        {
            let mut table = write.open_table(BATCHES).map_err(redb::Error::from)?;
            table.insert(self.next, value.as_slice()).map_err(redb::Error::from)?;
        }
        write.commit().map_err(redb::Error::from)?;
        self.next += 1;
        self.meter.held.fetch_add(value.len() as u64, Relaxed);
        self.meter.written.fetch_add(value.len() as u64, Relaxed);
        Ok(gone)
    }

    /// The oldest batch and its key. One that can't be read, as that of a later version, is lost: all others would wait
    /// behind it.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn first(&mut self) -> Result<Option<(u64, Batch)>, Error> {
        while let Some((key, value)) = self.oldest()? {
            match serde_json::from_slice(&value) {
                Ok(batch) => return Ok(Some((key, batch))),
                Err(error) => {
                    tracing::error!(%error, bytes = value.len(), "a batch of the journal can't be read, and is lost");
                    self.remove(key)?;
                    // How many there were nobody knows.
                    self.lost += 1;
                }
            }
        }
        Ok(None)
    }

    fn oldest(&self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let read = self.database.begin_read().map_err(redb::Error::from)?;
        let table = read.open_table(BATCHES).map_err(redb::Error::from)?;
        let first = table.first().map_err(redb::Error::from)?;
        Ok(first.map(|(key, value)| (key.value(), value.value().to_vec())))
    }

    /// Forgets a batch.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn remove(&self, key: u64) -> Result<(), Error> {
        let write = self.database.begin_write().map_err(redb::Error::from)?;
        let length = {
            let mut table = write.open_table(BATCHES).map_err(redb::Error::from)?;
            let removed = table.remove(key).map_err(redb::Error::from)?;
            removed.map_or(0, |value| value.value().len() as u64)
        };
        write.commit().map_err(redb::Error::from)?;
        self.meter.held.fetch_sub(length.min(self.bytes()), Relaxed);
        Ok(())
    }

    /// Batches in it.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn batches(&self) -> Result<u64, Error> {
        let read = self.database.begin_read().map_err(redb::Error::from)?;
        let table = read.open_table(BATCHES).map_err(redb::Error::from)?;
        table.len().map_err(|error| redb::Error::from(error).into())
    }

    /// Bytes of the batches in it.
    pub fn bytes(&self) -> u64 {
        self.meter.held()
    }
}

#[cfg(test)]
#[path = "tests/spool.rs"]
mod tests;
