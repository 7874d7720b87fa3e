//! What the operator decides: limits, `exthost.toml`, webhook endpoints.
//!
//! Values are checked where they are read, so that an error can name the line
//! and whoever holds one need not check it again.

mod db_limits;
mod endpoint;
mod error;
mod file;
mod limits;
mod pattern;
mod range;
mod secret;

pub use db_limits::DbLimits;
pub(crate) use endpoint::host_of;
pub use endpoint::{Endpoint, EndpointError};
pub use error::ConfigError;
pub use file::{ConfigFile, DatabaseConfig, PluginConfig, WebhooksConfig};
pub use limits::Limits;
pub use pattern::Pattern;
pub(crate) use pattern::is_event_type;
pub use range::AddressRange;
pub use secret::Secret;
