//! The options that the operator set for this plugin.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::export::host::Host;
use crate::json;
use crate::{Error, Result, StatusCode};

/// The plugin's options: the table `[plugin.<name>.options]` of `exthost.toml`,
/// merged over the declared defaults.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Options {
///     greeting: String,
/// }
///
/// fn options(services: &Services) -> Result<Options> {
///     let config = services.config();
///     config.declare(r#"{"greeting": "hello"}"#, "")?;
///     config.read()
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Config {
    host: &'static Host,
}

impl Config {
    pub(crate) fn new(host: &'static Host) -> Self {
        Config { host }
    }

    /// Declares, during `init`, the defaults (a JSON object) and a JSON Schema
    /// that the options must satisfy; either may be empty.
    ///
    /// # Errors
    /// When a text is not JSON, or the options fail the schema; then the plugin
    /// should fail its `init`, as `?` does.
    pub fn declare(&self, defaults: &str, schema: &str) -> Result<()> {
        self.host.declare_options(defaults, schema)
    }

    /// All options; `{}` when there are none.
    ///
    /// # Errors
    /// When they are not of the form of `T`, naming the path of the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let text = self.host.option("")?;
        parse("", text.as_deref().unwrap_or(b"{}"))
    }

    /// The value at a JSON Pointer such as `/limits/items`. Where nothing
    /// stands, that is `null`: `None` for an `Option`, an error otherwise.
    ///
    /// # Errors
    /// When it is not of the form of `T`, naming the path of the value.
    pub fn at<T: DeserializeOwned>(&self, pointer: &str) -> Result<T> {
        let text = self.host.option(pointer)?;
        parse(pointer, text.as_deref().unwrap_or(b"null"))
    }

    /// All options, as JSON.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn value(&self) -> Result<Value> {
        self.read()
    }
}

fn parse<T: DeserializeOwned>(pointer: &str, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| {
        let path = format!(
            "{pointer}{}",
            json::path_at(text, error.line(), error.column())
        );
        let reason = json::reason(&error);
        let message = match &*path {
            "" => format!("the options: {reason}"),
            path => format!("the option {path}: {reason}"),
        };
        Error::new(StatusCode::INTERNAL_SERVER_ERROR, "bad-option", message)
    })
}
