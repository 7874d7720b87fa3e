//! Why a plugin may not be loaded here.

use std::fmt;
use std::path::PathBuf;

use semver::Version;

use crate::inspect::{Capability, Glibc, Hazard};
use crate::name::PluginName;
use crate::ownership::Distrust;
use crate::pins::{ContentHash, LOCK_FILE};

/// Why a plugin may not be loaded here. None of its code has run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It was built for another platform.
    #[error("plugin is built for {plugin}, this host runs on {host}; build it for {host}")]
    WrongTarget {
        /// The plugin's platform.
        plugin: String,
        /// The host's platform.
        host: String,
    },
    /// It serves already, and a new version can only take effect in a new
    /// process.
    #[error(
        "plugin {name} has symbols that all its generations would share; restart the host to \
         run this version, or build it with -fno-gnu-unique"
    )]
    RestartOnly {
        /// The plugin.
        name: PluginName,
    },
    /// It does not export the table that every plugin exports.
    #[error(
        "plugin exports no data symbol {symbol}, its meta says it is a plugin; export it with \
         export_plugin! or EXTHOST_DOOR"
    )]
    NoDoor {
        /// The symbol.
        symbol: &'static str,
    },
    /// It has its meta in a section, but no symbol to find it by in memory.
    #[error(
        "plugin has a meta but exports no data symbol {symbol}; make the symbol visible when \
         linking"
    )]
    MetaNotExported {
        /// The symbol.
        symbol: &'static str,
    },
    /// It is a Rust plugin without the layouts of its tables.
    #[error(
        "plugin is built with sdk {sdk} but exports no data symbol {symbol}; build it with \
         export_plugin! and do not strip exported symbols"
    )]
    NoLayouts {
        /// What it says it was built with.
        sdk: String,
        /// The symbol.
        symbol: &'static str,
    },
    /// It needs a later API version of the same major.
    #[error(
        "plugin reports needs API {plugin}, this host offers {host}; upgrade the host or build \
         the plugin against exthost-plugin {}.{}", .host.major, .host.minor
    )]
    ApiTooNew {
        /// The API version it needs.
        plugin: Version,
        /// The API version of this host.
        host: Version,
    },
    /// It needs another API major.
    #[error(
        "plugin reports needs API {plugin}, this host offers {host}, of another major; build the \
         plugin against exthost-plugin {}.{}", .host.major, .host.minor
    )]
    ApiMajor {
        /// The API version it needs.
        plugin: Version,
        /// The API version of this host.
        host: Version,
    },
    /// It was compiled against a table that was changed after it was published.
    #[error(
        "plugin was built with fingerprint {plugin} of table {table}, this host has {host}; build \
         the plugin against an unpatched exthost-plugin"
    )]
    TableChanged {
        /// The table, `id/revision`.
        table: String,
        /// The plugin's fingerprint.
        plugin: String,
        /// The host's fingerprint.
        host: String,
    },
    /// Loading it would reach beyond it.
    #[error("plugin has {hazard}, a plugin may have none; link it without")]
    Hazard {
        /// What it has.
        hazard: Hazard,
    },
    /// It needs a library that is not the system's.
    #[error(
        "plugin needs the library {library}, this host allows {allowed}; link it statically into \
         the plugin"
    )]
    NeedsLibrary {
        /// The library it needs.
        library: String,
        /// Those it may need.
        allowed: String,
    },
    /// It was linked against a later GNU C library.
    #[error(
        "plugin needs glibc {plugin}, this system has {host}; build it on a system with glibc \
         {host} or older"
    )]
    NeedsGlibc {
        /// The version it needs.
        plugin: Glibc,
        /// The version of this system.
        host: Glibc,
    },
    /// It needs a capability that this host does not have.
    #[error(
        "plugin needs {capability}, this host with API {api} does not have it; upgrade the host \
         or move it from needs to wants"
    )]
    UnknownNeed {
        /// The capability.
        capability: Capability,
        /// The API version of this host.
        api: Version,
    },
    /// It needs a capability that the operator does not grant.
    #[error(
        "plugin {name} needs {capability}, it is granted {granted}; grant it in the configuration \
         of the plugin"
    )]
    NotGranted {
        /// The plugin.
        name: PluginName,
        /// The capability.
        capability: Capability,
        /// What it is granted.
        granted: String,
    },
    /// It needs a capability that the operator did not agree to.
    #[error(
        "plugin {name} needs {capability}, {LOCK_FILE} grants it {granted}; agree to it with \
         exthost pin {name} --grant {capability}"
    )]
    NotAgreed {
        /// The plugin.
        name: PluginName,
        /// The capability.
        capability: Capability,
        /// What it is granted.
        granted: String,
    },
    /// The operator agreed to no plugin of this name.
    #[error(
        "plugin {name} {version} is not in {LOCK_FILE}, and no other plugins are loaded; agree to \
         it with exthost pin {name}"
    )]
    NotPinned {
        /// The plugin.
        name: PluginName,
        /// Its version.
        version: Version,
    },
    /// It is not the file that the operator agreed to.
    #[error("{0}")]
    PinDiffers(Box<PinDiffers>),
    /// Others than this host's operator may have written the file.
    #[error("the file {why}, or set check_owners = false in [plugins]")]
    Untrusted {
        /// Who.
        why: Distrust,
    },
    /// Its operator does not want it.
    #[error("plugin {name} is disabled: {why}")]
    Disabled {
        /// The plugin.
        name: PluginName,
        /// Where the operator says so.
        why: String,
    },
    /// The file at a plugin's path is another plugin.
    #[error(
        "the path of [plugin.{expected}] leads to plugin {found}; correct the path, or call the \
         section [plugin.{found}]"
    )]
    OtherName {
        /// The plugin whose path it is.
        expected: String,
        /// The plugin that is there.
        found: PluginName,
    },
    /// Its panics would end the process.
    #[error(
        "plugin {name} is built with panic=abort, this host allows unwind and none; build it with \
         panic = \"unwind\" or let the operator allow it"
    )]
    PanicAbort {
        /// The plugin.
        name: PluginName,
    },
    /// Another file has the same name.
    #[error(
        "plugin {name} was already found in {winner}, which is used; remove one of the files",
        winner = .winner.display()
    )]
    DuplicateName {
        /// The name.
        name: PluginName,
        /// The file that was found first.
        winner: PathBuf,
    },
    /// It cannot do without a plugin that is not there.
    #[error(
        "plugin {name} requires {requires}, which is missing or was refused; install {requires}"
    )]
    RequiresMissing {
        /// The plugin.
        name: PluginName,
        /// The plugin it requires.
        requires: PluginName,
    },
    /// It is to start before itself.
    #[error(
        "plugin {name} would start after itself: {cycle}; break the circle in after or requires"
    )]
    OrderCycle {
        /// The plugin.
        name: PluginName,
        /// Each name followed by one it starts after.
        cycle: String,
    },
}

