//! `exthost.lock`: the plugins that the operator agreed to, by content.
//!
//! With `locked = true` in `[plugins]` no other file becomes a plugin, and none
//! may use more than stands here. `exthost pin` writes it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::inspect::Capability;
use crate::name::PluginName;
use crate::ownership::Ownership;

mod error;
mod hash;

pub use error::PinsError;
pub use hash::ContentHash;

/// The name of the file, which stands beside `exthost.toml`.
pub const LOCK_FILE: &str = "exthost.lock";

/// What the file begins with.
const HEAD: &str = "\
# The plugins that were agreed to: their content, and what they may use. `exthost pin`
# writes this file; with `locked = true` in [plugins] of exthost.toml no other file
# becomes a plugin.
";

/// The pins of `exthost.lock`, by plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    #[serde(default)]
    plugin: BTreeMap<PluginName, Pin>,
}

/// What was agreed to of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The version its file said to be, for people.
    pub version: Version,
    /// The content of its file.
    pub hash: ContentHash,
    /// The most that it may use.
    pub grants: Vec<Capability>,
}

impl Pins {
    /// Reads a lock file. Only root and `user` may be able to write to it; anybody
    /// may without.
    ///
    /// # Errors
    /// [`PinsError`].
    pub fn read(file: &Path, user: Option<u32>) -> Result<Self, PinsError> {
        let unreadable = |source| PinsError::Unreadable {
            file: file.to_owned(),
            source,
        };
        // One opening, so that what is read is what was looked at.
        let mut open = File::open(file).map_err(unreadable)?;
        let ownership = Ownership::of(&open.metadata().map_err(unreadable)?);
        if let (Some(ownership), Some(user)) = (ownership, user)
            && let Some(why) = ownership.distrust(user)
        {
            let file = file.to_owned();
            return Err(PinsError::Untrusted { file, why });
        }
        let mut bytes = Vec::new();
        open.read_to_end(&mut bytes).map_err(unreadable)?;
        let text = String::from_utf8_lossy(&bytes);
        toml::from_str(&text).map_err(|error| PinsError::of_toml(file, &text, &error))
    }

    /// Writes a lock file, whole or not at all.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let folder = file.parent().filter(|folder| *folder != Path::new(""));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Whoever may read the plugins may know which were agreed to.
            builder.permissions(fs::Permissions::from_mode(0o644));
        }
        let mut new = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        new.write_all(HEAD.as_bytes())?;
        new.write_all(b"\n")?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(())
    }

    /// Returns the pin of a plugin.
    pub fn of(&self, plugin: &str) -> Option<&Pin> {
        self.plugin.get(plugin)
    }

    /// Pins a plugin, in place of the pin before.
    pub fn insert(&mut self, plugin: PluginName, pin: Pin) {
        self.plugin.insert(plugin, pin);
    }

    /// Takes a pin away.
    pub fn remove(&mut self, plugin: &str) {
        self.plugin.remove(plugin);
    }

    /// Returns every plugin with its pin, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&PluginName, &Pin)> {
        self.plugin.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ownership::current_user;

    fn pin(content: &[u8]) -> Pin {
        Pin {
            version: Version::new(1, 2, 0),
            hash: ContentHash::from(blake3::hash(content)),
            grants: vec![Capability::new("db", 1), Capability::new("later", 3)],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LOCK_FILE);
        let mut pins = Pins::default();
        pins.write(&file).unwrap();
        assert_eq!(Pins::read(&file, current_user()).unwrap(), pins);
        pins.insert(PluginName::parse("notes").unwrap(), pin(b"a"));
        pins.write(&file).unwrap();
        let read = Pins::read(&file, current_user()).unwrap();
        assert_eq!(read, pins);
        assert_eq!(read.of("notes"), Some(&pin(b"a")));
        assert_eq!(read.of("hello"), None);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# The plugins"), "{text}");
        assert!(text.contains("\n[plugin.notes]\nversion = \"1.2.0\"\nhash = \""));
        assert!(text.contains("grants = [\"db/1\", \"later/3\"]"), "{text}");
    }

    #[test]
    fn errors_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LOCK_FILE);
        let error = Pins::read(&file, None).unwrap_err();
        assert_eq!(error.code(), "lock-unreadable");
        assert!(error.to_string().contains("write it with"), "{error}");
        let error = Pins::read(folder.path(), None).unwrap_err();
        assert_eq!(error.code(), "lock-unreadable");
        assert!(error.to_string().contains("remove what is"), "{error}");
        let hash = "0".repeat(64);
        for (text, place) in [
            ("[plugin.Notes]", "1:9"),
            ("[plugin.notes]\nversion = '1'", "2:11"),
            ("[plugin.notes]\nhash = 'abc'", "2:8"),
            ("plugins = 1", "1:1"),
            (
                &format!("[plugin.a]\nversion='1.0.0'\nhash='{hash}'\ngrants=['db']"),
                "4:8",
            ),
        ] {
            fs::write(&file, text).unwrap();
            let error = Pins::read(&file, current_user()).unwrap_err();
            assert_eq!(error.code(), "lock-malformed");
            let expected = format!("exthost.lock:{place}: ");
            assert!(error.to_string().contains(&expected), "{error}");
        }
        fs::write(&file, b"\x7fELF\xff").unwrap();
        let error = Pins::read(&file, None).unwrap_err();
        assert!(error.to_string().contains("remove it and run"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_others_can_write_locks_nothing() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LOCK_FILE);
        Pins::default().write(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let error = Pins::read(&file, current_user()).unwrap_err();
        assert_eq!(error.code(), "lock-untrusted");
        assert!(error.to_string().contains("0666"), "{error}");
        // Unless its operator takes care of that.
        assert_eq!(Pins::read(&file, None).unwrap(), Pins::default());
    }
}
