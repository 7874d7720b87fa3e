//! The platform a library was built for.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// The file format of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Linux and most other systems.
    Elf,
    /// macOS.
    MachO,
    /// Windows.
    Pe,
}

/// The platform a library was built for: `linux-x86-64`, `macos-aarch64`.
///
/// A machine of unusual width or byte order says so in its name
/// (`x86-64-x32`, `aarch64-be`), so two targets differ when their texts do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    format: Format,
    os: &'static str,
    machine: Cow<'static, str>,
    bits: u32,
}

impl Target {
    pub(super) fn new(
        format: Format,
        os: &'static str,
        machine: impl Into<Cow<'static, str>>,
        bits: u32,
    ) -> Self {
        Self {
            format,
            os,
            machine: machine.into(),
            bits,
        }
    }

    /// Returns the platform this host was built for.
    pub fn current() -> Self {
        let format = match std::env::consts::OS {
            "windows" => Format::Pe,
            "macos" => Format::MachO,
            _ => Format::Elf,
        };
        let machine = match std::env::consts::ARCH {
            "x86_64" if usize::BITS == 32 => "x86-64-x32",
            "x86_64" => "x86-64",
            "aarch64" if cfg!(target_endian = "big") => "aarch64-be",
            "powerpc64" if cfg!(target_endian = "little") => "powerpc64-le",
            other => other,
        };
        Self::new(format, std::env::consts::OS, machine, usize::BITS)
    }

    /// Returns the file format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the operating system: `linux`, `macos`, `windows`.
    pub fn os(&self) -> &str {
        self.os
    }

    /// Returns the machine: `x86-64`, `aarch64`, or `machine-243` for one
    /// without a name here.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// Returns the width of a pointer in bits, 32 or 64.
    pub fn bits(&self) -> u32 {
        self.bits
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.os, self.machine)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
