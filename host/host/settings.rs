//! What holds for each plugin, as the application and `exthost.toml` say
//! together.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use exthost_abi::Embedded;
use serde_json::{Map, Value};

use crate::config::{EventName, Grant, Limits, PluginConfig};
use crate::ownership::current_user;
use crate::pins::{Pins, PinsError};
use crate::services::db::{DatabasesSettings, DbSettings};
use crate::services::events::Aliases;
use crate::verify::Policy;

/// What the operator and the application say of plugins.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Plugins that are compiled into this program.
    pub(super) embedded: Vec<Embedded>,
    /// Where plugins are found.
    pub(super) directories: Vec<PathBuf>,
    /// Whether any plugin is loaded.
    pub(super) enabled: bool,
    /// The file that pins plugins, if no others are loaded.
    pub(super) lock_file: Option<PathBuf>,
    /// Whether a file is refused that others can write to, the lock file too.
    pub(super) check_owners: bool,
    /// The only plugins that are loaded, if it is not all.
    pub(super) only: Option<BTreeSet<String>>,
    /// The limits of plugins of which nothing is said.
    pub(super) limits: Limits,
    /// The application's database.
    pub(super) host_database: Option<PathBuf>,
    /// What SQLite may take of memory in this process, in bytes.
    pub(super) database_memory: Option<NonZeroU64>,
    /// Names of events that stand for others, whoever uses them.
    pub(super) aliases: BTreeMap<EventName, EventName>,
    /// What is said of single plugins: by the application, then, which counts
    /// more, in the file.
    pub(super) said: [BTreeMap<String, PluginConfig>; 2],
}

/// What holds for one plugin. A generation is made with it, and one that was
/// made with another is replaced.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PluginSettings {
    /// The operator's options.
    pub(super) options: Map<String, Value>,
    /// Its limits.
    pub(super) limits: Limits,
    /// Its database.
    pub(super) db: DbSettings,
    /// What it is granted, if it is not all that it asks for.
    grants: Option<Vec<Grant>>,
    /// Names of events that stand for others when it uses them, and whoever does.
    aliases: [BTreeMap<EventName, EventName>; 2],
}

/// The path under which a file is known, so that a later load of it finds what it
/// replaces, or the refusal that it mends.
pub(super) fn one_spelling(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            embedded: Vec::new(),
            directories: Vec::new(),
            enabled: true,
            lock_file: None,
            check_owners: true,
            only: None,
            limits: Limits::default(),
            host_database: None,
            database_memory: None,
            aliases: BTreeMap::new(),
            said: [BTreeMap::new(), BTreeMap::new()],
        }
    }
}

impl Settings {
    /// The same, with the paths under which files are known to a host.
    pub(super) fn spelled(mut self) -> Self {
        let said = self.said.iter_mut().flat_map(BTreeMap::values_mut);
        let paths = said.filter_map(|said| said.path.as_mut());
        for path in self.directories.iter_mut().chain(paths) {
            *path = one_spelling(path);
        }
        self
    }

    /// What holds for `plugin`.
    pub(super) fn of(&self, plugin: &str) -> PluginSettings {
        let mut settings = PluginSettings {
            options: Map::new(),
            limits: self.limits,
            db: DbSettings::default(),
            grants: None,
            aliases: [BTreeMap::new(), self.aliases.clone()],
        };
        for said in self.said_of(plugin) {
            if !said.options.is_empty() {
                settings.options.clone_from(&said.options);
            }
            settings.limits = said.limits.over(settings.limits);
            settings.db.tables.extend(said.tables.iter().cloned());
            settings.grants = said.grants.clone().or(settings.grants);
            settings.aliases[0].extend(said.events.alias.clone());
        }
        settings.db.limits = settings.limits.db;
        settings.db.host = match settings.db.tables.is_empty() {
            true => None,
            false => self.host_database.clone(),
        };
        settings
    }

    /// Why `plugin` is not loaded, if its operator does not want it.
    pub(super) fn disabled(&self, plugin: &str) -> Option<String> {
        if !self.enabled {
            return Some(
                "no plugin is loaded: enabled = false in [plugins], or --no-plugins".into(),
            );
        }
        if let Some(only) = &self.only
            && !only.contains(plugin)
        {
            let only: Vec<_> = only.iter().map(String::as_str).collect();
            return Some(format!("only {} is loaded", only.join(", ")));
        }
        let off = self.said_of(plugin).any(|said| !said.enabled);
        off.then(|| format!("enabled = false in [plugin.{plugin}]"))
    }

    /// The plugins that are at a path of their own.
    pub(super) fn paths(&self) -> BTreeMap<String, PathBuf> {
        let said = self.said.iter().flatten();
        let paths = said.filter_map(|(name, said)| Some((name.clone(), said.path.clone()?)));
        paths.collect()
    }

    /// The plugins of which something is said.
    pub(super) fn named(&self) -> BTreeSet<&str> {
        let only = self.only.iter().flatten();
        let said = self.said.iter().flat_map(BTreeMap::keys);
        said.chain(only).map(String::as_str).collect()
    }

    /// What plugins are verified against; the pins are read anew.
    pub(super) fn policy(&self) -> Result<Policy, PinsError> {
        let granted = |name: &&str| Some(((*name).to_owned(), self.of(name).grants?));
        let user = current_user().filter(|_| self.check_owners);
        let read = |file| Pins::read(file, user);
        let pins = self.lock_file.as_deref().map(read);
        Ok(Policy {
            grants: self.named().iter().filter_map(granted).collect(),
            pins: pins.transpose()?,
            user,
            ..Policy::default()
        })
    }

    /// What plugins' databases are to be.
    pub(super) fn databases(&self) -> DatabasesSettings {
        let own = |name: &str| (name.to_owned(), self.of(name).db);
        DatabasesSettings {
            memory_bytes_max: self.database_memory,
            of_plugin: self.named().into_iter().map(own).collect(),
            others: DbSettings {
                limits: self.limits.db,
                ..DbSettings::default()
            },
        }
    }

    /// All names of events that stand for others.
    pub(super) fn all_aliases(&self) -> Aliases {
        let mut aliases = Aliases::default();
        aliases.extend(self.aliases.clone());
        for (name, said) in self.said.iter().flatten() {
            aliases.extend_of(name, said.events.alias.clone());
        }
        aliases
    }

    fn said_of(&self, plugin: &str) -> impl Iterator<Item = &PluginConfig> {
        self.said.iter().filter_map(move |said| said.get(plugin))
    }
}
