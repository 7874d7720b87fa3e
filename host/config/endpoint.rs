//! Webhook endpoints, which belong to the operator.

mod error;
mod section;
#[cfg(test)]
mod tests;

use std::fmt;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{AddressRange, Pattern, Secret};
use crate::name::PluginName;

pub use error::EndpointError;

/// Where webhooks go: a URL, which events of which plugins it wants, and the
/// secrets they are signed with.
///
/// Its name is its identity: what is queued for a name goes to the endpoint that
/// has it.
///
/// # Errors
/// The methods take any text; [`check`](Self::check) tells the first bad value.
///
/// # Examples
/// ```
/// use exthost::config::Endpoint;
///
/// let endpoint = Endpoint::new("https://hooks.example.com/notes")
///     .secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
///     .events(["note.*"])
///     .check();
/// assert_eq!(endpoint.unwrap().name(), "hooks.example.com");
/// ```
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "section::Section")]
#[schemars(with = "section::Section", description = "Where webhooks go.")]
pub struct Endpoint {
    name: String,
    url: Option<Url>,
    events: Vec<Pattern>,
    plugins: Option<Vec<PluginName>>,
    secrets: Vec<Secret>,
    enabled: bool,
    rate_per_second: Option<f64>,
    fifo: bool,
    allow: Vec<AddressRange>,
    /// The first bad value; there is none in a checked endpoint.
    wrong: Option<EndpointError>,
}

impl Endpoint {
    /// An endpoint at `url`, named after its host, that wants all events.
    pub fn new(url: &str) -> Self {
        let endpoint = Endpoint {
            name: String::new(),
            url: None,
            events: vec![Pattern::all()],
            plugins: None,
            secrets: Vec::new(),
            enabled: true,
            rate_per_second: None,
            fifo: false,
            allow: Vec::new(),
            wrong: None,
        };
        endpoint.with(parse_url(url), |endpoint, url| {
            endpoint.name = host_of(&url).to_owned();
            endpoint.url = Some(url);
        })
    }

    /// Names it.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Adds a secret, `whsec_...`. Two are live during a rotation, and each
    /// message is signed with both.
    pub fn secret(self, secret: &str) -> Self {
        self.with(Secret::parse(secret), |endpoint, secret| {
            endpoint.secrets.push(secret);
        })
    }

