//! What a plugin says of itself.

use std::collections::BTreeMap;
use std::str::FromStr;

use exthost_abi::meta::{BYTES_MAX, MAGIC};
use semver::Version;
use serde::Serialize;

use super::capability::{Capability, TableRef};
use super::error::MetaError;
use crate::name::PluginName;

/// What a plugin says of itself, read from its file before any of its code runs.
///
/// The [`exthost_abi::meta`] module tells how it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Meta {
    /// Its name.
    pub name: PluginName,
    /// Its own version.
    pub version: Version,
    /// The lowest API version that has all it needs.
    pub api: Version,
    /// What it was built with, `rust/1.0.0` or `c/1.0.0`.
    pub sdk: String,
    /// What a panic in it does.
    pub panic: PanicStrategy,
    /// The tables it was compiled against.
    pub tables: Vec<TableRef>,
    /// Capabilities without which it cannot start.
    pub needs: Vec<Capability>,
    /// Capabilities it uses when it is granted them.
    pub wants: Vec<Capability>,
    /// Plugins that start before it, if they are present.
    pub after: Vec<PluginName>,
    /// Plugins it cannot do without; they start before it.
    pub requires: Vec<PluginName>,
    /// Lower starts first.
    pub priority: i32,
    /// What it is for.
    pub description: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Who wrote it.
    pub authors: Option<String>,
    /// Where its source is.
    pub repository: Option<String>,
    /// Where its users find more.
    pub homepage: Option<String>,
    /// Keys that this host does not know.
    pub other: BTreeMap<String, String>,
}

/// What a panic in a plugin does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PanicStrategy {
    /// It unwinds to the fence and costs one request.
    Unwind,
    /// It ends the process.
    Abort,
    /// The language has none.
    None,
}

impl Meta {
    /// Reads a meta from the bytes of its section or symbol, which may go on
    /// with zero bytes.
    ///
    /// # Errors
    /// [`MetaError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MetaError> {
        let mut entries = entries(bytes)?;
        let meta = Self {
            name: required(&mut entries, "name", "a plugin name such as my-extension")?,
            version: required(&mut entries, "version", "a version such as 1.2.3")?,
            api: required(&mut entries, "api", "a version such as 1.0.0")?,
            sdk: sdk(&mut entries)?,
            panic: required(&mut entries, "panic", "unwind, abort or none")?,
            tables: tables(&mut entries)?,
            needs: list(&mut entries, "needs", "capabilities such as routes/1,db/1")?,
            wants: list(&mut entries, "wants", "capabilities such as routes/1,db/1")?,
            after: list(&mut entries, "after", "plugin names separated by commas")?,
            requires: list(&mut entries, "requires", "plugin names separated by commas")?,
            priority: optional(&mut entries, "priority", "an integer of 32 bits")?.unwrap_or(0),
            description: entries.remove("description"),
            license: entries.remove("license"),
            authors: entries.remove("authors"),
            repository: entries.remove("repository"),
            homepage: entries.remove("homepage"),
            other: entries,
        };
        Ok(meta)
    }
}

impl FromStr for PanicStrategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        match text {
            "unwind" => Ok(Self::Unwind),
            "abort" => Ok(Self::Abort),
            "none" => Ok(Self::None),
            _ => Err(UnknownStrategy),
        }
    }
}

/// A word that names no [`PanicStrategy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected unwind, abort or none")]
pub struct UnknownStrategy;

type Entries = BTreeMap<String, String>;

/// Returns the length of the meta that `bytes` begins with, its final empty
/// entry included.
pub(super) fn length(bytes: &[u8]) -> Result<usize, MetaError> {
    if !bytes.starts_with(MAGIC) {
        let found = bytes[..bytes.len().min(MAGIC.len())]
            .escape_ascii()
            .to_string();
        return Err(MetaError::Magic { found });
    }
    let mut at = MAGIC.len();
    while let Some(entry) = bytes[at..].iter().position(|&byte| byte == 0) {
        at += entry + 1;
        if at > BYTES_MAX {
            return Err(MetaError::TooLarge { size: at });
        }
        if entry == 0 {
            return Ok(at);
        }
    }
    Err(MetaError::Unterminated { size: bytes.len() })
}

fn entries(bytes: &[u8]) -> Result<Entries, MetaError> {
    let end = length(bytes)? - 1;
    let mut entries = Entries::new();
    // A meta without entries ends where they would begin.
    let body = bytes.get(MAGIC.len()..end).unwrap_or_default();
    for entry in body
        .split(|&byte| byte == 0)
        .filter(|entry| !entry.is_empty())
    {
        let entry = std::str::from_utf8(entry).map_err(|_| MetaError::NotUtf8 {
            entry: String::from_utf8_lossy(entry).into_owned(),
        })?;
        let (key, value) = entry
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| MetaError::NotAnEntry {
                entry: entry.to_owned(),
            })?;
        if let Some(first) = entries.insert(key.to_owned(), value.to_owned()) {
            return Err(MetaError::DuplicateKey {
                key: key.to_owned(),
                first,
                second: value.to_owned(),
            });
        }
    }
    Ok(entries)
}

fn required<T: FromStr>(
    entries: &mut Entries,
    key: &'static str,
    expected: &str,
) -> Result<T, MetaError> {
    optional(entries, key, expected)?.ok_or(MetaError::MissingKey { key })
}

