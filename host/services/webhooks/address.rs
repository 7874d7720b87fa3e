//! Which addresses a webhook may go to: the public ones, and those allowed.

mod special;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use reqwest::Url;

use crate::config::{AddressRange, host_of};

/// The addresses beside public ones that an endpoint may be at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed(Vec<AddressRange>);

/// A host that may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The address is special.
    #[error(
        "{host} is refused: the address {address} is {rule}; if the endpoint belongs there, add \
         `allow = [\"{address}\"]` to it"
    )]
    Refused {
        /// The host of the URL.
        host: String,
        /// Its address, or the first when all of them are refused.
        address: IpAddr,
        /// The kind of address, with the range.
        rule: String,
    },
    /// The name has no address.
    #[error("{host} has no address; mend the URL or the name")]
    None {
        /// The host of the URL.
        host: String,
    },
}

impl Allowed {
    /// What both lists allow.
    pub(crate) fn new(endpoint: &[AddressRange], all: &[AddressRange]) -> Self {
        Allowed([endpoint, all].concat())
    }

    /// Leaves the addresses of `host` that may be connected to.
    pub(crate) fn admit(
        &self,
        host: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Vec<IpAddr>, AddressError> {
        let (mut good, mut refused) = (Vec::new(), None);
        for address in addresses {
            match self.rule_against(address) {
                None => good.push(address),
                Some(rule) => {
                    refused.get_or_insert((address, rule));
                }
            }
        }
        let host = host.to_owned();
        match refused {
            _ if !good.is_empty() => Ok(good),
            Some((address, rule)) => Err(AddressError::Refused {
                host,
                address,
                rule,
            }),
            None => Err(AddressError::None { host }),
        }
    }

    /// Checks a URL whose host is an address, which no resolver sees. URL
    /// parsing has made one form of all its spellings.
    pub(crate) fn admit_literal(&self, url: &Url) -> Result<(), AddressError> {
        let host = host_of(url);
        match host.parse() {
            Ok(address) => self.admit(host, [address]).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Why `address` may not be connected to.
    fn rule_against(&self, address: IpAddr) -> Option<String> {
        let forms = [address, special::unmapped(address)];
        let allowed = |form| self.0.iter().any(|range| range.contains(form));
        match forms.into_iter().any(allowed) {
            true => None,
            false => special::rule(address),
        }
    }
}
