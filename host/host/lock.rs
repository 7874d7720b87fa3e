//! Keeps two hosts from using one data directory.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::private;

/// A data directory that this host has to itself until the value is dropped, or
/// the process ends in whatever way.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another host uses it.
    #[error(
        "another host uses the data directory `{}`; end that one, or give this one a directory of \
         its own", .directory.display()
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// It cannot be made or written.
    #[error("the data directory `{}` cannot be used: {source}", .directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataLock {
    /// Takes the directory, which is made if it is not there.
    pub(super) fn take(directory: &Path) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable {
            directory: directory.to_owned(),
            source,
        };
        private::make(directory).map_err(unusable)?;
        let file = File::create(directory.join("host.lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(DataLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse {
                directory: directory.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_by_one_host_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataLock::take(directory.path()).unwrap();
        let second = DataLock::take(directory.path()).unwrap_err();
        assert!(matches!(second, DataError::InUse { .. }), "{second}");
        drop(first);
        DataLock::take(directory.path()).unwrap();
    }
}
