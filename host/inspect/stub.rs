//! Inspected values without a file, for the tests of later stages.

use super::{Facts, Glibc, Hazard, Inspected, Meta, Target};
use crate::ownership::Ownership;

/// What a stub is to be; the default is a plugin that any policy of this
/// platform accepts.
pub(crate) struct Stub {
    pub(crate) path: String,
    pub(crate) entries: Vec<(&'static str, String)>,
    pub(crate) target: Target,
    pub(crate) needed: Vec<String>,
    pub(crate) hazards: Vec<Hazard>,
    pub(crate) glibc: Option<Glibc>,
    pub(crate) door: bool,
    pub(crate) layouts: bool,
    pub(crate) meta_exported: bool,
    pub(crate) ownership: Option<Ownership>,
}

impl Stub {
    pub(crate) fn new(name: &str) -> Self {
        let entries = [
            ("name", name),
            ("version", "0.1.0"),
            ("api", "1.0.0"),
            ("sdk", "rust/1.0.0"),
            ("panic", "unwind"),
            ("tables", ""),
        ];
        Self {
            path: format!("plugins/{name}.so"),
            entries: entries.map(|(key, value)| (key, value.to_owned())).to_vec(),
            target: Target::current(),
            needed: Vec::new(),
            hazards: Vec::new(),
            glibc: None,
            door: true,
            layouts: true,
            meta_exported: true,
            ownership: None,
        }
    }

    /// Sets an entry of the meta.
    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.entries.retain(|(existing, _)| *existing != key);
        self.entries.push((key, value.to_owned()));
        self
    }

    pub(crate) fn inspected(self) -> Inspected {
        let mut bytes = exthost_abi::meta::MAGIC.to_vec();
        for (key, value) in &self.entries {
            bytes.extend_from_slice(format!("{key}={value}\0").as_bytes());
        }
        bytes.push(0);
        Inspected {
            path: self.path.into(),
            hash: blake3::hash(&bytes),
            meta: Meta::parse(&bytes).expect("the entries of a stub are well formed"),
            facts: Facts {
                target: self.target,
                needed: self.needed,
                hazards: self.hazards,
                glibc: self.glibc,
                restart_only: false,
                door: self.door,
                layouts: self.layouts,
                meta_exported: self.meta_exported,
            },
            meta_bytes: bytes.clone(),
            bytes,
            ownership: self.ownership,
            embedded: None,
        }
    }
}
