//! The limits a plugin lives under, with their defaults in one place.

mod cache;
mod config;
mod db;
mod kv;

use std::time::Duration;

pub use cache::CacheLimits;
pub use config::{CacheLimitsConfig, DbLimitsConfig, KvLimitsConfig, LimitsConfig};
pub use db::DbLimits;
pub use kv::KvLimits;

/// What one plugin may use, and how long the host waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest request body of a route that sets none.
    pub body_bytes_max: u64,
    /// Time to the response head of a route that sets none.
    pub handler_deadline: Duration,
    /// Longest pause in a streamed body of a route that sets none.
    pub idle_timeout: Duration,
    /// Time for each of dlopen, `init` and `start`.
    pub init_deadline: Duration,
    /// Time for a replaced generation to finish its calls, `stop` and tasks.
    pub drain_timeout: Duration,
    /// Plain `fn` handlers and blocking tasks that run at a time.
    pub pool_threads_max: usize,
    /// Those that may wait for a thread.
    pub pool_queue_max: usize,
    /// Tasks and timers alive at a time.
    pub tasks_max: usize,
    /// Routes of one plugin.
    pub routes_max: usize,
    /// Subscriptions alive at a time.
    pub subscriptions_max: usize,
    /// Events that may wait for a subscription that sets no limit.
    pub events_queued_max: usize,
    /// Bytes of payloads that may wait for all of them.
    pub events_bytes_max: usize,
    /// Time for an observer that answers, and sets none, to do so.
    pub observer_deadline: Duration,
    /// Its database.
    pub db: DbLimits,
    /// Its durable keys and values.
    pub kv: KvLimits,
    /// Its cache.
    pub cache: CacheLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes_max: 2 * 1024 * 1024,
            handler_deadline: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            init_deadline: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(60),
            pool_threads_max: 16,
            pool_queue_max: 1024,
            tasks_max: 100_000,
            routes_max: 10_000,
            subscriptions_max: 10_000,
            events_queued_max: 1024,
            events_bytes_max: 64 * 1024 * 1024,
            observer_deadline: Duration::from_secs(5),
            db: DbLimits::default(),
            kv: KvLimits::default(),
            cache: CacheLimits::default(),
        }
    }
}
