//! What the three formats have in common.

use std::fmt;

use exthost_abi::meta::{BYTES_MAX, MAGIC, SECTION_ELF, SECTION_PE};

use super::error::InspectError;
use super::glibc::Glibc;
use super::meta;
use super::target::{Format, Target};

/// A library as its reader found it; borrows from the file.
#[derive(Debug)]
pub(super) struct Image<'data> {
    pub(super) target: Target,
    pub(super) needed: Vec<String>,
    pub(super) hazards: Vec<Hazard>,
    pub(super) glibc: Option<Glibc>,
    pub(super) restart_only: bool,
    pub(super) door: bool,
    pub(super) layouts: bool,
    /// The content of every section that is named as a meta's is.
    pub(super) meta_sections: Vec<Blob<'data>>,
    /// What follows the exported symbol in its segment.
    pub(super) meta_symbol: Option<Blob<'data>>,
}

/// Bytes and where they lie in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob<'data> {
    pub(super) offset: u64,
    pub(super) bytes: &'data [u8],
}

/// Something in a library that lets it reach beyond itself when it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hazard {
    /// It directs the search for libraries (RPATH, RUNPATH, `LC_RPATH`) to this
    /// path.
    SearchPath(String),
    /// It has other libraries watch the loader (AUDIT, DEPAUDIT).
    Audit(String),
    /// It stands in for another library (FILTER, AUXILIARY).
    Filter(String),
    /// Its code is written to while it is loaded (TEXTREL).
    TextRelocations,
    /// It makes every stack of the process executable.
    ExecutableStack,
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SearchPath(path) => write!(f, "the library search path `{path}`"),
            Self::Audit(library) => write!(f, "the audit library `{library}`"),
            Self::Filter(library) => write!(f, "a filter for the library `{library}`"),
            Self::TextRelocations => f.write_str("relocations in its code"),
            Self::ExecutableStack => f.write_str("an executable stack"),
        }
    }
}

impl<'data> Image<'data> {
    /// Returns the bytes of the one meta: those of its section, else those of
    /// its symbol. Raw bytes are never searched, for a plugin may carry the meta
    /// of another as data.
    pub(super) fn meta_bytes(&self) -> Result<&'data [u8], InspectError> {
        let section = match self.target.format() {
            Format::Elf => SECTION_ELF,
            Format::MachO => "__DATA,__exthost",
            Format::Pe => SECTION_PE,
        };
        let blob = match (self.meta_sections.as_slice(), self.meta_symbol) {
            ([first, second, ..], _) => {
                return Err(InspectError::TwoMetas {
                    first: first.offset,
                    second: second.offset,
                });
            }
            ([blob], _) => *blob,
            ([], Some(blob)) => {
                let bytes = head(blob.bytes);
                return Ok(&bytes[..meta::length(bytes)?]);
            }
            ([], None) => return Err(InspectError::NoMeta { section }),
        };
        let length = meta::length(blob.bytes)?;
        let rest = &blob.bytes[length..];
        if let Some(more) = rest.iter().position(|&byte| byte != 0) {
            let second = blob.offset + (length + more) as u64;
            return Err(match rest[more..].starts_with(MAGIC) {
                true => InspectError::TwoMetas {
                    first: blob.offset,
                    second,
                },
                false => InspectError::malformed(format!(
                    "the meta ends at byte {} and other data begins at {second} in section \
                     {section}",
                    blob.offset + length as u64
                )),
            });
        }
        match self.meta_symbol {
            Some(symbol) if symbol.offset != blob.offset => {
                Err(InspectError::MetaMismatch { section })
            }
            _ => Ok(&blob.bytes[..length]),
        }
    }
}

/// What of a symbol's segment may be its meta; one byte more than a meta may
/// have tells one that is too large.
fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(BYTES_MAX + 1)]
}

/// Returns `bytes[offset..][..size]`.
pub(super) fn part<'data>(
    bytes: &'data [u8],
    what: &str,
    offset: u64,
    size: u64,
) -> Result<&'data [u8], InspectError> {
    let end = offset.checked_add(size).ok_or_else(|| {
        InspectError::malformed(format!("{what} has {size} bytes from byte {offset} on"))
    })?;
    let inside = |offset: u64, end: u64| {
        bytes.get(usize::try_from(offset).ok()?..usize::try_from(end).ok()?)
    };
    inside(offset, end).ok_or_else(|| InspectError::Truncated {
        what: what.to_owned(),
        end,
        size: bytes.len() as u64,
    })
}

/// Longest name of a library or a version in bytes, as for a path.
const TEXT_MAX: usize = 4096;

/// Returns the text that `bytes` begins with and a zero byte ends.
pub(super) fn text(bytes: &[u8], what: &str) -> Result<String, InspectError> {
    let bytes = &bytes[..bytes.len().min(TEXT_MAX)];
    let Some(end) = bytes.iter().position(|&byte| byte == 0) else {
        return Err(InspectError::malformed(format!(
            "{what} has no end within {TEXT_MAX} bytes"
        )));
    };
    let text = &bytes[..end];
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(InspectError::malformed(format!(
            "{what} is `{}`, which is not UTF-8",
            text.escape_ascii()
        ))),
    }
}
