//! `exthost.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de;
use serde::{Deserialize, Deserializer};

use crate::config::{
    AddressRange, BroadcastSettings, ConfigError, Endpoint, EventName, LimitsConfig, ListenAddress,
    PluginConfig,
};
use crate::name::PluginName;
use crate::pins::LOCK_FILE;

/// What stands in `exthost.toml`. Every key is optional, and one that is not
/// known is an error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    title = "exthost.toml",
    description = "The configuration of an exthost host. Every key is optional."
)]
#[non_exhaustive]
pub struct ConfigFile {
    /// Where to listen; 127.0.0.1:7700 if this is left out.
    pub listen: Option<ListenAddress>,
    /// Where data is kept, relative to this file; the folder data beside it if
    /// this is left out.
    pub data: Option<PathBuf>,
    /// Where plugins are found.
    pub plugins: PluginsConfig,
    /// The limits of every plugin.
    pub limits: LimitsConfig,
    /// Where webhooks go.
    #[serde(deserialize_with = "endpoints")]
    #[schemars(with = "Vec<Endpoint>")]
    pub webhook: Vec<Endpoint>,
    /// What holds for all endpoints of webhooks.
    pub webhooks: WebhooksConfig,
    /// What holds for the events of all plugins.
    pub events: EventsConfig,
    /// Who may listen to published messages.
    pub broadcast: Option<BroadcastSettings>,
    /// What plugins may read beside their own.
    pub database: DatabaseConfig,
    /// One plugin each.
    #[schemars(with = "BTreeMap<String, PluginConfig>")]
    pub plugin: BTreeMap<PluginName, PluginConfig>,
}

/// `[plugins]`: where plugins are found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PluginsConfig {
    /// Whether any plugin is loaded.
    pub enabled: bool,
    /// Whether only the plugins that exthost.lock beside this file pins are loaded;
    /// exthost pin writes it.
    pub locked: bool,
    /// Whether a plugin's file, or the lock, is refused when others than root and the
    /// user of the host can write to it.
    pub check_owners: bool,
    /// Directories of plugin files, relative to this file; of two plugins with
    /// one name the first that is found counts. The folder plugins beside this
    /// file if it is left out.
    pub directories: Option<Vec<PathBuf>>,
    /// Where the pins are; exthost.lock beside this file.
    #[serde(skip)]
    pub lock_file: PathBuf,
}

impl Default for PluginsConfig {
    fn default() -> Self {
        PluginsConfig {
            enabled: true,
            locked: false,
            check_owners: true,
            directories: None,
            lock_file: PathBuf::from(LOCK_FILE),
        }
    }
}

/// `[webhooks]`: what holds for all endpoints of webhooks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhooksConfig {
    /// Ranges of addresses that every endpoint may be at, beside public ones.
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<AddressRange>,
}

/// `[events]`: what holds for events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EventsConfig {
    /// Names of events that stand for other names.
    #[schemars(with = "BTreeMap<String, String>")]
    pub alias: BTreeMap<EventName, EventName>,
}

/// `[database]`: what plugins may read beside their own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// The application's own database, an SQLite file, relative to this file.
    pub host: Option<PathBuf>,
    /// What SQLite may take of memory in the whole process, for all plugins together,
    /// in bytes, 1 MiB at least; 1 GiB under `exthost serve` and `exthost dev`. To raise
    /// it takes a restart.
    #[serde(deserialize_with = "memory")]
    #[schemars(range(min = 1_048_576))]
    pub memory_bytes_max: Option<NonZeroU64>,
}

impl ConfigFile {
    /// Reads a file. Paths in it are relative to its folder. The data directory and
    /// the plugin directories that it leaves out are for the application to say;
    /// `exthost serve` takes the folders `data` and `plugins` beside it.
    ///
    /// # Errors
    /// [`ConfigError`], which names the line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            file: path.to_owned(),
            source,
        })?;
        let mut config: ConfigFile =
            toml::from_str(&text).map_err(|error| ConfigError::of_toml(path, &text, &error))?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Makes paths relative to the working directory of those relative to
    /// `folder`.
    fn resolve(&mut self, folder: &Path) {
        for path in [&mut self.data, &mut self.database.host]
            .into_iter()
            .flatten()
        {
            *path = folder.join(&*path);
        }
        self.plugins.lock_file = folder.join(&self.plugins.lock_file);
        for path in self.plugins.directories.iter_mut().flatten() {
            *path = folder.join(&*path);
        }
        for plugin in self.plugin.values_mut() {
            plugin.resolve(folder);
        }
    }
}

