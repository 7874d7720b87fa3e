//! How a host is made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use crate::config::Limits;
use crate::error::Refusal;
use crate::host::Host;
use crate::host::pipeline::Pipeline;
use crate::library::Loader;

/// How a [`Host`] is to be.
#[derive(Debug, Clone)]
pub struct HostBuilder {
    directories: Vec<PathBuf>,
    data: PathBuf,
    limits: Limits,
    options: BTreeMap<String, Map<String, Value>>,
    strict: bool,
    development: bool,
}

impl HostBuilder {
    pub(super) fn new() -> Self {
        HostBuilder {
            directories: Vec::new(),
            data: PathBuf::from("data"),
            limits: Limits::default(),
            options: BTreeMap::new(),
            strict: false,
            development: false,
        }
    }

    /// Adds a directory of plugins; earlier ones win a plugin's name.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directories.push(directory.into());
        self
    }

    /// Sets where data is kept; the default is `data`.
    pub fn data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets the limits of every plugin.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the options of one plugin.
    pub fn options(mut self, plugin: impl Into<String>, options: Map<String, Value>) -> Self {
        self.options.insert(plugin.into(), options);
        self
    }

    /// Makes any refusal fatal.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Serves whoever is on this machine as the developer, who may act as anybody
    /// with the header `x-exthost-actor`; refuses hosts and origins that are not
    /// loopback names. Never for a server that others can reach.
    pub fn development(mut self, development: bool) -> Self {
        self.development = development;
        self
    }

    /// Runs the pipeline over all directories. One refused plugin never stops
    /// the others, unless the host is strict.
    ///
    /// # Errors
    /// [`BuildError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn build(self) -> Result<Host, BuildError> {
        let loader = Loader::start(self.data.join("images"))
            .map_err(|source| BuildError::Loader { source })?;
        let pipeline = Pipeline::new(loader, self.limits, self.options);
        let refusals = pipeline.boot(&self.directories).await;
        let host = Host {
            pipeline: Arc::new(pipeline),
            development: self.development,
            ready: Arc::default(),
        };
        if self.strict && !refusals.is_empty() {
            host.shutdown(self.limits.drain_timeout).await;
            return Err(BuildError::Refused { refusals });
        }
        host.ready.store(true, Ordering::Release);
        Ok(host)
    }
}

/// Why a host could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The loader thread could not be started.
    #[error("cannot start the loader thread: {source}")]
    Loader {
        /// Why.
        source: std::io::Error,
    },
    /// The host is strict, and files were refused.
    #[error("{} of the plugins were refused, and the host is strict", .refusals.len())]
    Refused {
        /// The refusals, in the order of their stages.
        refusals: Vec<Refusal>,
    },
}
