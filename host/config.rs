//! What the operator decides: limits, `exthost.toml`, webhook endpoints, who may
//! listen.
//!
//! Values are checked where they are read, so that an error can name the line
//! and whoever holds one need not check it again.

mod broadcast;
mod endpoint;
mod error;
mod event_name;
mod file;
mod grant;
mod limits;
mod listen;
mod milliseconds;
mod pattern;
mod plugin;
mod range;
mod schema;
mod secret;

pub(crate) use broadcast::is_channel;
pub use broadcast::{
    Authority, BroadcastError, BroadcastSettings, CHANNEL_BYTES_MAX, ChannelPattern, Origin,
};
pub(crate) use endpoint::host_of;
pub use endpoint::{Endpoint, EndpointError};
pub use error::ConfigError;
pub(crate) use error::{cure, place_of};
pub(crate) use event_name::beginning;
pub use event_name::{EventName, EventNameError};
pub use file::{ConfigFile, DatabaseConfig, EventsConfig, PluginsConfig, WebhooksConfig};
pub(crate) use grant::CAPABILITIES;
pub use grant::{Grant, GrantError};
pub use limits::{
    CacheLimits, CacheLimitsConfig, DbLimits, DbLimitsConfig, KvLimits, KvLimitsConfig, Limits,
    LimitsConfig,
};
pub use listen::{ListenAddress, ListenAddressError};
pub use milliseconds::{Milliseconds, MillisecondsError};
pub use pattern::Pattern;
pub(crate) use pattern::is_event_type;
pub use plugin::PluginConfig;
pub use range::AddressRange;
pub use secret::Secret;
