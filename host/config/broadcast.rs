//! Who may listen to published messages, and from where.

mod authority;
mod error;
mod origin;
mod pattern;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

pub use authority::Authority;
pub use error::BroadcastError;
pub use origin::Origin;
pub(crate) use pattern::is_channel;
pub use pattern::{CHANNEL_BYTES_MAX, ChannelPattern};

/// How clients may connect to `/api/broadcast`: `[broadcast]` in `exthost.toml`.
///
/// # Examples
/// ```
/// use exthost::Host;
/// use exthost::config::BroadcastSettings;
///
/// let mut settings = BroadcastSettings::default();
/// settings.public = vec!["ticker/>".parse()?];
/// settings.origins = vec!["https://app.example".parse()?];
/// let builder = Host::builder().broadcast(settings);
/// # Ok::<(), exthost::config::BroadcastError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(description = "Who may listen to published messages, and from where.")]
#[non_exhaustive]
pub struct BroadcastSettings {
    /// Channels that anybody may listen to; all others need authentication.
    #[schemars(with = "Vec<String>")]
    pub public: Vec<ChannelPattern>,
    /// Origins of pages that may connect, beside the host's own.
    #[schemars(with = "Vec<String>")]
    pub origins: Vec<Origin>,
    /// Names that clients may call the host by; any if there are none.
    #[schemars(with = "Vec<String>")]
    pub hosts: Vec<Authority>,
    /// Clients connected at a time.
    pub clients_max: usize,
    /// Pause after which an idle client is sent a sign of life. One that has
    /// been silent on a WebSocket for three of them is let go.
    #[serde(skip)]
    pub keep_alive: Duration,
    /// How long a client may take nothing of what a WebSocket sends it.
    #[serde(skip)]
    pub write_timeout: Duration,
}

impl Default for BroadcastSettings {
    fn default() -> Self {
        BroadcastSettings {
            public: Vec::new(),
            origins: Vec::new(),
            hosts: Vec::new(),
            clients_max: 10_000,
            keep_alive: Duration::from_secs(15),
            write_timeout: Duration::from_secs(10),
        }
    }
}
