//! The audit for operators: the newest records.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::auth::READ;
use crate::http::problem::Problem;
use crate::http::scoped::ScopedRoutes;
use crate::services::audit::{Audit, AuditQuery};
use crate::services::error::ServiceError;

/// Adds the route over `audit`.
pub(super) fn routes(routes: ScopedRoutes, audit: &Arc<Audit>) -> ScopedRoutes {
    let list = get(list).with_state(audit.clone());
    routes.route(READ, "/api/host/audit", list)
}

async fn list(State(audit): State<Arc<Audit>>, RawQuery(query): RawQuery) -> Response {
    let query = match audit_query(query.as_deref().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return Problem::of_handler(&error).into_response(),
    };
    match tokio::task::spawn_blocking(move || audit.list(&query)).await {
        Ok(Ok(listed)) => Json(listed).into_response(),
        Ok(Err(error)) => failed(error.code(), error.to_string()).into_response(),
        Err(_) => {
            let detail = "the audit did not answer; the log has the reason";
            failed("internal", detail.to_owned()).into_response()
        }
    }
}

/// Operators see the reason.
fn failed(code: &str, detail: String) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail)
}

fn audit_query(text: &str) -> Result<AuditQuery, ServiceError> {
    let mut query = AuditQuery::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        query.set(name, value)?;
    }
    Ok(query)
}
