//! Inspection: what a file is, learned from its bytes alone.
//!
//! The file is opened once and read into private memory; everything later, up
//! to what the loader maps, is made of those bytes. Nothing in the file runs.
//! All three formats are read on every platform, so `exthost inspect
//! plugin.dll` answers on Linux.
//!
//! The readers of the three formats have one task in common: to
//! refuse whatever would make a system's loader follow a number out of the
//! file. Loaders trust those numbers and crash.

use std::path::{Path, PathBuf};

use exthost_abi::Embedded;
use serde::Serialize;

use crate::discovery::Candidate;
use crate::ownership::Ownership;

mod capability;
mod elf;
mod embedded;
mod error;
mod file;
mod glibc;
mod image;
mod macho;
mod meta;
mod pe;
mod target;

pub use capability::{Capability, CapabilityError, TableRef};
pub use elf::running_glibc;
pub use embedded::inspect_embedded;
pub(crate) use embedded::nameless;
pub use error::{InspectError, MetaError};
pub use file::SIZE_MAX;
pub use glibc::Glibc;
pub use image::Hazard;
use image::Image;
pub use meta::{Meta, PanicStrategy, UnknownStrategy};
pub use target::{Format, Target};

/// A file that was read, and what it was found to be.
///
/// Only [`inspect`] makes one of a file, so it stands for these facts: the file
/// was a regular one; all that its headers refer to lies inside it; its meta is
/// well formed. It may still be built for another machine. [`inspect_bytes`] makes
/// one of bytes that lie in no file, [`inspect_embedded`] one of a plugin that is
/// compiled into this program.
#[derive(Debug)]
pub struct Inspected {
    path: PathBuf,
    bytes: Vec<u8>,
    hash: blake3::Hash,
    facts: Facts,
    meta: Meta,
    meta_bytes: Vec<u8>,
    ownership: Option<Ownership>,
    embedded: Option<Embedded>,
}

/// What the file's headers say, apart from the meta.
#[derive(Debug)]
struct Facts {
    target: Target,
    needed: Vec<String>,
    hazards: Vec<Hazard>,
    glibc: Option<Glibc>,
    restart_only: bool,
    door: bool,
    layouts: bool,
    meta_exported: bool,
}

/// Reads the file of `candidate` and says what it is.
///
/// # Errors
/// [`InspectError`].
pub fn inspect(candidate: Candidate) -> Result<Inspected, InspectError> {
    let (bytes, ownership) = file::read(&candidate)?;
    let inspected = inspect_bytes(candidate.into_path(), bytes)?;
    Ok(Inspected {
        ownership,
        ..inspected
    })
}

/// Says what `bytes` are, for a host that takes plugins from elsewhere than a file.
///
/// The checks are those of [`inspect`]. `path` is what the plugin is shown as; nothing
/// is looked for there.
///
/// # Errors
/// [`InspectError`], but for its variants that concern a file.
///
/// # Examples
/// ```
/// use exthost::inspect::inspect_bytes;
///
/// let error = inspect_bytes("upload:notes", b"remember the milk".to_vec()).unwrap_err();
/// assert_eq!(error.code(), "not-a-library");
/// ```
pub fn inspect_bytes(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Inspected, InspectError> {
    file::check_size(bytes.len() as u64)?;
    let (facts, meta_bytes) = facts(&bytes)?;
    let meta = Meta::parse(&meta_bytes)?;
    Ok(Inspected {
        path: path.into(),
        hash: blake3::hash(&bytes),
        bytes,
        facts,
        meta,
        meta_bytes,
        ownership: None,
        embedded: None,
    })
}

/// Returns what the headers say, and the bytes of the meta.
fn facts(bytes: &[u8]) -> Result<(Facts, Vec<u8>), InspectError> {
    let image = read(bytes)?;
    let meta_bytes = image.meta_bytes()?.to_vec();
    let facts = Facts {
        door: image.door,
        layouts: image.layouts,
        meta_exported: image.meta_symbol.is_some(),
        target: image.target,
        needed: image.needed,
        hazards: image.hazards,
        glibc: image.glibc,
        restart_only: image.restart_only,
    };
    Ok((facts, meta_bytes))
}

/// Reads a library of any format.
fn read(bytes: &[u8]) -> Result<Image<'_>, InspectError> {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => elf::read(bytes),
        [b'M', b'Z', ..] => pe::read(bytes),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
        | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => macho::read(bytes),
        _ => Err(InspectError::NotALibrary {
            starts: format!("`{}`", bytes[..bytes.len().min(8)].escape_ascii()),
        }),
    }
}

