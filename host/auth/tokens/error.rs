//! Why tokens cannot be read, made or revoked.

use std::io;
use std::path::PathBuf;

use crate::auth::tokens::stored::{FILE_BYTES_MAX, SCOPES_MAX, TOKENS_MAX};

/// Why tokens cannot be read, made or revoked.
///
/// It never quotes a line of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// The file is there and cannot be read.
    #[error("the tokens in {} cannot be read: {source}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner can write the file, and so give themselves any scope.
    #[error(
        "others can write the tokens in {} (mode {mode:04o}); see what stands in it, then allow \
         its owner alone: chmod 600", .file.display()
    )]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is not what this host or a later one would write.
    #[error(
        "the tokens in {} are damaged: {why}; correct the file, or remove it to begin without \
         tokens", .file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file is larger than any that this host writes.
    #[error(
        "the tokens in {} have more than {FILE_BYTES_MAX} bytes; remove it to begin without tokens",
        .file.display()
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be written.
    #[error("the tokens in {} cannot be changed: {source}", .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else holds the lock around changes.
    #[error(
        "somebody else has been changing the tokens for {seconds} s; end what holds {}",
        .lock.display()
    )]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// There is a token of this name.
    #[error(
        "there is a token `{name}`; choose another name, or revoke that one first: exthost token \
         revoke {name}"
    )]
    Taken {
        /// The name.
        name: String,
    },
    /// There is no token of this name.
    #[error("there is no token `{name}`; {cure}")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest name, or all names.
        cure: String,
    },
    /// No token can have this name.
    #[error(
        "`{}` is no name of a token; a name has 1 to 64 letters, digits, `.`, `_` or `-`, as in \
         ci", .name.escape_debug()
    )]
    Name {
        /// The text.
        name: String,
    },
    /// The token would have more scopes than one can.
    #[error("a token has {SCOPES_MAX} scopes at most, not {scopes}; make a second one")]
    Scopes {
        /// How many were asked for.
        scopes: usize,
    },
    /// There are as many tokens as there can be.
    #[error("there are {TOKENS_MAX} tokens, and can be no more; revoke some")]
    Full,
    /// The system has no random bytes to give.
    #[error("the system gives no random bytes, without which no token can be made")]
    Random,
}

impl TokensError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "tokens-unreadable",
            Self::Exposed { .. } => "tokens-exposed",
            Self::Damaged { .. } => "tokens-damaged",
            Self::TooLarge { .. } => "tokens-too-large",
            Self::Unwritable { .. } => "tokens-unwritable",
            Self::Busy { .. } => "tokens-busy",
            Self::Taken { .. } => "token-taken",
            Self::Unknown { .. } => "no-such-token",
            Self::Name { .. } => "token-bad-name",
            Self::Scopes { .. } => "token-scopes-max",
            Self::Full => "tokens-max",
            Self::Random => "no-randomness",
        }
    }
}
