//! Refusals: why a file does not become a serving plugin.

use std::path::{Path, PathBuf};

use crate::discovery::DiscoveryError;
use crate::inspect::InspectError;
use crate::instance::InitError;
use crate::library::LoadError;
use crate::pins::PinsError;
use crate::verify::VerifyError;

/// One file that was refused, by which stage, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}: {}", .file.display(), .why.code(), .why)]
pub struct Refusal {
    file: PathBuf,
    #[source]
    why: Box<RefusedBy>,
}

/// The stage that refused, with its error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedBy {
    /// Discovery: the file's name or place.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// Inspection: the file's bytes.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Verification: the file against this host and its policy.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Verification: the lock file that it needs cannot be used.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// Loading: the library in memory.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// `init` or `start`.
    #[error(transparent)]
    Init(#[from] InitError),
}

impl Refusal {
    /// The refusal of `file`.
    pub fn new(file: impl Into<PathBuf>, why: impl Into<RefusedBy>) -> Self {
        Refusal {
            file: file.into(),
            why: Box::new(why.into()),
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The stage, with its error.
    pub fn why(&self) -> &RefusedBy {
        &self.why
    }

    /// A stable code in lower case.
    pub fn code(&self) -> &'static str {
        self.why.code()
    }

    /// What differs, and what to do.
    pub fn message(&self) -> String {
        self.why.to_string()
    }

    /// Whether code of the file may have run before it was refused.
    pub fn code_ran(&self) -> bool {
        match &*self.why {
            RefusedBy::Discovery(_) | RefusedBy::Inspect(_) => false,
            RefusedBy::Verify(_) | RefusedBy::Pins(_) => false,
            RefusedBy::Load(LoadError::LoaderStuck | LoadError::Image { .. }) => false,
            RefusedBy::Init(InitError::HostEnding) => false,
            RefusedBy::Load(_) | RefusedBy::Init(_) => true,
        }
    }
}

impl RefusedBy {
    /// A stable code in lower case.
    pub fn code(&self) -> &'static str {
        match self {
            RefusedBy::Discovery(error) => error.code(),
            RefusedBy::Inspect(error) => error.code(),
            RefusedBy::Verify(error) => error.code(),
            RefusedBy::Pins(error) => error.code(),
            RefusedBy::Load(error) => error.code(),
            RefusedBy::Init(error) => error.code(),
        }
    }
}