impl Inspected {
    /// Returns the path it was found under.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the BLAKE3 hash of [`Self::bytes`].
    pub fn hash(&self) -> blake3::Hash {
        self.hash
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the platform it was built for.
    pub fn target(&self) -> &Target {
        &self.facts.target
    }

    /// Returns the libraries that the system's loader loads with it, in order.
    pub fn needed(&self) -> &[String] {
        &self.facts.needed
    }

    /// Returns what would let it reach beyond itself when it is loaded.
    pub fn hazards(&self) -> &[Hazard] {
        &self.facts.hazards
    }

    /// Returns the lowest version of the GNU C library that has all it imports,
    /// if it imports any of that.
    pub fn glibc(&self) -> Option<Glibc> {
        self.facts.glibc
    }

    /// Returns whether a new version of it takes effect only after a restart:
    /// it has symbols (`STB_GNU_UNIQUE`) that all generations would share.
    pub fn restart_only(&self) -> bool {
        self.facts.restart_only
    }

    /// Returns whether it exports the door, `exthost_plugin`.
    pub fn has_door(&self) -> bool {
        self.facts.door
    }

    /// Returns whether it exports the layouts of its tables.
    pub fn has_layouts(&self) -> bool {
        self.facts.layouts
    }

    /// Returns whether it exports its meta, so that the meta in memory can be
    /// compared with the one in the file.
    pub fn exports_meta(&self) -> bool {
        self.facts.meta_exported
    }

    /// Returns what it says of itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Returns the bytes of its meta, to be compared with those in memory.
    pub fn meta_bytes(&self) -> &[u8] {
        &self.meta_bytes
    }

    /// Returns who may write to its file, where that is known.
    pub fn ownership(&self) -> Option<Ownership> {
        self.ownership
    }

    /// Returns the plugin itself, when it is compiled into this program.
    pub fn embedded(&self) -> Option<Embedded> {
        self.embedded
    }

    /// Returns what `exthost inspect --json` prints.
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            file: self.path.display().to_string(),
            size: self.size(),
            hash: self.hash.to_hex().to_string(),
            target: self.target(),
            needed: self.needed(),
            glibc: self.glibc(),
            restart_only: self.restart_only(),
            door: self.has_door(),
            layouts: self.has_layouts(),
            meta: self.meta(),
        }
    }
}

/// An inspected file for people and programs, without its bytes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Summary<'a> {
    /// The path it was found under.
    pub file: String,
    /// Its size in bytes.
    pub size: usize,
    /// The BLAKE3 hash of its bytes, 64 hexadecimal digits.
    pub hash: String,
    /// The platform it was built for.
    pub target: &'a Target,
    /// The libraries loaded with it.
    pub needed: &'a [String],
    /// The lowest version of the GNU C library it runs with.
    pub glibc: Option<Glibc>,
    /// Whether a new version takes effect only after a restart.
    pub restart_only: bool,
    /// Whether it exports the door.
    pub door: bool,
    /// Whether it exports the layouts of its tables.
    pub layouts: bool,
    /// What it says of itself.
    pub meta: &'a Meta,
}

#[cfg(test)]
pub(crate) mod stub;
#[cfg(test)]
mod tests;
