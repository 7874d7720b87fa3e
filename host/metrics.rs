//! What is measured of a host, as OpenMetrics: `GET /metrics`.
//!
//! Nothing is counted here. Whoever does a thing counts it, in atomics of its
//! own, and they are read when somebody asks.

mod families;
mod plugins;
mod refused;
mod sampler;
mod services;

use std::fmt;
use std::sync::Arc;

use exthost_abi::API_VERSION;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};

use crate::registry::Registry;
use crate::services::audit::Audit;
use crate::services::broadcast::Broadcast;
use crate::services::cache::Caches;
use crate::services::db::Databases;
use crate::services::webhooks::Webhooks;
use families::Families;

pub(crate) use refused::RefusedRequests;
pub(crate) use sampler::sample;

/// All that is measured of one host.
#[derive(Debug, Clone)]
pub struct Exposition {
    pub(crate) registry: Arc<Registry>,
    pub(crate) databases: Arc<Databases>,
    pub(crate) caches: Arc<Caches>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) broadcast: Arc<Broadcast>,
    pub(crate) refused: Arc<RefusedRequests>,
}

impl Exposition {
    /// What is measured, as OpenMetrics text.
    ///
    /// # Threading
    /// Blocks on the disk.
    ///
    /// # Errors
    /// Only those of a text that cannot be written.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }

    fn build(&self, families: &mut Families<'_>) -> fmt::Result {
        let api = API_VERSION;
        let api = format!("{}.{}.{}", api.major, api.minor, api.patch);
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("api", &api)];
        families.info(
            "exthost_build",
            "The version of this host, and of the API that it offers to plugins.",
            &labels,
        )
    }

    fn refusals(&self, families: &mut Families<'_>) -> fmt::Result {
        let counts = self.refused.counts();
        families.counters(
            "exthost_refused_requests",
            "Requests that the host has answered itself, without asking the plugin, by the code of \
             the answer.",
            counts
                .iter()
                .map(|(code, count)| ([("code", &**code)], *count)),
        )
    }
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families::new(encoder);
        self.build(&mut families)?;
        plugins::write(&self.registry, &mut families)?;
        self.refusals(&mut families)?;
        services::databases(&self.databases.status(), &mut families)?;
        services::caches(&self.caches.status(), &mut families)?;
        services::audit(self.audit.status(), &mut families)?;
        services::webhooks(&self.webhooks, &mut families)?;
        services::broadcast(&self.broadcast.status(), &mut families)
    }
}
