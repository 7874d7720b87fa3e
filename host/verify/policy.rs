//! What this host offers, and what its operator allows.

use std::collections::BTreeMap;

use exthost_abi::API_VERSION;
use exthost_abi::fingerprint::FINGERPRINTS;
use semver::Version;

use crate::config::{CAPABILITIES, Grant};
use crate::inspect::{Capability, Format, Glibc, Inspected, Target, running_glibc};
use crate::pins::Pins;

/// What a plugin is verified against.
///
/// The default is what this host offers, with nothing narrowed:
/// `Policy { allow_abort: true, ..Policy::default() }`.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The platform of this process.
    pub target: Target,
    /// The API version it offers.
    pub api: Version,
    /// The fingerprint of each of its tables, by `id/revision`.
    pub tables: &'static [(&'static str, &'static str)],
    /// The capabilities it has.
    pub capabilities: Vec<Capability>,
    /// The version of the GNU C library it runs with; nothing is checked
    /// without.
    pub glibc: Option<Glibc>,
    /// Whether a plugin may be loaded whose panics end the process.
    pub allow_abort: bool,
    /// The libraries that a plugin may need, by name; one `*` stands for any
    /// text. The code in them runs before the plugin can be asked anything.
    pub needed: Vec<String>,
    /// What the operator grants, by plugin; one that is absent is granted all it
    /// needs and wants.
    pub grants: BTreeMap<String, Vec<Grant>>,
    /// The files that the operator agreed to; any file will do without. A plugin
    /// that is compiled into this program is the application's own word.
    pub pins: Option<Pins>,
    /// The user beside whom only root may be able to write to a plugin's file;
    /// anybody may without.
    pub user: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        let api = API_VERSION;
        let target = Target::current();
        Self {
            api: Version::new(api.major.into(), api.minor.into(), api.patch.into()),
            tables: FINGERPRINTS,
            capabilities: CAPABILITIES.map(|id| Capability::new(id, 1)).to_vec(),
            glibc: running_glibc(),
            allow_abort: false,
            needed: needed_here(target.format())
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            grants: BTreeMap::new(),
            pins: None,
            user: None,
            target,
        }
    }
}

impl Policy {
    /// The pins that count for a plugin, if any do.
    pub(super) fn pins_for(&self, inspected: &Inspected) -> Option<&Pins> {
        let is_file = inspected.embedded().is_none();
        self.pins.as_ref().filter(|_| is_file)
    }

    /// Whether a plugin may need `library`. Windows compares names of libraries
    /// without regard to case.
    pub(super) fn may_need(&self, library: &str) -> bool {
        let fold = self.target.format() == Format::Pe;
        let library = if fold {
            library.to_ascii_lowercase()
        } else {
            library.to_owned()
        };
        self.needed.iter().any(|pattern| matches(pattern, &library))
    }
}

/// Returns the libraries of the system that a plugin in `format` may need: the
/// language's own runtime and what that needs.
///
/// `libstdc++.so.6` is among them, for C++ plugins: linked statically it brings
/// symbols that all generations of a plugin share, which makes a plugin
/// `restart_only`. Names are found by the system's search path alone, since a
/// plugin that directs the search is refused.
pub fn needed_here(format: Format) -> &'static [&'static str] {
    match format {
        Format::Elf if cfg!(target_env = "musl") => &[
            "libc.so",
            "libc.musl-*.so.1",
            "libgcc_s.so.1",
            "libstdc++.so.6",
        ],
        Format::Elf => &[
            "libc.so.6",
            "libm.so.6",
            "libgcc_s.so.1",
            "libpthread.so.0",
            "libdl.so.2",
            "librt.so.1",
            "ld-linux*.so.*",
            "ld64.so.*",
            "libstdc++.so.6",
        ],
        Format::MachO => &[
            "/usr/lib/libSystem.B.dylib",
            "/usr/lib/libc++.1.dylib",
            "/usr/lib/libobjc.A.dylib",
            "/usr/lib/libiconv.2.dylib",
            "/System/Library/Frameworks/CoreFoundation.framework/*",
            "/System/Library/Frameworks/Security.framework/*",
        ],
        Format::Pe => &[
            "kernel32.dll",
            "ntdll.dll",
            "advapi32.dll",
            "bcrypt.dll",
            "bcryptprimitives.dll",
            "crypt32.dll",
            "secur32.dll",
            "userenv.dll",
            "user32.dll",
            "shell32.dll",
            "ole32.dll",
            "oleaut32.dll",
            "ws2_32.dll",
            "msvcrt.dll",
            "ucrtbase.dll",
            "vcruntime140*.dll",
            "msvcp140*.dll",
            "api-ms-win-*.dll",
        ],
    }
}

/// Whether `text` is `pattern`, whose `*`s each stand for any text without a
/// path separator to climb by.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head).filter(|_| !text.contains("..")) else {
        return false;
    };
    // One that follows another star may begin anywhere.
    loop {
        if matches(tail, rest) {
            return true;
        }
        let mut chars = rest.chars();
        if chars.next().is_none() {
            return false;
        }
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("libc.so.6", "libc.so.6"));
        assert!(matches("ld-linux*.so.*", "ld-linux-x86-64.so.2"));
        assert!(matches("ld-linux*.so.*", "ld-linux.so.3"));
        assert!(!matches("libc.so.6", "./libc.so.6"));
        assert!(!matches("ld-linux*.so.*", "/tmp/ld-linux-x86-64.so.2"));
        assert!(!matches("/System/*", "/System/../tmp/a.dylib"));
    }

    #[test]
    fn case_is_folded_on_windows_only() {
        let mut policy = Policy {
            needed: vec!["kernel32.dll".to_owned()],
            ..Policy::default()
        };
        let windows = policy.target.format() == Format::Pe;
        assert_eq!(policy.may_need("KERNEL32.dll"), windows);
        policy.needed.push("libm.so.6".to_owned());
        assert!(policy.may_need("libm.so.6") && !policy.may_need("libz.so.1"));
    }
}
