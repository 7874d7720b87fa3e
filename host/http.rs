//! HTTP: plugins under `/api/ext/{name}/`, the operators' API beside them.
//!
//! axum is named here alone. It cannot remove routes, so plugins stand behind
//! one catch-all, and each generation brings a table of its own.

mod actor;
mod admin;
mod body;
mod dispatch;
mod guard;
mod path;
mod problem;
mod request_id;
mod serve;
mod webhooks;

use std::sync::Arc;

use axum::routing::any;

use crate::registry::Registry;

pub use admin::Admin;
pub use problem::Problem;
pub use serve::{ServeOptions, serve};

/// What a request to a plugin meets first.
#[derive(Debug)]
pub struct Front {
    /// The plugins.
    pub registry: Arc<Registry>,
    /// Loopback without authentication: the developer is the actor.
    pub development: bool,
}

/// The routes of all plugins.
pub fn plugin_router(front: Front) -> axum::Router {
    let development = front.development;
    let router = axum::Router::new()
        .route("/api/ext/{*rest}", any(dispatch::dispatch))
        .with_state(Arc::new(front));
    guard::apply(router, development)
}

/// What operators use.
pub fn admin_router(admin: Admin, development: bool) -> axum::Router {
    guard::apply(admin::router(admin), development)
}
