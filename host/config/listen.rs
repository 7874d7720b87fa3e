//! Where a host listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::event_name::beginning;

/// An address with a port: `127.0.0.1:7700`, `[::]:80`, `localhost:7700`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let localhost = text.strip_prefix("localhost:").map(str::parse);
        let address = match localhost {
            Some(port) => port.ok().map(|port| (Ipv4Addr::LOCALHOST, port).into()),
            None => text.parse().ok(),
        };
        address
            .map(ListenAddress)
            .ok_or_else(|| ListenAddressError {
                text: text.to_owned(),
            })
    }
}

impl ListenAddress {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        IpAddr::to_canonical(&self.0.ip()).is_loopback()
    }
}

impl From<ListenAddress> for SocketAddr {
    fn from(address: ListenAddress) -> Self {
        address.0
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = ListenAddressError;

    fn try_from(text: String) -> Result<Self, ListenAddressError> {
        text.parse()
    }
}

impl From<ListenAddress> for String {
    fn from(address: ListenAddress) -> Self {
        address.0.to_string()
    }
}

/// A text that is no address with a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no address with a port; write one as in 127.0.0.1:7700, or 0.0.0.0:7700 for all \
     interfaces",
    beginning(.text).escape_debug()
)]
#[non_exhaustive]
pub struct ListenAddressError {
    /// The text.
    pub text: String,
}
