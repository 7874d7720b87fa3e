//! `GET /metrics`: what is measured, for Prometheus and its like.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::auth::METRICS;
use crate::http::problem::Problem;
use crate::http::scoped::ScopedRoutes;
use crate::metrics::Exposition;

/// The media type of OpenMetrics text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Adds the route over `metrics`.
pub(super) fn routes(routes: ScopedRoutes, metrics: &Arc<Exposition>) -> ScopedRoutes {
    let scrape = get(scrape).with_state(metrics.clone());
    routes.route(METRICS, "/metrics", scrape)
}

async fn scrape(State(metrics): State<Arc<Exposition>>) -> Response {
    // The disk is asked for the sizes of files, and for what webhooks wait.
    let text = tokio::task::spawn_blocking(move || metrics.text()).await;
    let text = text.map_err(|error| error.to_string());
    let text = text.and_then(|text| text.map_err(|error| error.to_string()));
    match text {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(error, "the metrics could not be written");
            let detail = "the metrics could not be written; the log has the reason";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}
