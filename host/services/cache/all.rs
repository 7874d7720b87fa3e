//! The caches of all plugins of a host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::config::CacheLimits;
use crate::name::PluginName;
use crate::services::cache::Cache;

/// The caches of a host, one a plugin.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    of_plugin: Mutex<BTreeMap<PluginName, Arc<Cache>>>,
}

/// What is measured of one cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheStatus {
    pub(crate) plugin: String,
    /// What its entries cost.
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    /// Entries that had to go before their time to make room.
    pub(crate) evicted: u64,
}

impl Caches {
    /// The cache of a plugin, within `limits` from here on.
    pub(crate) fn of(&self, name: &PluginName, clock: &Clock, limits: CacheLimits) -> Arc<Cache> {
        let mut all = self
            .of_plugin
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let cache = all
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Cache::new(clock.clone(), limits)));
        cache.set_limits(limits);
        cache.clone()
    }

    /// What is measured of each.
    pub(crate) fn status(&self) -> Vec<CacheStatus> {
        let all = self
            .of_plugin
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let status = |(name, cache): (&PluginName, &Arc<Cache>)| {
            let memory = &cache.state().memory;
            CacheStatus {
                plugin: name.to_string(),
                bytes: memory.bytes() as u64,
                entries: memory.len() as u64,
                evicted: memory.evicted(),
            }
        };
        all.iter().map(status).collect()
    }
}
