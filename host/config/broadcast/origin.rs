//! Where a page comes from.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::config::{Authority, BroadcastError};

/// Where a page comes from, as browsers tell it: `https://app.example`.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin {
    scheme: String,
    authority: Authority,
}

impl Origin {
    /// Checks `text`. The origin `null`, which any page can take on, is none.
    ///
    /// # Errors
    /// [`BroadcastError::Origin`].
    pub fn parse(text: &str) -> Result<Self, BroadcastError> {
        Self::read(text).ok_or_else(|| BroadcastError::Origin {
            origin: text.to_owned(),
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let begins_well = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        if !begins_well || !scheme.bytes().all(legal) {
            return None;
        }
        Some(Origin {
            scheme: scheme.to_ascii_lowercase(),
            authority: Authority::parse(authority).ok()?,
        })
    }

    /// Whether a page from here that asks `host` asks the server it came from.
    ///
    /// The schemes are not compared: behind a proxy that speaks TLS the host
    /// does not know its own.
    pub fn is_at(&self, host: &Authority) -> bool {
        let own_port = self.own_port();
        own_port.is_some_and(|own_port| self.authority.is_same(host, own_port))
    }

    /// The port that the scheme means when none is given.
    fn own_port(&self) -> Option<u16> {
        match &*self.scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        }
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        let same = match self.own_port() {
            Some(own_port) => self.authority.is_same(&other.authority, own_port),
            None => self.authority == other.authority,
        };
        self.scheme == other.scheme && same
    }
}

impl Eq for Origin {}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl FromStr for Origin {
    type Err = BroadcastError;

    fn from_str(text: &str) -> Result<Self, BroadcastError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Origin {
    type Error = BroadcastError;

    fn try_from(text: String) -> Result<Self, BroadcastError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_at_the_host_it_came_from() {
        for (origin, host, expected) in [
            ("https://app.example", "app.example", true),
            ("https://App.Example", "APP.EXAMPLE", true),
            ("https://app.example", "app.example:443", true),
            ("http://app.example:80", "app.example", true),
            ("http://app.example", "app.example:443", false),
            ("https://app.example:8443", "app.example:8443", true),
            ("https://app.example:8443", "app.example", false),
            ("https://app.example", "evil.example", false),
            ("https://app.example.evil.example", "app.example", false),
            ("tauri://app.example", "app.example", false),
            ("http://[::1]:7700", "[0::1]:7700", true),
        ] {
            let (origin, host) = (Origin::parse(origin), Authority::parse(host));
            assert_eq!(origin.unwrap().is_at(&host.unwrap()), expected);
        }
    }

    #[test]
    fn equal_origins() {
        let same = |a, b| Origin::parse(a).unwrap() == Origin::parse(b).unwrap();
        assert!(same("https://a.example", "HTTPS://A.example:443"));
        assert!(!same("https://a.example", "http://a.example"));
        assert!(!same("https://a.example", "https://a.example:8443"));
        assert!(same("tauri://localhost", "tauri://localhost"));
    }

    #[test]
    fn what_is_no_origin() {
        for text in [
            "",
            "null",
            "*",
            "app.example",
            "https://",
            "://app.example",
            "https://app.example/",
            "https://app.example/path",
            "https://user@app.example",
            "https://app.example https://b.example",
            "1http://a",
        ] {
            assert_eq!(Origin::parse(text).unwrap_err().code(), "bad-origin");
        }
    }
}
