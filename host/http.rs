//! HTTP: plugins under `/api/ext/{name}/`, the messages that they publish at
//! `/api/broadcast`, the operators' API beside them.
//!
//! axum is named here alone. It cannot remove routes, so plugins stand behind
//! one catch-all, and each generation brings a table of its own.

mod access;
mod admin;
mod audit;
mod body;
mod broadcast;
mod data;
mod direct;
mod dispatch;
mod events;
mod guard;
mod logs;
mod metrics;
mod path;
mod problem;
mod request_id;
mod request_line;
mod scoped;
mod serve;
mod webhooks;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::routing::any;

use crate::auth::AnyAuthenticator;
use crate::config::BroadcastSettings;
use crate::metrics::RefusedRequests;
use crate::registry::Registry;
use crate::services::broadcast::Broadcast;
use crate::services::events::Events;

pub use admin::Admin;
pub(crate) use data::Data;
pub(crate) use direct::{AnswerBody, Direct};
pub use problem::Problem;
pub use serve::{ServeOptions, serve};

/// What a request to a plugin meets first.
#[derive(Debug)]
pub struct Front {
    /// The plugins.
    pub registry: Arc<Registry>,
    /// The events, which clients may send to plugins.
    pub events: Arc<Events>,
    /// The messages to connected clients.
    pub broadcast: Arc<Broadcast>,
    /// Who may listen to them, and from where.
    pub listening: Arc<ArcSwap<BroadcastSettings>>,
    /// Who finds out who asks.
    pub authenticator: AnyAuthenticator,
    /// Only loopback names are served.
    pub development: bool,
    /// Counts what no plugin was asked to answer.
    pub refused: Arc<RefusedRequests>,
}

/// The routes of all plugins, and of those who listen to their messages.
pub fn plugin_router(front: Front) -> axum::Router {
    let development = front.development;
    let front = Arc::new(front);
    let router = axum::Router::new()
        .route("/api/ext/{*rest}", any(dispatch::dispatch))
        .with_state(front.clone())
        .merge(broadcast::router(front));
    guard::apply(router, development)
}

/// What operators use.
pub fn admin_router(admin: Admin, development: bool) -> axum::Router {
    guard::apply(admin::router(admin), development)
}
