//! `exthost.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use crate::config::{AddressRange, BroadcastSettings, ConfigError, Endpoint, EventName};
use crate::name::PluginName;

/// What stands in `exthost.toml`. Every key is optional, and one that is not
/// known is an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfigFile {
    /// `[[webhook]]`: where webhooks go.
    pub webhook: Vec<Endpoint>,
    /// `[webhooks]`: what holds for all of them.
    pub webhooks: WebhooksConfig,
    /// `[events]`: what holds for events.
    pub events: EventsConfig,
    /// `[broadcast]`: who may listen to published messages.
    pub broadcast: Option<BroadcastSettings>,
    /// `[database]`: what plugins may read beside their own.
    pub database: DatabaseConfig,
    /// `[plugin.<name>]`: one plugin each.
    pub plugin: BTreeMap<PluginName, PluginConfig>,
}

/// `[webhooks]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhooksConfig {
    /// Ranges of addresses that every endpoint may be at, beside public ones.
    pub allow: Vec<AddressRange>,
}

/// `[events]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EventsConfig {
    /// Names of events that stand for other names.
    pub alias: BTreeMap<EventName, EventName>,
}

/// `[database]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// The application's own database, in the file relative to it.
    pub host: Option<PathBuf>,
}

/// `[plugin.<name>]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PluginConfig {
    /// Its options, as JSON; dates become text.
    #[serde(deserialize_with = "options")]
    pub options: Map<String, Value>,
    /// Tables of the application's database that it may read.
    pub tables: Vec<String>,
    /// What holds for its events alone.
    pub events: EventsConfig,
}

impl ConfigFile {
    /// Reads a file. Paths in it are relative to its folder.
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
        if let (Some(host), Some(folder)) = (&mut config.database.host, path.parent()) {
            *host = folder.join(&*host);
        }
        Ok(config)
    }
}

fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let table = toml::Table::deserialize(deserializer)?;
    let json = |(key, value)| Ok((key, json(value).map_err(de::Error::custom)?));
    table.into_iter().map(json).collect()
}

/// The JSON of a value.
fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => match serde_json::Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                return Err(format!(
                    "an option is {number}, which JSON has not; give a finite number or a text"
                ));
            }
        },
        toml::Value::Boolean(yes) => Value::Bool(yes),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(list) => list.into_iter().map(json).collect::<Result<_, _>>()?,
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| Ok((key, json(value)?)))
            .collect::<Result<Map<_, _>, String>>()?
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            options = { limit = 3, since = 2026-01-02, nested = { list = [1.5, true] } }
            tables = ["user"]
            events.alias = { saved = "note.saved" }
            "#,
        )
        .unwrap();
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
            "exthost.toml:2:1: there is no key `xyz`; there is only `host`"
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
        let text = refused("[plugin.notes]\noptions = { a = nan }");
        assert!(text.contains("an option is NaN"), "{text}");
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
