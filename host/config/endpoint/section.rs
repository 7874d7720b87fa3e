//! An endpoint as `[[webhook]]` in `exthost.toml`.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::{AddressRange, Endpoint, EndpointError, Pattern, Secret};
use crate::name::PluginName;

// Each value checks itself, so that an error knows its line.
/// Where webhooks go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Endpoint")]
pub(super) struct Section {
    /// Its identity: what is queued for a name goes to the endpoint that has it.
    /// The host and port of the URL if this is left out.
    name: Option<String>,
    /// Where to, https or http.
    url: String,
    /// The events it wants, as note.created, note.* or >; all if this is left
    /// out.
    #[schemars(with = "Option<Vec<String>>")]
    events: Option<Vec<Pattern>>,
    /// The plugins whose events it wants; all if this is left out.
    #[schemars(with = "Option<Vec<String>>")]
    plugins: Option<Vec<PluginName>>,
    /// What messages are signed with: whsec_ and base64 of 24 to 64 bytes.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    secret: Secrets,
    /// Two secrets while one replaces the other.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    secrets: Secrets,
    /// Whether it is sent anything.
    #[serde(default = "on")]
    enabled: bool,
    /// Most messages a second.
    rate_per_second: Option<f64>,
    /// One message after the other, in order.
    #[serde(default)]
    fifo: bool,
    /// Ranges of addresses that it may be at, beside public ones.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
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
