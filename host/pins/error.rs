//! Why `exthost.lock` was not taken.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::place_of;
use crate::ownership::Distrust;

/// Why `exthost.lock` was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinsError {
    /// It cannot be read.
    #[error(
        "{} cannot be read: {source}; {}, or lock the host no more", .file.display(), mend(.source)
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what `exthost pin` writes.
    #[error(
        "{}:{line}:{column}: {message}; put the file back as it was, or remove it and run \
         exthost pin", .file.display()
    )]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// Others can write it, so it says nothing of what the operator agreed to.
    #[error("{} {why}, or set check_owners = false in [plugins]", .file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// Who can.
        why: Distrust,
    },
}

impl PinsError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "lock-unreadable",
            Self::Malformed { .. } => "lock-malformed",
            Self::Untrusted { .. } => "lock-untrusted",
        }
    }

    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = place_of(text, error);
        Self::Malformed {
            file: file.to_owned(),
            line,
            column,
            message: error.message().replace('\n', ", "),
        }
    }
}

/// What lets the file be read.
fn mend(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "write it with exthost pin",
        io::ErrorKind::PermissionDenied => "let the user of the host read it",
        _ => "remove what is there and run exthost pin",
    }
}
