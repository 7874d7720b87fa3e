//! A host as it stands in URLs.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::Deserialize;

use crate::config::BroadcastError;

/// A host with or without a port: `app.example`, `10.0.0.1:8080`, `[::1]`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Authority {
    /// In lower case, an IPv6 address in its shortest form and with brackets.
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`BroadcastError::Host`].
    pub fn parse(text: &str) -> Result<Self, BroadcastError> {
        Self::read(text).ok_or_else(|| BroadcastError::Host {
            host: text.to_owned(),
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // The last colon of an address without a port is inside its brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(read_port(port)?)),
            _ => (text, None),
        };
        let in_brackets = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = match in_brackets {
            Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().ok()?),
            None if is_name(host) => host.to_ascii_lowercase(),
            None => return None,
        };
        Some(Authority { host, port })
    }

    /// Whether a client that calls the host `called` means this one; without a
    /// port, any will do.
    pub fn admits(&self, called: &Authority) -> bool {
        self.host == called.host && (self.port.is_none() || self.port == called.port)
    }

    /// Whether both are the same for a scheme with this port of its own.
    pub(super) fn is_same(&self, other: &Authority, own_port: u16) -> bool {
        let port = |of: &Authority| of.port.unwrap_or(own_port);
        self.host == other.host && port(self) == port(other)
    }
}

fn read_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn is_name(host: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(legal)
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl FromStr for Authority {
    type Err = BroadcastError;

    fn from_str(text: &str) -> Result<Self, BroadcastError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Authority {
    type Error = BroadcastError;

    fn try_from(text: String) -> Result<Self, BroadcastError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (text, shown) in [
            ("App.Example", "app.example"),
            ("app.example:8080", "app.example:8080"),
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("[::1]", "[::1]"),
            ("[0:0::1]:7700", "[::1]:7700"),
            ("a_b-c.d.", "a_b-c.d."),
        ] {
            assert_eq!(Authority::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "", ":80", "a:", "a:x", "a:+80", "a:99999", "a:80:80", "::1", "[::1", "[a]", "a/b",
            "u@a", "a b", "ä", "[::1]x",
        ] {
            let error = Authority::parse(text).unwrap_err();
            assert_eq!(error.code(), "bad-host", "{text}");
        }
    }

    #[test]
    fn a_listed_host_admits_what_it_names() {
        for (listed, called, expected) in [
            ("app.example", "app.example", true),
            ("app.example", "APP.example:8080", true),
            ("app.example:80", "app.example:80", true),
            ("app.example:80", "app.example:81", false),
            ("app.example:80", "app.example", false),
            ("app.example", "app.example.", false),
            ("app.example", "x.app.example", false),
        ] {
            let (listed, called) = (Authority::parse(listed), Authority::parse(called));
            assert_eq!(listed.unwrap().admits(&called.unwrap()), expected);
        }
    }
}
