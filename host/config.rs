//! What the operator decides: limits, `exthost.toml`, webhook endpoints, who may
//! listen.
//!
//! Values are checked where they are read, so that an error can name the line
//! and whoever holds one need not check it again.

mod broadcast;
mod db_limits;
mod endpoint;
mod error;
mod event_name;
mod file;
mod limits;
mod pattern;
mod range;
mod secret;

pub(crate) use broadcast::is_channel;
pub use broadcast::{
    Authority, BroadcastError, BroadcastSettings, CHANNEL_BYTES_MAX, ChannelPattern, Origin,
};
pub use db_limits::DbLimits;
pub(crate) use endpoint::host_of;
pub use endpoint::{Endpoint, EndpointError};
pub use error::ConfigError;
pub(crate) use event_name::beginning;
pub use event_name::{EventName, EventNameError};
pub use file::{ConfigFile, DatabaseConfig, EventsConfig, PluginConfig, WebhooksConfig};
pub use limits::Limits;
pub use pattern::Pattern;
pub(crate) use pattern::is_event_type;
pub use range::AddressRange;
pub use secret::Secret;
