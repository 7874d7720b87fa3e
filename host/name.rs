//! The name of a plugin, checked once.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use exthost_abi::meta::{NAME_BYTES_MAX, is_plugin_name};
use serde::{Deserialize, Serialize};

/// The name of a plugin: `[a-z][a-z0-9]*(-[a-z0-9]+)*`, 64 bytes at most.
///
/// Whoever holds one need not check it again before it goes into a URL, a path
/// or the name of a table. A clone is a pointer and a count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(Arc<str>);

impl PluginName {
    /// Checks `name`.
    ///
    /// # Errors
    /// [`NameError`] when it does not have the form of a plugin name.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        if is_plugin_name(name) {
            Ok(Self(name.into()))
        } else {
            Err(NameError {
                name: name.to_owned(),
            })
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what the plugin's tables begin with: `ext_my_extension_` for
    /// `my-extension`.
    ///
    /// A name holds no `_`, so two names never share one prefix, but the prefix
    /// of `a` begins that of `a-b`: it tells tables of one database apart, not
    /// the databases of two plugins.
    pub fn table_prefix(&self) -> String {
        format!("ext_{}_", self.0.replace('-', "_"))
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for PluginName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PluginName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::parse(name)
    }
}

impl TryFrom<String> for PluginName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::parse(&name)
    }
}

impl From<PluginName> for String {
    fn from(name: PluginName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// A text that is no plugin name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "`{}` is not a plugin name; begin with a lower-case letter, use only a-z, 0-9 and single \
     dashes between them, at most {NAME_BYTES_MAX} bytes, as in `my-extension`",
    .name.escape_debug()
)]
pub struct NameError {
    /// The text.
    pub name: String,
}

impl NameError {
    /// Returns the stable code, `bad-name`.
    pub fn code(&self) -> &'static str {
        "bad-name"
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_name_is_checked_once() {
        let name = PluginName::parse("my-extension").unwrap();
        assert_eq!(name.as_str(), "my-extension");
        assert_eq!(name.table_prefix(), "ext_my_extension_");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"my-extension\"");
        assert_eq!(
            serde_json::from_str::<PluginName>("\"a\"")
                .unwrap()
                .as_str(),
            "a"
        );
        let map = BTreeMap::from([(name, 1)]);
        assert_eq!(map.get("my-extension"), Some(&1));
    }

    #[test]
    fn a_bad_name_is_told_the_cure() {
        let error = PluginName::parse("My_Ext\n").unwrap_err();
        assert_eq!(error.code(), "bad-name");
        let text = error.to_string();
        assert!(
            text.starts_with("`My_Ext\\n` is not a plugin name; "),
            "{text}"
        );
        assert!(serde_json::from_str::<PluginName>("\"\"").is_err());
    }
}
