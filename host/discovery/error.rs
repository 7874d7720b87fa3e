//! Why a plugin directory, or an entry of it, gives no candidate.

use std::io;
use std::path::{Path, PathBuf};

/// Why a plugin directory, or an entry of it, gives no candidate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The directory cannot be listed.
    #[error(
        "the plugin directory {path} cannot be listed: {source}; create it or change the \
         configuration", path = .path.display()
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry cannot be looked at, for instance because it is a link to
    /// nowhere or to itself.
    #[error("cannot be looked at: {source}; remove or mend it")]
    Entry {
        /// The entry.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link leads out of the plugin directory.
    #[error(
        "is a link to {target}, outside the plugin directory {directory}; copy the file, or \
         configure the plugin by its path",
        target = .target.display(), directory = .directory.display()
    )]
    SymlinkOutside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// The plugin directory.
        directory: PathBuf,
    },
    /// A folder has two libraries for this platform.
    #[error(
        "holds two libraries for this platform, {first} and {second}; remove one, or name the \
         other's platform in its name",
        first = .first.display(), second = .second.display()
    )]
    TwoLibraries {
        /// The folder.
        folder: PathBuf,
        /// One library.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A folder has libraries, none for this platform.
    #[error(
        "holds {found}, but no library for this platform, {}-{}; add one that ends in .{}",
        std::env::consts::OS, std::env::consts::ARCH, std::env::consts::DLL_EXTENSION,
        found = .found.display()
    )]
    OtherPlatform {
        /// The folder.
        folder: PathBuf,
        /// A library for another platform.
        found: PathBuf,
    },
    /// The folder that a plugin's path leads to has no library.
    #[error("holds no library; put the plugin's into it, or correct the path of the plugin")]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
    },
}

impl DiscoveryError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "unreadable-directory",
            Self::Entry { .. } => "unreadable-entry",
            Self::SymlinkOutside { .. } => "symlink-outside",
            Self::TwoLibraries { .. } => "two-libraries",
            Self::OtherPlatform { .. } => "no-library-here",
            Self::EmptyFolder { .. } => "empty-folder",
        }
    }

    /// Returns the directory, entry or folder concerned.
    pub fn path(&self) -> &Path {
        match self {
            Self::Directory { path, .. } | Self::Entry { path, .. } => path,
            Self::SymlinkOutside { path, .. } => path,
            Self::TwoLibraries { folder, .. }
            | Self::OtherPlatform { folder, .. }
            | Self::EmptyFolder { folder } => folder,
        }
    }
}
