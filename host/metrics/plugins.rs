//! The families of the plugins themselves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::instance::Generation;
use crate::metrics::families::Families;
use crate::name::PluginName;
use crate::registry::{Plugin, Registry};
use crate::services::metrics::PluginMetrics;

/// Names of the classes of status.
const CLASSES: [&str; crate::services::metrics::CLASSES] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Writes them.
pub(super) fn write(registry: &Registry, families: &mut Families<'_>) -> fmt::Result {
    states(registry, families)?;
    let plugins = Plugins {
        all: registry.all(),
    };
    plugins.lives(families)?;
    plugins.requests(families)?;
    plugins.work(families)?;
    plugins.events(families)
}

fn states(registry: &Registry, families: &mut Families<'_>) -> fmt::Result {
    let status = registry.status();
    let states = [
        ("serving", status.plugins.len()),
        ("refused", status.refused.len()),
        ("disabled", status.disabled.len()),
    ];
    families.gauges(
        "exthost_plugins",
        "Plugins by state: serving, refused (files that were), disabled by the operator.",
        states.map(|(state, count)| ([("state", state)], count as u64)),
    )
}

/// The plugins that were ever loaded.
struct Plugins {
    all: Vec<(PluginName, Arc<Plugin>)>,
}

impl Plugins {
    fn lives(&self, families: &mut Families<'_>) -> fmt::Result {
        families.gauges(
            "exthost_plugin_generation",
            "Which load of the plugin serves, counted from 1.",
            self.serving(|generation| generation.context().generation),
        )?;
        families.counters(
            "exthost_plugin_retired",
            "Generations that have ended; their images stay mapped.",
            self.each(|plugin| plugin.ended().0),
        )?;
        families.counters(
            "exthost_plugin_abandoned",
            "Generations that have ended while something still ran in them, so that their instance \
             was leaked.",
            self.each(|plugin| plugin.ended().1),
        )?;
        families.counters(
            "exthost_faults",
            "Panics, overstays and misuse of the plugin.",
            self.counted(|metrics| &metrics.faults),
        )
    }

    fn requests(&self, families: &mut Families<'_>) -> fmt::Result {
        let by_class = self.all.iter().flat_map(|(name, plugin)| {
            let responses = plugin.metrics().responses();
            let labels = |class| [("plugin", name.as_str()), ("status", class)];
            let classes = CLASSES.into_iter().zip(responses);
            classes.map(move |(class, count)| (labels(class), count))
        });
        families.counters(
            "exthost_requests",
            "Responses to requests that were handed to the plugin, by the class of their status. One \
             whose client left before is in none.",
            by_class,
        )?;
        let latencies = self.all.iter().map(|(name, plugin)| {
            let latency = &plugin.metrics().latency;
            ([("plugin", name.as_str())], latency)
        });
        families.seconds(
            "exthost_request_duration",
            "Time from handing a request to the plugin to the head of the response.",
            latencies,
        )?;
        families.gauges(
            "exthost_requests_in_flight",
            "Requests that the plugin has not finished, streamed responses with them.",
            self.serving(|generation| generation.context().calls.in_flight()),
        )
    }

    fn work(&self, families: &mut Families<'_>) -> fmt::Result {
        families.gauges(
            "exthost_pool_running",
            "Blocking threads that run code of the plugin.",
            self.serving(|generation| generation.services.pool.running() as u64),
        )?;
        families.gauges(
            "exthost_pool_queued",
            "Calls that wait for a blocking thread.",
            self.serving(|generation| generation.services.pool.queued() as u64),
        )?;
        families.gauges(
            "exthost_tasks",
            "Tasks, timers, blocking calls and operations of the plugin that have not ended.",
            self.serving(|generation| generation.context().work.in_flight()),
        )
    }

    fn events(&self, families: &mut Families<'_>) -> fmt::Result {
        let queued = |generation: &Generation| {
            let subscriptions = generation.services.mailbox.status();
            let queued = subscriptions.iter().map(|it| it.queued as u64);
            queued.sum()
        };
        families.gauges(
            "exthost_events_queued",
            "Events that wait for observers of the plugin.",
            self.serving(queued),
        )?;
        families.counters(
            "exthost_events_delivered",
            "Events that were handed to observers of the plugin.",
            self.counted(|metrics| &metrics.events_delivered),
        )?;
        families.counters(
            "exthost_events_dropped",
            "Events that found the queue of an observer full, and are lost to it.",
            self.counted(|metrics| &metrics.events_dropped),
        )
    }

    /// A sample of each plugin.
    fn each(
        &self,
        value: impl Fn(&Plugin) -> u64,
    ) -> impl Iterator<Item = ([(&'static str, &str); 1], u64)> {
        let all = self.all.iter();
        all.map(move |(name, plugin)| ([("plugin", name.as_str())], value(plugin)))
    }

    /// A sample of each plugin that serves.
    fn serving(
        &self,
        value: impl Fn(&Generation) -> u64,
    ) -> impl Iterator<Item = ([(&'static str, &str); 1], u64)> {
        self.all.iter().filter_map(move |(name, plugin)| {
            let generation = plugin.current()?;
            Some(([("plugin", name.as_str())], value(&generation)))
        })
    }

    /// A sample of each plugin from a counter.
    fn counted(
        &self,
        counter: impl Fn(&PluginMetrics) -> &AtomicU64,
    ) -> impl Iterator<Item = ([(&'static str, &str); 1], u64)> {
        self.each(move |plugin| counter(plugin.metrics()).load(Ordering::Relaxed))
    }
}
