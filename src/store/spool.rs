//! A journal of batches on disk: each is in it before it is written to the store, and leaves it when it is there. What a
//! killed process left is written by the next one, in order, under the keys that it had.
//!
//! The database (redb) is crash-safe and locked by its process; a second process of the same directory takes a file of
//! its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::batch::Batch;

/// Batches in the order in which they came.
const BATCHES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("batches");

/// Processes that share a directory.
const FILES: u32 = 100;

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
    /// What was journaled can't be read.
    #[error("a batch of the journal can't be read: {0}")]
    Batch(#[from] serde_json::Error),
    /// Whoever read or wrote it has panicked.
    #[error("an access to the journal failed: {0}")]
    Task(tokio::task::JoinError),
}

/// The journal of this process.
#[derive(Debug)]
pub struct Spool {
    database: Database,
    most_bytes: u64,
    bytes: Arc<AtomicU64>,
    next: u64,
}

impl Spool {
    /// Opens the first file that no other process has, and takes over what ended processes left in others.
    ///
    /// # Errors
    /// A directory or a database that can't be used.
    pub fn open(directory: &Path, most_bytes: u64, bytes: Arc<AtomicU64>) -> Result<Self, Error> {
        let failed = |reason| Error::Directory { path: directory.to_path_buf(), reason };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let mut own: Option<Self> = None;
        for file in 0..FILES {
            let path = directory.join(format!("spool-{file}.redb"));
            if own.is_some() && !path.exists() {
                continue;
            }
            let database = match Database::create(&path) {
                Ok(database) => database,
                Err(DatabaseError::DatabaseAlreadyOpen) => continue,
                Err(error) => return Err(redb::Error::from(error).into()),
            };
            match &mut own {
                None => own = Some(Self::of(database, most_bytes, Arc::clone(&bytes))?),
                Some(own) => {
                    own.adopt(database)?;
                    std::fs::remove_file(&path).map_err(failed)?;
                }
            }
        }
        own.ok_or_else(|| Error::Taken(FILES, directory.to_path_buf()))
    }

    fn of(database: Database, most_bytes: u64, bytes: Arc<AtomicU64>) -> Result<Self, Error> {
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
        bytes.store(held, Relaxed);
        Ok(Self { database, most_bytes, bytes, next })
    }

    fn adopt(&mut self, other: Database) -> Result<(), Error> {
        let other = Self::of(other, u64::MAX, Arc::default())?;
        while let Some((key, batch)) = other.first()? {
            self.put(&batch)?;
            other.remove(key)?;
        }
        Ok(())
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
        self.bytes.fetch_add(value.len() as u64, Relaxed);
        Ok(gone)
    }

    /// The oldest batch and its key.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn first(&self) -> Result<Option<(u64, Batch)>, Error> {
        let read = self.database.begin_read().map_err(redb::Error::from)?;
        let table = read.open_table(BATCHES).map_err(redb::Error::from)?;
        let first = table.first().map_err(redb::Error::from)?;
        first.map(|(key, value)| Ok((key.value(), serde_json::from_slice(value.value())?))).transpose()
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
        self.bytes.fetch_sub(length.min(self.bytes()), Relaxed);
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
        self.bytes.load(Relaxed)
    }
}

#[cfg(test)]
#[path = "tests/spool.rs"]
mod tests;