fn optional<T: FromStr>(
    entries: &mut Entries,
    key: &'static str,
    expected: &str,
) -> Result<Option<T>, MetaError> {
    let Some(value) = entries.remove(key) else {
        return Ok(None);
    };
    match value.parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(_) => Err(malformed(key, value, expected)),
    }
}

/// Reads values separated by commas, each with an optional space before it.
fn list<T: FromStr>(
    entries: &mut Entries,
    key: &'static str,
    expected: &str,
) -> Result<Vec<T>, MetaError> {
    let value = entries.remove(key).unwrap_or_default();
    let items: Option<Vec<T>> = items(&value).map(|item| item.parse().ok()).collect();
    items.ok_or_else(|| malformed(key, value, expected))
}

fn tables(entries: &mut Entries) -> Result<Vec<TableRef>, MetaError> {
    let Some(value) = entries.remove("tables") else {
        return Err(MetaError::MissingKey { key: "tables" });
    };
    let tables: Option<Vec<_>> = items(&value).map(TableRef::parse).collect();
    tables.ok_or_else(|| malformed("tables", value, "tables such as db/1=0123456789abcdef"))
}

fn sdk(entries: &mut Entries) -> Result<String, MetaError> {
    let sdk: String = required(entries, "sdk", "")?;
    let known = sdk
        .split_once('/')
        .is_some_and(|(language, version)| !language.is_empty() && Version::parse(version).is_ok());
    if known {
        Ok(sdk)
    } else {
        Err(malformed("sdk", sdk, "language/version such as rust/1.0.0"))
    }
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(move |_| !value.is_empty())
}

fn malformed(key: &'static str, value: String, expected: &str) -> MetaError {
    MetaError::Value {
        key,
        value,
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &[&str] = &[
        "name=hello",
        "version=0.1.0",
        "api=1.0.0",
        "sdk=rust/1.0.0",
        "panic=unwind",
        "tables=db/1=0123456789abcdef",
    ];

    fn meta(entries: &[&str]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for entry in entries {
            bytes.extend_from_slice(entry.as_bytes());
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    fn refused(bytes: &[u8]) -> (&'static str, String) {
        let error = Meta::parse(bytes).unwrap_err();
        (error.code(), error.to_string())
    }

    #[test]
    fn all_keys_are_read_and_unknown_ones_kept() {
        let more = [
            "needs=routes/1,db/1",
            "wants=webhooks/2",
            "after=a, b-c",
            "requires=core",
            "priority=-3",
            "description=Says = hello",
            "colour=green",
        ];
        let bytes = meta(&[LEAST, &more].concat());
        let padded = [bytes.as_slice(), &[0; 7]].concat();
        let read = Meta::parse(&padded).unwrap();
        assert_eq!(read, Meta::parse(&bytes).unwrap());
        let expected = serde_json::json!({
            "name": "hello", "version": "0.1.0", "api": "1.0.0", "sdk": "rust/1.0.0",
            "panic": "unwind",
            "tables": [{"id": "db", "revision": 1, "fingerprint": "0123456789abcdef"}],
            "needs": ["routes/1", "db/1"], "wants": ["webhooks/2"],
            "after": ["a", "b-c"], "requires": ["core"], "priority": -3,
            "description": "Says = hello", "license": null, "authors": null,
            "repository": null, "homepage": null, "other": {"colour": "green"},
        });
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }

    #[test]
    fn every_required_key_is_missed() {
        for (index, entry) in LEAST.iter().enumerate() {
            let mut entries = LEAST.to_vec();
            entries.remove(index);
            let key = entry.split('=').next().unwrap();
            let (code, text) = refused(&meta(&entries));
            assert_eq!(code, "meta-missing-key");
            assert!(text.contains(&format!("no `{key}`")), "{text}");
        }
    }

    #[test]
    fn every_malformed_value_is_named() {
        let bad = [
            "name=Hello",
            "version=1",
            "api=one",
            "sdk=rust",
            "panic=maybe",
            "tables=db/1",
            "needs=db",
            "wants=db/1,",
            "after=A",
            "requires=,",
            "priority=high",
        ];
        for entry in bad {
            let (key, value) = entry.split_once('=').unwrap();
            let mut entries: Vec<_> = LEAST.to_vec();
            entries.retain(|least| !least.starts_with(&format!("{key}=")));
            entries.push(entry);
            let (code, text) = refused(&meta(&entries));
            assert_eq!(code, "meta-value", "{entry}");
            assert!(text.contains(&format!("{key}=`{value}`")), "{text}");
        }
    }

    #[test]
    fn every_malformed_blob_has_its_code() {
        let good = meta(LEAST);
        assert_eq!(refused(b"EXTHOST2\0\0").0, "meta-magic");
        assert_eq!(refused(b"").0, "meta-magic");
        assert_eq!(refused(&good[..good.len() - 1]).0, "meta-unterminated");
        assert_eq!(refused(b"EXTHOST1\0").0, "meta-unterminated");
        assert_eq!(refused(b"EXTHOST1\0\0").0, "meta-missing-key");
        assert_eq!(refused(&meta(&["name"])).0, "meta-not-an-entry");
        assert_eq!(refused(&meta(&["=a"])).0, "meta-not-an-entry");
        assert_eq!(
            refused(&meta(&["a=1", "b=2", "a=3"])).0,
            "meta-duplicate-key"
        );
        assert_eq!(refused(b"EXTHOST1\0a=\xff\0\0").0, "meta-not-utf8");
        let long = format!("description={}", "x".repeat(BYTES_MAX));
        assert_eq!(refused(&meta(&[&long])).0, "meta-too-large");
    }
}
