//! What operators use: status, reload, health.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use http::StatusCode;
use serde_json::json;

use crate::auth::{AnyAuthenticator, MANAGE, READ};
use crate::http::problem::Problem;
use crate::http::scoped::{Operator, ScopedRoutes};
use crate::http::{Data, audit, data, events, logs, metrics, webhooks};
use crate::metrics::Exposition;
use crate::registry::{HostStatus, Registry};
use crate::services::audit::Audit;
use crate::services::broadcast::{Broadcast, BroadcastStatus};
use crate::services::events::Events;
use crate::services::webhooks::Webhooks;

/// What the operators' API needs of the host.
pub struct Admin {
    /// The plugins.
    pub registry: Arc<Registry>,
    /// Whether all plugins have started and no shutdown has begun.
    pub is_ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// Loads the file of a plugin again.
    pub reload: Reload,
    /// The events.
    pub events: Arc<Events>,
    /// The messages to the endpoints.
    pub webhooks: Arc<Webhooks>,
    /// Who did what.
    pub(crate) audit: Arc<Audit>,
    /// The messages to connected clients.
    pub broadcast: Arc<Broadcast>,
    /// The data of plugins.
    pub(crate) data: Arc<Data>,
    /// What is measured.
    pub metrics: Arc<Exposition>,
    /// Who finds out who asks.
    pub authenticator: AnyAuthenticator,
}

/// Loads the file of the named plugin again.
pub(super) type Reload =
    Box<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>> + Send + Sync>;

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

pub(super) fn router(admin: Admin) -> axum::Router {
    let admin = Arc::new(admin);
    let routes = ScopedRoutes::new(admin.authenticator.clone());
    let routes = status_routes(routes, &admin);
    let routes = events::routes(routes, &admin.events);
    let routes = logs::routes(routes);
    let routes = data::routes(routes, &admin.data);
    let routes = metrics::routes(routes, &admin.metrics);
    let routes = webhooks::routes(routes, &admin.webhooks);
    let routes = audit::routes(routes, &admin.audit);
    // Whoever watches over the process has no token.
    axum::Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(admin)
        .merge(routes.into_router())
}

fn status_routes(routes: ScopedRoutes, admin: &Arc<Admin>) -> ScopedRoutes {
    let plugins = get(plugins).with_state(admin.clone());
    let reload = post(reload).with_state(admin.clone());
    let broadcast = get(broadcast).with_state(admin.clone());
    routes
        .route(READ, "/api/host/plugins", plugins)
        .route(MANAGE, "/api/host/plugins/{name}/reload", reload)
        .route(READ, "/api/host/broadcast", broadcast)
}

async fn plugins(State(admin): State<Arc<Admin>>) -> Json<HostStatus> {
    Json(admin.registry.status())
}

async fn broadcast(State(admin): State<Arc<Admin>>) -> Json<BroadcastStatus> {
    Json(admin.broadcast.status())
}

/// Answers the plugin's new status.
async fn reload(
    State(admin): State<Arc<Admin>>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> Response {
    let reloaded = (admin.reload)(name.clone()).await;
    let detail = match &reloaded {
        Ok(()) => json!({ "ok": true }),
        Err(problem) => json!({ "ok": false, "code": problem.code() }),
    };
    let Operator { actor, request_id } = &operator;
    let target = ("plugin", &*name);
    let recorded = admin
        .audit
        .operator(actor, request_id, "host.plugin.reloaded", target, detail);
    recorded.await;
    if let Err(problem) = reloaded {
        return problem.into_response();
    }
    let plugins = admin.registry.status().plugins;
    match plugins.into_iter().find(|plugin| plugin.name == name) {
        Some(plugin) => Json(plugin).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    match (admin.is_ready)() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
