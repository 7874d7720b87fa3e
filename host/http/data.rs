//! The data of plugins for operators: what there is, backups, and their way back.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::{fmt, future::Future};

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use exthost_abi::Status;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::auth::{MANAGE, READ};
use crate::http::problem::Problem;
use crate::http::scoped::{Operator, ScopedRoutes};
use crate::name::PluginName;
use crate::registry::Registry;
use crate::services::audit::Audit;
use crate::services::audit::of_data::{BACKED_UP, REMOVED, RESTORED, VACUUMED};
use crate::services::db::{Databases, StoredError};
use crate::services::error::ServiceError;

/// What the routes over plugins' data need of the host.
pub(crate) struct Data {
    /// The databases.
    pub(crate) databases: Arc<Databases>,
    /// Which plugins serve.
    pub(crate) registry: Arc<Registry>,
    /// Removes the data of a plugin that does not serve.
    pub(crate) remove: Remove,
    /// Who did what.
    pub(crate) audit: Arc<Audit>,
}

/// Removes the data of a plugin that does not serve.
pub(crate) type Remove = Box<dyn Fn(PluginName) -> Removed + Send + Sync>;

type Removed = Pin<Box<dyn Future<Output = Result<(), StoredError>> + Send>>;

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").finish_non_exhaustive()
    }
}

impl Data {
    /// Does what an operator asks with the data of a plugin, where it may wait for the
    /// disk, and records it.
    async fn work<T: Serialize + Send + 'static>(
        &self,
        operator: &Operator,
        action: &str,
        name: PluginName,
        work: impl FnOnce(&Databases, &PluginName) -> Result<T, StoredError> + Send + 'static,
    ) -> Response {
        let (databases, plugin) = (self.databases.clone(), name.clone());
        let done = blocking(move || work(&databases, &plugin)).await;
        self.record(operator, action, &name, &done).await;
        answer(done)
    }

    /// Records what an operator did to the data of a plugin, and what came of it.
    async fn record<T: Serialize>(
        &self,
        operator: &Operator,
        action: &str,
        plugin: &PluginName,
        outcome: &Result<T, StoredError>,
    ) {
        let who = (&operator.actor, &*operator.request_id);
        self.audit.of_data(who, action, plugin, outcome).await;
    }
}

/// Adds the routes over `data`.
pub(super) fn routes(routes: ScopedRoutes, data: &Arc<Data>) -> ScopedRoutes {
    let path = |verb: &str| format!("/api/host/data/{{name}}/{verb}");
    routes
        .route(READ, "/api/host/data", get(list).with_state(data.clone()))
        .route(READ, &path("slow"), get(slow).with_state(data.clone()))
        .route(
            MANAGE,
            &path("backup"),
            post(back_up).with_state(data.clone()),
        )
        .route(
            MANAGE,
            &path("restore"),
            post(restore).with_state(data.clone()),
        )
        .route(
            MANAGE,
            &path("vacuum"),
            post(vacuum).with_state(data.clone()),
        )
        .route(
            MANAGE,
            &path("remove"),
            post(remove).with_state(data.clone()),
        )
}

/// Which backup is to be restored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    file: PathBuf,
}

async fn list(State(data): State<Arc<Data>>) -> Response {
    let listed = blocking(move || {
        let serves = |name: &PluginName| data.registry.serving(name.as_ref()).is_some();
        let stored = data.databases.list(serves)?;
        // Whoever has a directory at hand can tell whether it is this one.
        let directory = data.databases.data();
        let directory = directory.canonicalize().unwrap_or(directory.to_owned());
        Ok(json!({ "directory": directory, "data": stored }))
    });
    answer(listed.await)
}

async fn slow(
    State(data): State<Arc<Data>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let slow = data.databases.slow(&named(&name)?);
    Ok(Json(json!({ "slow": slow })).into_response())
}

/// Among the plugin's backups: a token may not make the host write elsewhere.
async fn back_up(
    State(data): State<Arc<Data>>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = named(&name)?;
    let work = |databases: &Databases, name: &_| databases.back_up(name, None, false);
    Ok(data.work(&operator, BACKED_UP, name, work).await)
}

async fn restore(
    State(data): State<Arc<Data>>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
    source: Result<Json<Source>, JsonRejection>,
) -> Result<Response, Problem> {
    let (name, source) = (named(&name)?, sent(source, "{\"file\": ...}")?);
    let work = move |databases: &Databases, name: &_| databases.restore(name, &source.file);
    Ok(data.work(&operator, RESTORED, name, work).await)
}

async fn vacuum(
    State(data): State<Arc<Data>>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = named(&name)?;
    let work = |databases: &Databases, name: &_| databases.vacuum(name);
    Ok(data.work(&operator, VACUUMED, name, work).await)
}

async fn remove(
    State(data): State<Arc<Data>>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = named(&name)?;
    let removed = (data.remove)(name.clone()).await;
    let removed = removed.map(|()| json!({ "removed": name }));
    data.record(&operator, REMOVED, &name, &removed).await;
    Ok(answer(removed))
}

fn named(name: &str) -> Result<PluginName, Problem> {
    PluginName::parse(name)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "invalid", error.to_string()))
}

fn sent<T>(body: Result<Json<T>, JsonRejection>, form: &str) -> Result<T, Problem> {
    body.map(|Json(body)| body).map_err(|rejection| {
        let detail = format!("{}; send {form} as application/json", rejection.body_text());
        Problem::new(rejection.status(), "invalid", detail)
    })
}

/// Runs what waits for the disk where it may; it goes on to its end when nobody
/// waits for it any more.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoredError> + Send + 'static,
) -> Result<T, StoredError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Operators see the reason, whoever is at fault.
fn answer(result: Result<impl Serialize, StoredError>) -> Response {
    let error = match result {
        Ok(value) => return Json(value).into_response(),
        Err(error) => error,
    };
    match error.status() {
        Status::INTERNAL => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, error.code(), error.to_string()).into_response()
        }
        status => {
            let error = ServiceError::new(status, error.code(), error.to_string());
            Problem::of_handler(&error).into_response()
        }
    }
}
