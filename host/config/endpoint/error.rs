//! Why an endpoint is not one.

use crate::name::NameError;

/// Why an endpoint is not one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL cannot be used.
    #[error("the URL `{url}` {why}; give one as in https://hooks.example.com/notes")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The URL holds a user name or a password.
    #[error(
        "the URL of {host} holds a user name or a password, which the signature makes needless; \
         remove what stands before the `@`"
    )]
    UserInfo {
        /// The URL's host.
        host: String,
    },
    /// The name cannot be used.
    #[error(
        "`{}` is not the name of an endpoint; use 1 to 255 of a-z, A-Z, 0-9, `.`, `_`, `:`, `-`",
        .name.escape_debug()
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A pattern of event types cannot be used.
    #[error(
        "`{}` is not a pattern of event types; join tokens of a-z, A-Z, 0-9, `_`, `-` with dots, \
         `*` for one token and `>` at the end for the rest, as in `note.*`",
        .pattern.escape_debug()
    )]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// The list of events is empty.
    #[error(
        "the endpoint {endpoint} wants no events; leave `events` out for all, or switch it off \
         with `enabled = false`"
    )]
    NoEvents {
        /// The endpoint.
        endpoint: String,
    },
    /// The name of a plugin cannot be one.
    #[error(transparent)]
    Plugin {
        /// What is wrong with it.
        source: NameError,
    },
    /// A secret cannot be used.
    #[error(
        "a webhook secret {why}; it is `whsec_` and 24 to 64 bytes in base64, and `exthost \
         webhooks test URL` makes one"
    )]
    Secret {
        /// What is wrong with it, without its content.
        why: String,
    },
    /// There are no secrets, or more than two.
    #[error(
        "the endpoint {endpoint} has {count} secrets; give one as `secret`, or the new and the \
         old one as `secrets` during a rotation"
    )]
    Secrets {
        /// The endpoint.
        endpoint: String,
        /// How many it has.
        count: usize,
    },
    /// The rate cannot be used.
    #[error("the rate {rate} a second cannot be kept; give one from 0.001 to 1000000")]
    Rate {
        /// The rate.
        rate: f64,
    },
    /// A range of addresses cannot be used.
    #[error(
        "`{}` is not a range of addresses; give a prefix and its length with no bits set behind \
         it, or one address, as in `10.1.0.0/16`",
        .range.escape_debug()
    )]
    Range {
        /// The range.
        range: String,
    },
    /// The system gives no random bytes for a secret.
    #[error("the system gives no random bytes for a secret; make one elsewhere and pass it")]
    Random,
}

impl EndpointError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "bad-url",
            Self::UserInfo { .. } => "url-with-userinfo",
            Self::Name { .. } => "bad-endpoint-name",
            Self::Pattern { .. } => "bad-pattern",
            Self::NoEvents { .. } => "no-events",
            Self::Plugin { source } => source.code(),
            Self::Secret { .. } => "bad-secret",
            Self::Secrets { .. } => "secrets-count",
            Self::Rate { .. } => "bad-rate",
            Self::Range { .. } => "bad-range",
            Self::Random => "no-random",
        }
    }
}