    /// Limits it to events that match one of `patterns`, such as `note.*`.
    pub fn events<'a>(self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns.into_iter().map(Pattern::parse);
        self.with(patterns.collect(), |endpoint, patterns| {
            endpoint.events = patterns;
        })
    }

    /// Limits it to events of these plugins.
    pub fn plugins<'a>(self, plugins: impl IntoIterator<Item = &'a str>) -> Self {
        let plugins = plugins.into_iter().map(|name| {
            PluginName::parse(name).map_err(|error| EndpointError::Plugin { source: error })
        });
        self.with(plugins.collect(), |endpoint, plugins| {
            endpoint.plugins = Some(plugins);
        })
    }

    /// Switches it on or off. While it is off nothing new is queued for it, and
    /// what is queued waits.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Limits how many messages it is sent in a second.
    pub fn rate_per_second(mut self, rate: f64) -> Self {
        self.rate_per_second = Some(rate);
        self
    }

    /// Sends one message at a time, in the order in which they were queued. One
    /// that fails holds up the others until it is delivered or a dead letter.
    pub fn fifo(mut self, fifo: bool) -> Self {
        self.fifo = fifo;
        self
    }

    /// Lets it be at an address in `range`, such as `10.1.0.0/16`, beside public
    /// ones.
    pub fn allow(self, range: &str) -> Self {
        self.with(AddressRange::parse(range), |endpoint, range| {
            endpoint.allow.push(range);
        })
    }

    /// Checks all values, and what they are together.
    ///
    /// # Errors
    /// [`EndpointError`], for the first bad value.
    pub fn check(mut self) -> Result<Self, EndpointError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if self.name.is_empty() || self.name.len() > 255 || !self.name.bytes().all(named) {
            return Err(EndpointError::Name { name: self.name });
        }
        if !(1..=2).contains(&self.secrets.len()) {
            return Err(EndpointError::Secrets {
                endpoint: self.name,
                count: self.secrets.len(),
            });
        }
        if self.events.is_empty() {
            return Err(EndpointError::NoEvents {
                endpoint: self.name,
            });
        }
        match self.rate_per_second {
            Some(rate) if !(0.001..=1e6).contains(&rate) => Err(EndpointError::Rate { rate }),
            _ => Ok(self),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it wants events of this type from this plugin, when it is on.
    pub fn wants(&self, plugin: &str, event_type: &str) -> bool {
        let of_plugin = |plugins: &Vec<PluginName>| plugins.iter().any(|it| it.as_str() == plugin);
        self.plugins.as_ref().is_none_or(of_plugin)
            && self.events.iter().any(|event| event.matches(event_type))
    }

    /// Its URL without what is secret in many: path and query.
    pub(crate) fn shown_url(&self) -> String {
        let Some(url) = &self.url else {
            return String::new();
        };
        let mut shown = url.clone();
        shown.set_fragment(None);
        if url.query().is_some() || url.path() != "/" {
            shown.set_query(None);
            shown.set_path("...");
        }
        shown.into()
    }

    /// Tells whether two endpoints are configured alike, without telling how.
    pub(crate) fn fingerprint(&self) -> String {
        let url = self.url.as_ref().map_or("", |url| url.as_str());
        let mut hasher = blake3::Hasher::new();
        let shown = format!("{self:?}");
        // Lengths keep two different lists from being the same bytes.
        let mut feed = |bytes: &[u8]| {
            hasher.update(&bytes.len().to_le_bytes());
            hasher.update(bytes);
        };
        feed(url.as_bytes());
        feed(shown.as_bytes());
        for secret in &self.secrets {
            feed(secret.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.events
    }

    pub(crate) fn plugin_names(&self) -> Option<&[PluginName]> {
        self.plugins.as_deref()
    }

    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) fn rate(&self) -> Option<f64> {
        self.rate_per_second
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.fifo
    }

    pub(crate) fn allowed(&self) -> &[AddressRange] {
        &self.allow
    }

    /// Takes a value, or keeps the first that is wrong.
    fn with<T>(mut self, value: Result<T, EndpointError>, take: impl FnOnce(&mut Self, T)) -> Self {
        match value {
            Ok(value) => take(&mut self, value),
            Err(error) => {
                self.wrong.get_or_insert(error);
            }
        }
        self
    }
}

/// Parses a URL that a webhook can go to.
fn parse_url(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|error| EndpointError::Url {
        url: shown(text),
        why: error.to_string(),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::UserInfo {
            host: host_of(&url).to_owned(),
        });
    }
    let why = match url.scheme() {
        "http" | "https" if host_of(&url).is_empty() => "names no host",
        "http" | "https" => return Ok(url),
        _ => "is not http:// or https://",
    };
    Err(EndpointError::Url {
        url: shown(text),
        why: why.to_owned(),
    })
}

/// What is no URL, without what is secret in many: what would be the user, the path
/// and the query.
fn shown(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (authority, cut) = match rest.find(['/', '?', '#', '\\']) {
        Some(at) => (&rest[..at], "/..."),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}{}{cut}", scheme.escape_debug(), host.escape_debug())
}

/// The host of a URL, an IPv6 address without its brackets.
pub(crate) fn host_of(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Leaves out secrets and the query.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("url", &self.shown_url())
            .field("events", &self.events)
            .field("plugins", &self.plugins)
            .field("enabled", &self.enabled)
            .field("rate_per_second", &self.rate_per_second)
            .field("fifo", &self.fifo)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}