/// The file that the operator agreed to, and the one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinDiffers {
    /// The plugin.
    pub name: PluginName,
    /// The version that was agreed to.
    pub pinned_version: Version,
    /// The content that was agreed to.
    pub pinned_hash: ContentHash,
    /// The version of the file.
    pub version: Version,
    /// The content of the file.
    pub hash: ContentHash,
    /// What it needs beyond what was agreed to.
    pub more: Vec<Capability>,
}

impl fmt::Display for PinDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version, pinned) = (&self.name, &self.version, &self.pinned_version);
        let (hash, pinned_hash) = (self.hash.short(), self.pinned_hash.short());
        write!(
            f,
            "plugin {name} {version} has the hash {hash}.., {LOCK_FILE} pins {pinned} with \
             {pinned_hash}..; put the pinned file back, or look at the new one and agree to it \
             with exthost pin {name}"
        )?;
        // What it newly needs is agreed to by name.
        for capability in &self.more {
            write!(f, " --grant {capability}")?;
        }
        Ok(())
    }
}

impl VerifyError {
    /// Whether the operator's word is the reason, rather than the file: one that
    /// serves still is then retired, while a file that became unusable leaves
    /// the generation before it serving.
    pub fn is_operators_word(&self) -> bool {
        matches!(
            self,
            Self::NotGranted { .. }
                | Self::NotAgreed { .. }
                | Self::NotPinned { .. }
                | Self::Disabled { .. }
                | Self::OtherName { .. }
                | Self::RequiresMissing { .. }
        )
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongTarget { .. } => "wrong-target",
            Self::RestartOnly { .. } => "restart-only",
            Self::NoDoor { .. } => "no-door",
            Self::MetaNotExported { .. } => "meta-not-exported",
            Self::NoLayouts { .. } => "no-layouts",
            Self::ApiTooNew { .. } => "api-too-new",
            Self::ApiMajor { .. } => "api-major",
            Self::TableChanged { .. } => "table-changed",
            Self::Hazard { hazard } => match hazard {
                Hazard::SearchPath(_) => "has-rpath",
                Hazard::Audit(_) => "has-audit",
                Hazard::Filter(_) => "has-filter",
                Hazard::TextRelocations => "has-text-relocations",
                Hazard::ExecutableStack => "has-executable-stack",
            },
            Self::NeedsLibrary { .. } => "needs-library",
            Self::NeedsGlibc { .. } => "needs-glibc",
            Self::UnknownNeed { .. } => "unknown-need",
            Self::NotGranted { .. } | Self::NotAgreed { .. } => "not-granted",
            Self::NotPinned { .. } => "not-pinned",
            Self::PinDiffers(_) => "pin-differs",
            Self::Untrusted { why } => match why {
                Distrust::WritableByOthers { .. } => "writable-by-others",
                Distrust::ForeignOwner { .. } => "foreign-owner",
            },
            Self::Disabled { .. } => "disabled",
            Self::OtherName { .. } => "other-name",
            Self::PanicAbort { .. } => "panic-abort",
            Self::DuplicateName { .. } => "duplicate-name",
            Self::RequiresMissing { .. } => "requires-missing",
            Self::OrderCycle { .. } => "order-cycle",
        }
    }
}
