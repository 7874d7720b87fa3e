//! Ranges of addresses that webhooks may reach beside the public ones.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::config::EndpointError;

/// A range of addresses, `10.1.0.0/16`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// Checks `range`.
    ///
    /// # Errors
    /// [`EndpointError::Range`]; also for bits set behind the prefix, which
    /// mostly mean another range than was written.
    pub fn parse(range: &str) -> Result<Self, EndpointError> {
        let net = match range.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => range.parse().ok(),
        };
        match net.filter(|net| net.trunc() == *net) {
            Some(net) => Ok(AddressRange(net)),
            None => Err(EndpointError::Range {
                range: range.to_owned(),
            }),
        }
    }

    /// The addresses of this machine to itself.
    pub(crate) fn loopback() -> [Self; 2] {
        let v4 = IpAddr::from([127, 0, 0, 0]);
        let v6 = IpAddr::from(std::net::Ipv6Addr::LOCALHOST);
        [(v4, 8), (v6, 128)].map(|(address, bits)| AddressRange(IpNet::new_assert(address, bits)))
    }

    /// Whether `address` is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for AddressRange {
    type Err = EndpointError;

    fn from_str(range: &str) -> Result<Self, EndpointError> {
        Self::parse(range)
    }
}

impl TryFrom<String> for AddressRange {
    type Error = EndpointError;

    fn try_from(range: String) -> Result<Self, EndpointError> {
        Self::parse(&range)
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("fd00::/8", "fd12::1", true),
            ("::1", "::1", true),
        ] {
            let range = AddressRange::parse(range).unwrap();
            let contains = range.contains(address.parse().unwrap());
            assert_eq!(contains, expected, "{range} {address}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for range in [
            "",
            "10",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "localhost",
            "10.0.0.0/x",
        ] {
            let error = AddressRange::parse(range).unwrap_err().to_string();
            assert!(error.contains("as in `10.1.0.0/16`"), "{error}");
        }
    }
}
