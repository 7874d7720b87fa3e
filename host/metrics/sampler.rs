//! Reads the counters of all plugins now and then, for the rates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::registry::Registry;

/// Time between two samples.
const PERIOD: Duration = Duration::from_secs(5);

/// Samples the plugins of `registry` for as long as there is one, on the current
/// runtime.
///
/// # Panics
/// Outside a tokio runtime.
pub(crate) fn sample(registry: &Arc<Registry>) {
    let registry = Arc::downgrade(registry);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is now, and so is the begin of each plugin's history.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let Some(registry) = registry.upgrade() else {
                return;
            };
            let now = Instant::now();
            for (_, plugin) in registry.all() {
                plugin.sample(now);
            }
        }
    });
}
