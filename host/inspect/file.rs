//! Opening and reading a candidate, once.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::error::InspectError;
use crate::discovery::Candidate;
use crate::ownership::Ownership;

/// Largest plugin in bytes.
pub const SIZE_MAX: u64 = 64 * 1024 * 1024;

/// Reads the whole file of `candidate`, and says who may write to it.
///
/// Its kind is looked at before it is opened, for opening a device can already
/// do something, and again on the open file, which is the one that counts.
pub(super) fn read(candidate: &Candidate) -> Result<(Vec<u8>, Option<Ownership>), InspectError> {
    let unreadable = |source| InspectError::Unreadable { source };
    let metadata = fs::symlink_metadata(candidate.target()).map_err(unreadable)?;
    check_kind(metadata.file_type())?;
    let file = open(candidate.target()).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    check_kind(metadata.file_type())?;

    let size = metadata.len();
    check_size(size)?;
    let mut bytes = Vec::new();
    let capacity = usize::try_from(size + 1).map_err(|_| unreadable(out_of_memory()))?;
    bytes
        .try_reserve_exact(capacity)
        .map_err(|_| unreadable(out_of_memory()))?;
    // One byte more than it should have shows a file that grows.
    let read = (&file)
        .take(size + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)? as u64;
    // Its time shows one that is written over in place.
    let after = file.metadata().map_err(unreadable)?;
    let written = |metadata: &Metadata| metadata.modified().ok();
    match read == size && written(&metadata) == written(&after) {
        true => Ok((bytes, Ownership::of(&metadata))),
        false => Err(InspectError::Changed {
            expected: size,
            read,
        }),
    }
}

/// Checks that a plugin may have `size` bytes.
pub(super) fn check_size(size: u64) -> Result<(), InspectError> {
    match size {
        0 => Err(InspectError::Empty),
        1..=SIZE_MAX => Ok(()),
        _ => Err(InspectError::TooLarge {
            size,
            max: SIZE_MAX,
        }),
    }
}

fn check_kind(kind: FileType) -> Result<(), InspectError> {
    match kind.is_file() {
        true => Ok(()),
        false => Err(InspectError::NotAFile {
            kind: kind_name(kind),
        }),
    }
}

/// Opens without following a link and without waiting for the other end of a
/// FIFO that took the file's place.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Opens so that nobody can write to the file or remove it meanwhile.
#[cfg(windows)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;

    const FILE_SHARE_READ: u32 = 1;
    OpenOptions::new()
        .read(true)
        .share_mode(FILE_SHARE_READ)
        .open(path)
}

#[cfg(unix)]
fn kind_name(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match kind {
        _ if kind.is_dir() => "directory",
        _ if kind.is_symlink() => "symbolic link",
        _ if kind.is_fifo() => "FIFO",
        _ if kind.is_socket() => "socket",
        _ => "device",
    }
}

#[cfg(windows)]
fn kind_name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "directory"
    } else {
        "symbolic link"
    }
}

fn out_of_memory() -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}
