//! Why webhooks cannot start.

use std::io;
use std::path::PathBuf;

use crate::config::EndpointError;
use crate::services::webhooks::address::AddressError;

/// Why webhooks cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhooksError {
    /// An endpoint has a bad value.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An endpoint has no URL.
    #[error("an endpoint has no URL; give one as in https://hooks.example.com/notes")]
    NoUrl,
    /// The URL of an endpoint is a special address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A message cannot be sent.
    #[error("{why}")]
    Message {
        /// What is wrong with it.
        why: String,
    },
    /// Two endpoints have one name.
    #[error("two endpoints are named {name}; give one of them another `name`")]
    SameName {
        /// The name.
        name: String,
    },
    /// The client of an endpoint cannot be made.
    #[error(
        "the endpoint {endpoint} cannot be reached over TLS: {why}; install the system's \
         certificates (ca-certificates)"
    )]
    Client {
        /// The endpoint.
        endpoint: String,
        /// What TLS said.
        why: String,
    },
    /// The data directory cannot be made.
    #[error("{} cannot be made: {source}; make it writable or name another", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of messages cannot be used.
    #[error("{} cannot be used: {why}; restore it, or move it away to begin anew", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// The file of messages is of a later host.
    #[error(
        "{} has schema {found} and this host knows {known}; upgrade the host",
        .path.display()
    )]
    SchemaNewer {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The latest schema of this host.
        known: i64,
    },
}

impl WebhooksError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Endpoint(error) => error.code(),
            Self::NoUrl => "bad-url",
            Self::Address(AddressError::Refused { .. }) => "address-refused",
            Self::Address(AddressError::None { .. }) => "no-address",
            Self::Message { .. } => "bad-message",
            Self::SameName { .. } => "same-endpoint-name",
            Self::Client { .. } => "no-tls",
            Self::Directory { .. } => "data-directory",
            Self::File { .. } => "webhooks-file",
            Self::SchemaNewer { .. } => "schema-newer",
        }
    }
}
