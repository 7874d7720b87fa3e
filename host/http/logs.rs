//! The log for operators: the latest lines, and lines of their own.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, RawQuery};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use exthost_abi::Status;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::auth::{MANAGE, READ};
use crate::http::problem::Problem;
use crate::http::scoped::ScopedRoutes;
use crate::name::PluginName;
use crate::services::error::ServiceError;
use crate::services::log::{
    FIELDS_MAX, KeptLine, KeptLines, Line, LineQuery, MESSAGE_BYTES_MAX, level_of,
};

/// The largest body of a line.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Adds the routes over the log of the process.
pub(super) fn routes(routes: ScopedRoutes) -> ScopedRoutes {
    let inject = post(inject).layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    routes
        .route(READ, "/api/host/logs", get(list))
        .route(MANAGE, "/api/host/logs", inject)
}

/// Lines, oldest first.
#[derive(Serialize)]
struct Lines {
    #[serde(serialize_with = "all")]
    lines: Vec<Arc<KeptLine>>,
    /// The number of the last line of all, to go on after.
    last: u64,
}

fn all<S: serde::Serializer>(lines: &[Arc<KeptLine>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(lines.iter().map(|line| &**line))
}

async fn list(RawQuery(query): RawQuery) -> Response {
    match line_query(query.as_deref().unwrap_or_default()) {
        Ok(query) => {
            let (lines, last) = KeptLines::of_process().find(&query);
            Json(Lines { lines, last }).into_response()
        }
        Err(error) => Problem::of_handler(&error).into_response(),
    }
}

fn line_query(text: &str) -> Result<LineQuery, ServiceError> {
    let mut query = LineQuery::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        query.set(name, value)?;
    }
    Ok(query)
}

/// A line that an operator writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Injected {
    level: String,
    message: String,
    #[serde(default)]
    fields: Map<String, Value>,
    plugin: Option<String>,
}

impl Injected {
    /// Writes and keeps it. Returns its number.
    fn write(self) -> Result<u64, ServiceError> {
        let level = level_of(&self.level)?;
        let plugin = self.plugin.as_deref().map(PluginName::parse).transpose();
        let plugin = plugin.map_err(|error| ServiceError::invalid(error.to_string()))?;
        if self.message.len() > MESSAGE_BYTES_MAX || self.fields.len() > FIELDS_MAX {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "line-too-large",
                format!(
                    "a line has {MESSAGE_BYTES_MAX} bytes and {FIELDS_MAX} fields at most, this one \
                     {} and {}",
                    self.message.len(),
                    self.fields.len()
                ),
            ));
        }
        let line = Line {
            plugin: plugin.as_ref(),
            generation: None,
            injected: true,
            request_id: None,
            level,
            message: &self.message,
            fields: self.fields,
        };
        line.write();
        Ok(line.keep())
    }
}

async fn inject(line: Result<Json<Injected>, JsonRejection>) -> Response {
    let line = match line {
        Ok(Json(line)) => line,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body of a line has {BODY_BYTES_MAX} bytes at most");
            return Problem::new(rejection.status(), "body-too-large", detail).into_response();
        }
        Err(rejection) => {
            let detail = format!(
                "{}; send {{\"level\": ..., \"message\": ...}} as application/json, and if you like \
                 `fields` and `plugin`",
                rejection.body_text()
            );
            return Problem::new(StatusCode::BAD_REQUEST, "invalid", detail).into_response();
        }
    };
    match line.write() {
        Ok(number) => Json(json!({ "number": number })).into_response(),
        Err(error) => Problem::of_handler(&error).into_response(),
    }
}