/// Endpoints, whose names tell them apart.
fn endpoints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Endpoint>, D::Error> {
    let endpoints = Vec::<Endpoint>::deserialize(deserializer)?;
    let mut names = BTreeSet::new();
    match endpoints.iter().find(|it| !names.insert(it.name())) {
        None => Ok(endpoints),
        Some(twice) => Err(de::Error::custom(format!(
            "two endpoints are named {}; give one of them another `name`",
            twice.name()
        ))),
    }
}

/// With less the host cannot open its own databases.
const MEMORY_BYTES_MIN: u64 = 1 << 20;

fn memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NonZeroU64>, D::Error> {
    let bytes = u64::deserialize(deserializer)?;
    let enough = NonZeroU64::new(bytes).filter(|bytes| bytes.get() >= MEMORY_BYTES_MIN);
    enough.map(Some).ok_or_else(|| {
        de::Error::custom(format!(
            "{bytes} bytes of memory are too few for SQLite; give {MEMORY_BYTES_MIN} at least"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use std::net::SocketAddr;

    use super::*;
    use crate::config::Limits;

    fn read(text: &str) -> Result<ConfigFile, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("exthost.toml");
        std::fs::write(&file, text).unwrap();
        ConfigFile::read(&file)
    }

    fn refused(text: &str) -> String {
        let error = read(text).unwrap_err().to_string();
        let at = error.find("exthost.toml").unwrap();
        error[at..].to_owned()
    }

    #[test]
    fn all_of_it() {
        let config = read(
            r#"
            listen = "localhost:8080"
            data = "var"

            [plugins]
            enabled = false
            locked = true
            check_owners = false
            directories = ["first", "/second"]

            [limits]
            tasks_max = 5
            db.statement_deadline_ms = 100

            [[webhook]]
            url = "https://hooks.example.com/notes"
            events = ["note.*"]
            plugins = ["notes"]
            secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
            rate_per_second = 2.5
            fifo = true
            allow = ["10.0.0.0/8"]

            [[webhook]]
            name = "second"
            url = "https://hooks.example.com"
            secrets = [
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            ]

            [webhooks]
            allow = ["192.168.1.1"]

            [database]
            host = "app.db"

            [events.alias]
            "old.name" = "new.name"

            [broadcast]
            public = ["ticker/>"]
            origins = ["https://app.example"]
            hosts = ["app.example"]
            clients_max = 50

            [plugin.notes]
            enabled = false
            path = "lib/notes.so"
            grants = ["routes", "db/1"]
            limits.handler_deadline_ms = 250
            options = { limit = 3, since = 2026-01-02, nested = { list = [1.5, true] } }
            tables = ["user"]
            events.alias = { saved = "note.saved" }
            "#,
        )
        .unwrap();
        assert_eq!(
            SocketAddr::from(config.listen.unwrap()),
            ([127, 0, 0, 1], 8080).into()
        );
        assert!(config.data.unwrap().is_absolute());
        assert!(!config.plugins.enabled);
        assert!(config.plugins.locked && !config.plugins.check_owners);
        assert!(config.plugins.lock_file.is_absolute());
        let directories = config.plugins.directories.unwrap();
        assert!(directories[0].is_absolute() && directories[0].ends_with("first"));
        assert_eq!(directories[1], Path::new("/second"));
        let limits = config.limits.over(Limits::default());
        assert_eq!(limits.tasks_max, 5);
        assert_eq!(limits.db.statement_deadline.as_millis(), 100);
        assert_eq!(config.webhook[0].name(), "hooks.example.com");
        assert!(config.webhook[0].is_fifo());
        assert_eq!(config.webhook[1].secrets().len(), 2);
        assert_eq!(config.webhooks.allow[0].to_string(), "192.168.1.1/32");
        let broadcast = config.broadcast.unwrap();
        assert_eq!(broadcast.public[0].to_string(), "ticker/>");
        assert_eq!(broadcast.origins[0].to_string(), "https://app.example");
        assert_eq!(broadcast.hosts[0].to_string(), "app.example");
        assert_eq!(broadcast.clients_max, 50);
        assert_eq!(broadcast.keep_alive.as_secs(), 15);
        let host = config.database.host.unwrap();
        assert!(host.is_absolute() && host.ends_with("app.db"));
        assert_eq!(config.events.alias["old.name"].as_ref(), "new.name");
        let plugin = &config.plugin["notes"];
        assert_eq!(plugin.events.alias["saved"].as_ref(), "note.saved");
        assert!(!plugin.enabled && plugin.path.as_ref().unwrap().is_absolute());
        assert!(plugin.grants.as_ref().unwrap()[1].covers("db", 1));
        assert_eq!(plugin.limits.over(limits).handler_deadline.as_millis(), 250);
        assert_eq!(plugin.tables, ["user"]);
        assert_eq!(
            Value::Object(plugin.options.clone()),
            json!({"limit": 3, "since": "2026-01-02", "nested": {"list": [1.5, true]}})
        );
        assert!(read("").unwrap().webhook.is_empty());
    }

    #[test]
    fn errors_name_the_place_and_the_cure() {
        assert_eq!(
            refused("[databse]\nhost = 'a'"),
            "exthost.toml:1:2: there is no key `databse`; did you mean `database`?"
        );
        assert_eq!(
            refused("\n[plugin.notes]\n  tabels = []"),
            "exthost.toml:3:3: there is no key `tabels`; did you mean `tables`?"
        );
        assert_eq!(
            refused("[database]\nxyz = 1"),
            "exthost.toml:2:1: there is no key `xyz`; there are `host`, `memory_bytes_max`"
        );
        assert_eq!(
            refused("[database]\nmemory_bytes_max = 100"),
            "exthost.toml:2:20: 100 bytes of memory are too few for SQLite; give 1048576 at least"
        );
        assert_eq!(
            refused("[database]\nhost = 1"),
            "exthost.toml:2:8: invalid type: integer `1`, expected path string"
        );
        let text = refused("[webhooks]\nallow = ['10.0.0.1/8']");
        assert!(
            text.starts_with("exthost.toml:2:9: `10.0.0.1/8` is not a range"),
            "{text}"
        );
        let text = refused("[events.alias]\n'a' = 'b.*'");
        assert!(
            text.starts_with("exthost.toml:2:7: `b.*` is no event name; "),
            "{text}"
        );
        let text = refused("[broadcast]\npublic = ['ticker']");
        assert!(
            text.starts_with("exthost.toml:2:10: `ticker` is not a pattern of channels; "),
            "{text}"
        );
        let text = refused("[plugin.Notes]");
        assert!(
            text.starts_with("exthost.toml:1:9: `Notes` is not a plugin name; "),
            "{text}"
        );
        assert_eq!(
            refused("[plugin.notes]\ngrants = ['routs']"),
            "exthost.toml:2:10: `routs` is no capability of this host; did you mean `routes`?"
        );
        let text = refused("listen = '7700'");
        assert!(
            text.starts_with("exthost.toml:1:10: `7700` is no address with a port; "),
            "{text}"
        );
        let text = refused("[limits]\nhandler_deadline_ms = 0");
        assert!(
            text.starts_with("exthost.toml:2:23: 0 ms is no time for a limit; "),
            "{text}"
        );
        let text = refused("[plugin.notes]\noptions = { a = nan }");
        assert!(text.contains("an option is NaN"), "{text}");
        let twice = "[[webhook]]\nurl = 'http://a'\n\
                     secret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'\n"
            .repeat(2);
        assert_eq!(
            refused(&twice),
            "exthost.toml:1:1: two endpoints are named a; give one of them another `name`"
        );
        let text = refused("[database\n");
        assert!(text.starts_with("exthost.toml:1:10: "), "{text}");
    }

    #[test]
    fn errors_never_quote_a_secret() {
        for line in [
            "secret = 'whsec_hidden'",
            "secret = ['whsec_hidden']",
            "secrets = 'whsec_hidden'",
            "secrets = { a = 'whsec_hidden' }",
            "secrets = [['whsec_hidden']]",
            "secret = 'hidden'",
            "secret = 'hidden",
            "secret = hidden",
        ] {
            let text = format!("[[webhook]]\nurl = 'http://a'\n{line}\n");
            let error = read(&text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
        // Nor what stands in the wrong place, or in a URL that is none.
        for text in [
            "webhook = 'whsec_hidden'",
            "webhook = ['hidden\", expected hidden']",
            "[plugin.notes]\noptions = 'hidden'",
            "[[webhook]]\nenabled = 'hidden'\nurl = 'http://a'",
            "[[webhook]]\nurl = 'https://me:hidden@a:99999/hidden?hidden#hidden'",
            "[[webhook]]\nurl = 'ftp://a/hidden'",
            "[[webhook]]\nurl = 'a?hidden'",
        ] {
            let error = read(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
        let text = refused("[[webhook]]\nurl = 'https://me@hooks.example:99999/a'");
        assert!(
            text.contains("`https://hooks.example:99999/...` invalid port"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = ConfigFile::read(Path::new("no/such.toml")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no/such.toml cannot be read: ")
        );
    }
}
