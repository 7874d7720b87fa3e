//! Keeps two hosts from using one data directory.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::private;

/// A data directory that this process has to itself until the value is dropped, or
/// the process ends in whatever way.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: File,
}

/// What a data directory is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A host serves with it.
    Host,
    /// Somebody works on the data without a host.
    Work,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another host uses it.
    #[error(
        "another host{} uses the data directory `{}`; end that one, or give this one a directory \
         of its own", process_of(.process), .directory.display()
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The id of the host's process, if it is known.
        process: Option<u32>,
    },
    /// Somebody works on the data in it without a host.
    #[error(
        "process {process} works on the data in `{}` without a host, as `exthost data` does; wait \
         until it is done, or end it", .directory.display()
    )]
    WorkedOn {
        /// The directory.
        directory: PathBuf,
        /// The id of the process.
        process: u32,
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

fn process_of(process: &Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" (process {process})"))
}

impl DataLock {
    /// Takes the directory, which is made if it is not there.
    pub(super) fn take(directory: &Path, purpose: Purpose) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable {
            directory: directory.to_owned(),
            source,
        };
        private::make(directory).map_err(unusable)?;
        let mut options = File::options();
        // What stands in it is told to whoever finds it locked.
        options.read(true).write(true).create(true).truncate(false);
        let path = directory.join("host.lock");
        let mut file = options.open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                private::give(&path).map_err(unusable)?;
                // Without it the lock is as good.
                let _ = purpose.note(&mut file);
                Ok(DataLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(taken(directory, file)),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Purpose::Host => "host",
            Purpose::Work => "data",
        }
    }

    /// Says in the locked file who has it, and what for.
    fn note(self, file: &mut File) -> io::Result<()> {
        file.set_len(0)?;
        writeln!(file, "{} {}", self.word(), std::process::id())
    }
}

/// What is told of a directory that somebody else has.
fn taken(directory: &Path, file: File) -> DataError {
    let directory = directory.to_owned();
    let mut text = String::new();
    // Where a locked file cannot be read, on Windows, nothing is known.
    let read = file.take(NOTE_BYTES_MAX).read_to_string(&mut text);
    let noted = read.ok().and_then(|_| text.trim_end().split_once(' '));
    let noted = noted.and_then(|(word, process)| Some((word, process.parse().ok()?)));
    match noted {
        Some((word, process)) if word == Purpose::Work.word() => {
            DataError::WorkedOn { directory, process }
        }
        noted => DataError::InUse {
            directory,
            process: noted.map(|(_, process)| process),
        },
    }
}

/// The longest that is read of what stands in the file, in bytes.
const NOTE_BYTES_MAX: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_by_one_at_a_time_who_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let take = |purpose| DataLock::take(directory.path(), purpose);
        let own = std::process::id();
        // What another has left, who was killed, is not told of the next.
        std::fs::write(directory.path().join("host.lock"), "data 1234567890\n").unwrap();
        let first = take(Purpose::Host).unwrap();
        let told = take(Purpose::Work).unwrap_err();
        assert!(
            matches!(told, DataError::InUse { process, .. } if cfg!(windows) || process == Some(own)),
            "{told}"
        );
        drop(first);
        let first = take(Purpose::Work).unwrap();
        let told = take(Purpose::Host).unwrap_err();
        #[cfg(not(windows))]
        assert!(
            matches!(told, DataError::WorkedOn { process, .. } if process == own),
            "{told}"
        );
        drop(first);
        // A lock of a host that notes nothing.
        let file = File::create(directory.path().join("host.lock")).unwrap();
        file.lock().unwrap();
        let told = take(Purpose::Work).unwrap_err();
        assert!(
            matches!(told, DataError::InUse { process: None, .. }),
            "{told}"
        );
    }
}
