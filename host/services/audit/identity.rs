//! Whether the file at a path is still the one that was opened there.

use std::io;
use std::path::Path;

/// A file, by what stays the same when it is called otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    number: u64,
}

/// What is at the path of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Itself,
    Another,
    Nothing,
}

impl Identity {
    /// The file at `path`.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;

            Ok(Identity {
                device: metadata.dev(),
                number: metadata.ino(),
            })
        }
        // Elsewhere an open database can be neither moved nor replaced.
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Ok(Identity {
                device: 0,
                number: 0,
            })
        }
    }

    /// What is at `path` now, where this file was.
    pub(super) fn there(self, path: &Path) -> io::Result<There> {
        match Identity::of(path) {
            Ok(found) if found == self => Ok(There::Itself),
            Ok(_) => Ok(There::Another),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(There::Nothing),
            Err(error) => Err(error),
        }
    }
}
