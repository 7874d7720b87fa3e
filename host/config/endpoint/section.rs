//! An endpoint as `[[webhook]]` in `exthost.toml`.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::{AddressRange, Endpoint, EndpointError, Pattern, Secret};
use crate::name::PluginName;

/// What the operator writes. Each value checks itself, so that an error knows
/// its line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    name: Option<String>,
    url: String,
    events: Option<Vec<Pattern>>,
    plugins: Option<Vec<PluginName>>,
    #[serde(default)]
    secret: Secrets,
    #[serde(default)]
    secrets: Secrets,
    #[serde(default = "on")]
    enabled: bool,
    rate_per_second: Option<f64>,
    #[serde(default)]
    fifo: bool,
    #[serde(default)]
    allow: Vec<AddressRange>,
}

fn on() -> bool {
    true
}

impl TryFrom<Section> for Endpoint {
    type Error = EndpointError;

    fn try_from(section: Section) -> Result<Self, EndpointError> {
        let mut endpoint = Endpoint::new(&section.url);
        if let Some(name) = section.name {
            endpoint.name = name;
        }
        if let Some(events) = section.events {
            endpoint.events = events;
        }
        endpoint.plugins = section.plugins;
        endpoint.secrets = [section.secret.0, section.secrets.0].concat();
        endpoint.enabled = section.enabled;
        endpoint.rate_per_second = section.rate_per_second;
        endpoint.fifo = section.fifo;
        endpoint.allow = section.allow;
        endpoint.check()
    }
}

/// A secret or a list of them.
///
/// Reading either in both places keeps serde from quoting a secret that stands
/// in the wrong one.
#[derive(Default)]
struct Secrets(Vec<Secret>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Secrets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret or a list of secrets")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secrets, E> {
        let secret = Secret::parse(text).map_err(E::custom)?;
        Ok(Secrets(vec![secret]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Secrets, A::Error> {
        let mut secrets = Vec::new();
        while let Some(secret) = list.next_element()? {
            secrets.push(secret);
        }
        Ok(Secrets(secrets))
    }
}
