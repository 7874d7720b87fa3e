//! What operators see of a host and of its plugins.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::inspect::Meta;
use crate::services::db::DatabaseStatus;
use crate::services::events::SubscriptionStatus;
use crate::services::metrics::{CLASSES, PluginMetrics, Rates};

/// What operators see of a host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// The plugins that serve, by name.
    pub plugins: Vec<PluginStatus>,
    /// The files that were refused, in the order of their refusal.
    pub refused: Vec<RefusedStatus>,
    /// The plugins that the operator does not want.
    pub disabled: Vec<DisabledStatus>,
    /// The plugins of which something is said and that were not found.
    pub missing: Vec<String>,
}

/// What operators see of a plugin.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PluginStatus {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is doing.
    pub state: State,
    /// Which load of it serves, counted from 1.
    pub generation: u64,
    /// Generations retired; their images stay mapped.
    pub retired: u64,
    /// Of those, the ones whose instance had to be leaked.
    pub abandoned: u64,
    /// Requests handed to this generation.
    pub requests: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Panics, overstays and misuse of this generation.
    pub faults: u64,
    /// What it has done over all generations.
    pub totals: Totals,
    /// What it does in a second, of late; nothing in the first seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// When this generation was made, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// The file it came from.
    pub file: PathBuf,
    /// The file's BLAKE3 hash.
    pub hash: String,
    /// Its database, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseStatus>,
    /// Its routes.
    pub routes: Vec<RouteStatus>,
    /// The events it hears.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// What it says of itself.
    pub meta: Meta,
}

/// What a plugin has done over all its generations, since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Responses to requests that were handed to it, whoever made them.
    pub responses: u64,
    /// Those of them with a status of 5xx.
    pub errors: u64,
    /// Panics, overstays and misuse.
    pub faults: u64,
}

impl Totals {
    /// What was counted so far.
    pub(super) fn of(metrics: &PluginMetrics) -> Self {
        let responses = metrics.responses();
        Totals {
            responses: responses.iter().sum(),
            errors: responses[CLASSES - 1],
            faults: metrics.faults.load(Ordering::Relaxed),
        }
    }
}

/// What a plugin is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It takes calls.
    Serving,
}

/// What operators see of a route.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteStatus {
    /// The method, or `*`.
    pub method: String,
    /// The pattern after the mount.
    pub pattern: String,
    /// Reachable without authentication.
    pub public: bool,
    /// Called on the thread that read the request.
    pub inline: bool,
}

impl From<&Arc<crate::services::routes::Route>> for RouteStatus {
    fn from(route: &Arc<crate::services::routes::Route>) -> Self {
        let method = route.method.as_ref();
        RouteStatus {
            method: method.map_or("*", |method| method.as_str()).to_owned(),
            pattern: route.pattern.clone(),
            public: route.public,
            inline: route.is_inline(),
        }
    }
}

/// What operators see of a refused file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusedStatus {
    /// The file.
    pub file: PathBuf,
    /// The stable code of the refusal.
    pub code: String,
    /// What differs, and what to do.
    pub message: String,
    /// Whether code of the file may have run before it was refused.
    pub code_ran: bool,
}

impl RefusedStatus {
    /// What operators see of a refusal.
    pub fn of(refusal: &Refusal) -> Self {
        RefusedStatus {
            file: refusal.file().to_owned(),
            code: refusal.code().to_owned(),
            message: refusal.message(),
            code_ran: refusal.code_ran(),
        }
    }
}

/// What operators see of a plugin that they do not want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DisabledStatus {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Where the operator says so.
    pub reason: String,
}
