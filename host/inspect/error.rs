//! Why a file was not accepted as a plugin.

use std::io;

use exthost_abi::meta::BYTES_MAX;

/// Why a file cannot be inspected. None of its code has run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The file cannot be opened or read.
    #[error("cannot be read: {source}; check its permissions and whether it still exists")]
    Unreadable {
        /// What the system said.
        source: io::Error,
    },
    /// It is a directory, a FIFO, a socket or a device.
    #[error("is a {kind}, a plugin is a regular file; remove it from the plugin directory")]
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// It has no bytes.
    #[error("is empty, 0 bytes; copy the plugin again")]
    Empty,
    /// It is larger than any plugin may be.
    #[error("has {size} bytes, a plugin has at most {max}; strip it of debug information")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// It was written while it was read.
    #[error(
        "was written to while it was read, {expected} bytes and then {read}; copy plugins under \
         another name and rename them into place"
    )]
    Changed {
        /// Its size when it was opened.
        expected: u64,
        /// The bytes that could be read.
        read: u64,
    },
    /// It is not in a format of shared libraries.
    #[error(
        "begins with {starts}, no ELF, Mach-O or PE library does; remove it from the plugin \
         directory or hide it behind a leading dot"
    )]
    NotALibrary {
        /// Its first bytes, escaped.
        starts: String,
    },
    /// It is in such a format, but an executable or an object file.
    #[error("is {kind}, not a shared library; build it with crate-type cdylib or -shared")]
    NotShared {
        /// What it is.
        kind: String,
    },
    /// It promises more bytes than it has.
    #[error("{what} ends at byte {end}, the file at {size}; it is cut short, copy it again")]
    Truncated {
        /// The part that is missing.
        what: String,
        /// Where that part ends.
        end: u64,
        /// The file's size in bytes.
        size: u64,
    },
    /// It contradicts itself in a way that would harm the loader.
    #[error("{what}; it is damaged, build or copy it again")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// It is a library, but not a plugin.
    #[error(
        "has neither a section {section} nor a symbol exthost_meta, so it is no plugin; export it \
         with export_plugin! or EXTHOST_META"
    )]
    NoMeta {
        /// The section looked for.
        section: &'static str,
    },
    /// It has more than one meta, for instance that of a plugin it links.
    #[error(
        "has a meta at byte {first} and another at {second}; link no other plugin into this one"
    )]
    TwoMetas {
        /// Offset of the first in the section or file.
        first: u64,
        /// Offset of the second.
        second: u64,
    },
    /// What would be read in memory is not what was read from the file.
    #[error(
        "its section {section} and its symbol exthost_meta hold different bytes; define \
         exthost_meta in that section"
    )]
    MetaMismatch {
        /// The section.
        section: &'static str,
    },
    /// Its meta cannot be read.
    #[error(transparent)]
    Meta(#[from] MetaError),
}

impl InspectError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NotAFile { .. } => "not-a-file",
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too-large",
            Self::Changed { .. } => "changed",
            Self::NotALibrary { .. } => "not-a-library",
            Self::NotShared { .. } => "not-shared",
            Self::Truncated { .. } => "truncated",
            Self::Malformed { .. } => "malformed",
            Self::NoMeta { .. } => "no-meta",
            Self::TwoMetas { .. } => "two-metas",
            Self::MetaMismatch { .. } => "meta-mismatch",
            Self::Meta(error) => error.code(),
        }
    }

    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }
}

/// Why a meta cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// It does not begin as a meta does.
    #[error("the meta begins with {found}, expected EXTHOST1; build against this exthost-plugin")]
    Magic {
        /// Its first bytes, escaped.
        found: String,
    },
    /// It is larger than any meta may be.
    #[error("the meta has {size} bytes, it may have {BYTES_MAX}; shorten its texts")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Its final empty entry is missing.
    #[error("the meta has {size} bytes and no empty entry ends it; end it with a zero byte")]
    Unterminated {
        /// Its size in bytes.
        size: usize,
    },
    /// An entry is not text.
    #[error("the meta's entry {entry} is not UTF-8; write it in UTF-8")]
    NotUtf8 {
        /// The entry, lossily.
        entry: String,
    },
    /// An entry has no `=`, or nothing before it.
    #[error("the meta's entry `{entry}` is not key=value; write it as one")]
    NotAnEntry {
        /// The entry.
        entry: String,
    },
    /// A key stands twice.
    #[error("the meta says `{key}` twice, `{first}` and `{second}`; remove one")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Its first value.
        first: String,
        /// Its second value.
        second: String,
    },
    /// A key that must be there is not.
    #[error("the meta has no `{key}`; add {key}=...")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value does not have its key's form.
    #[error("the meta says {key}=`{value}`, expected {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: String,
    },
}

impl MetaError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic { .. } => "meta-magic",
            Self::TooLarge { .. } => "meta-too-large",
            Self::Unterminated { .. } => "meta-unterminated",
            Self::NotUtf8 { .. } => "meta-not-utf8",
            Self::NotAnEntry { .. } => "meta-not-an-entry",
            Self::DuplicateKey { .. } => "meta-duplicate-key",
            Self::MissingKey { .. } => "meta-missing-key",
            Self::Value { .. } => "meta-value",
        }
    }
}
