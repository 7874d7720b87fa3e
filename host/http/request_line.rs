//! A line in the log for each request to a plugin, if it is asked for.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Method, StatusCode};
use tracing::Level;

use crate::services::actor::Actor;
use crate::services::context::PluginContext;
use crate::services::exchange::Exchange;

/// The target of these lines.
const TARGET: &str = "exthost::request";

/// What the line tells that is gone by the time it is written.
pub(super) struct RequestLine {
    method: Method,
    /// Without the query, which may hold what is no business of the log.
    path: String,
    request: String,
    actor: Arc<Actor>,
}

impl RequestLine {
    /// The line of a request that is about to be handed over; nothing if nobody
    /// asks for such lines.
    pub(super) fn begin(parts: &Parts, exchange: &Exchange) -> Option<Box<Self>> {
        tracing::enabled!(target: TARGET, Level::DEBUG).then(|| {
            Box::new(RequestLine {
                method: parts.method.clone(),
                path: parts.uri.path().to_owned(),
                request: exchange.request_id.clone(),
                actor: exchange.actor.clone(),
            })
        })
    }

    /// Writes it.
    pub(super) fn write(&self, context: &PluginContext, status: StatusCode, took: Duration) {
        let kind = format!("{:?}", self.actor.kind).to_ascii_lowercase();
        tracing::debug!(
            target: TARGET,
            plugin = %context.name,
            generation = context.generation,
            method = %self.method,
            path = self.path,
            status = status.as_u16(),
            ms = took.as_micros() as f64 / 1e3,
            request = self.request,
            actor = format_args!("{kind}:{}", self.actor.id),
            "answered"
        );
    }
}
