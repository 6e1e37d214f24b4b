//! Contents of files, all read at one moment: what is built from them fits together, and a change shows.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::Error;
use super::settings::Settings;

/// Every file that settings name. Links are followed: Kubernetes exchanges a secret by moving one.
pub(super) struct Files(BTreeMap<PathBuf, File>);

struct File {
    key: &'static str,
    contents: io::Result<Vec<u8>>,
}

/// What files held, in a form that keeps no key.
pub(super) type Seen = [u8; 32];

impl Files {
    /// Reads them.
    pub(super) fn read(settings: &Settings) -> Self {
        let read = |(key, path): (_, &PathBuf)| (path.clone(), File { key, contents: std::fs::read(path) });
        Self(settings.files().map(read).collect())
    }

    /// The contents of one of them.
    pub(super) fn get(&self, path: &Path) -> Result<&[u8], Error> {
        let failed = |key, reason| Error::Read { path: path.to_owned(), key, reason };
        match self.0.get(path) {
            Some(File { contents: Ok(contents), .. }) => Ok(contents),
            Some(File { key, contents: Err(error) }) => {
                Err(failed(*key, io::Error::new(error.kind(), error.to_string())))
            }
            None => Err(failed("`tls`", io::ErrorKind::NotFound.into())),
        }
    }

    /// Changes when a file does, or can no longer be read.
    pub(super) fn seen(&self) -> Seen {
        let mut hash = Sha256::new();
        for File { contents, .. } in self.0.values() {
            match contents {
                Ok(bytes) => {
                    hash.update([1]);
                    hash.update(Sha256::digest(bytes));
                }
                Err(_) => hash.update([0]),
            }
        }
        hash.finalize().into()
    }
}
