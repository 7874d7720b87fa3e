//! `[plugin.<name>]`: one plugin, as its operator wants it.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use crate::config::file::EventsConfig;
use crate::config::{Grant, LimitsConfig};

/// `[plugin.<name>]`: one plugin, as its operator wants it.
///
/// # Examples
/// ```
/// use exthost::Host;
/// use exthost::config::PluginConfig;
///
/// let mut notes = PluginConfig::default();
/// notes.grants = Some(vec!["routes".parse()?, "db".parse()?]);
/// let builder = Host::builder().plugin("notes", notes);
/// # Ok::<(), exthost::config::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(description = "One plugin, as its operator wants it.")]
#[non_exhaustive]
pub struct PluginConfig {
    /// Whether it is loaded at all.
    pub enabled: bool,
    /// Its file, or a folder that holds one for each platform. It comes before
    /// files of the same name in plugin directories. Relative to exthost.toml.
    pub path: Option<PathBuf>,
    /// The capabilities it is granted; all that it needs and wants if this is
    /// left out. One that it needs and is not granted refuses it.
    pub grants: Option<Vec<Grant>>,
    /// Its options; dates become text.
    #[serde(deserialize_with = "options")]
    pub options: Map<String, Value>,
    /// Tables of the application's database that it may read.
    pub tables: Vec<String>,
    /// Its limits, where they differ from those of all plugins.
    pub limits: LimitsConfig,
    /// What holds for its events alone.
    pub events: EventsConfig,
}

impl Default for PluginConfig {
    fn default() -> Self {
        PluginConfig {
            enabled: true,
            path: None,
            grants: None,
            options: Map::new(),
            tables: Vec::new(),
            limits: LimitsConfig::default(),
            events: EventsConfig::default(),
        }
    }
}

impl PluginConfig {
    /// Makes paths relative to the working directory of those relative to
    /// `folder`.
    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(path) = &mut self.path {
            *path = folder.join(&*path);
        }
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
