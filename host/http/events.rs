//! Events for operators: ask the filters of one, send one to a plugin.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, extract::DefaultBodyLimit};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::auth::{DISPATCH, EVENTS};
use crate::http::problem::Problem;
use crate::http::scoped::ScopedRoutes;
use crate::services::error::ServiceError;
use crate::services::events::{Decision, Emitter, Events, Message, Policy, Sent};

/// Adds the routes over `events`.
pub(super) fn routes(routes: ScopedRoutes, events: &Arc<Events>) -> ScopedRoutes {
    let limit = DefaultBodyLimit::max(BODY_BYTES_MAX);
    let request = post(request).layer(limit).with_state(events.clone());
    let dispatch = post(dispatch).layer(limit).with_state(events.clone());
    routes
        .route(EVENTS, "/api/host/events/{name}", request)
        .route(DISPATCH, "/api/host/dispatch", dispatch)
}

/// Largest body: the largest payload, and room for what is around it.
const BODY_BYTES_MAX: usize = 1024 * 1024 + 4096;

/// One event for one plugin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dispatch {
    /// The plugin.
    plugin: String,
    /// The event's name.
    event: String,
    /// Its payload.
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl Dispatch {
    /// Sends it, and tells what became of it.
    pub(super) fn send(&self, events: &Events) -> Result<Dispatched<'_>, ServiceError> {
        let data = self.data.as_deref().map_or("null", RawValue::get);
        let message = Message::json(&self.event, data.as_bytes());
        let sent = events.emit_to(Emitter::default(), &self.plugin, &message)?;
        Ok(Dispatched {
            plugin: &self.plugin,
            ready: sent != Sent::Waits,
            subscriptions: match sent {
                Sent::Waits => None,
                Sent::Queued(count) => Some(count),
            },
        })
    }
}

/// What became of an event for one plugin.
#[derive(Debug, Serialize)]
pub(super) struct Dispatched<'a> {
    plugin: &'a str,
    /// Whether the plugin serves; else the event waits until it does.
    ready: bool,
    /// Subscriptions that it was queued for.
    subscriptions: Option<usize>,
}

/// Asks the filters, and answers what they made of it.
async fn request(
    State(events): State<Arc<Events>>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (name, body) = match (name, body) {
        (Ok(Path(name)), Ok(body)) => (name, body),
        (Err(rejection), _) => {
            return unreadable(rejection.status(), rejection.body_text()).into_response();
        }
        (_, Err(rejection)) => {
            return unreadable(rejection.status(), rejection.body_text()).into_response();
        }
    };
    let decided = async {
        let asked = RequestQuery::parse(query.as_deref().unwrap_or_default())?;
        let content_type = headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let message = message(&name, content_type, &body)?;
        let prepared = events.prepare(Emitter::default(), &message)?;
        events.decide(prepared, asked.policy, asked.deadline).await
    };
    match decided.await {
        Ok(decision) => Json(Decided::of(&decision)).into_response(),
        Err(error) => Problem::of_handler(&error).into_response(),
    }
}

/// The message of a body: JSON unless its content type says otherwise, as that
/// of a form does which `curl -d` claims to send.
fn message<'a>(
    name: &'a str,
    content_type: Option<&'a str>,
    body: &'a [u8],
) -> Result<Message<'a>, ServiceError> {
    let content_type = match content_type {
        None | Some("application/x-www-form-urlencoded") => "",
        Some(given) if is_json(given) => "",
        Some(given) => given,
    };
    let payload = match (content_type, body) {
        ("", b"") => b"null",
        (_, body) => body,
    };
    if content_type.is_empty()
        && let Err(error) = serde_json::from_slice::<&RawValue>(payload)
    {
        return Err(ServiceError::invalid(format!(
            "the payload is not JSON: {error}; send JSON, or another content-type"
        )));
    }
    Ok(Message {
        name,
        content_type,
        payload,
    })
}

/// Whether a media type is that of JSON, whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// How filters are to be asked.
#[derive(Debug, PartialEq, Eq)]
struct RequestQuery {
    policy: Policy,
    deadline: Option<Duration>,
}

impl RequestQuery {
    fn parse(text: &str) -> Result<Self, ServiceError> {
        let (mut policy, mut deadline) = (None, None);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("policy", "fail_open") => policy = Some(Policy::FailOpen),
                ("policy", "fail_closed") => policy = Some(Policy::FailClosed),
                ("deadline_ms", ms) => deadline = Some(milliseconds(ms)?),
                _ => {
                    return Err(ServiceError::invalid(format!(
                        "`{}` is none of policy=fail_open, policy=fail_closed, deadline_ms=5000",
                        pair.escape_debug()
                    )));
                }
            }
        }
        let policy = policy.ok_or_else(|| {
            ServiceError::invalid(
                "say what a filter that fails means: policy=fail_open passes it over, \
                 policy=fail_closed takes it for a veto",
            )
        })?;
        Ok(RequestQuery { policy, deadline })
    }
}

fn milliseconds(text: &str) -> Result<Duration, ServiceError> {
    text.parse().map(Duration::from_millis).map_err(|_| {
        ServiceError::invalid(format!(
            "`{}` is no number of milliseconds; give one, as in deadline_ms=5000",
            text.escape_debug()
        ))
    })
}

/// What filters made of an event.
#[derive(Debug, Serialize)]
struct Decided<'a> {
    name: &'a str,
    content_type: &'a str,
    payload: Payload<'a>,
    vetoed_by: Option<&'a str>,
    reason: Option<&'a str>,
}

/// A payload as it is, if that is JSON, else as text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

impl<'a> Decided<'a> {
    fn of(decision: &'a Decision) -> Self {
        let event = &decision.event;
        let veto = decision.veto.as_ref();
        Decided {
            name: &event.name,
            content_type: &event.content_type,
            payload: match serde_json::from_slice(&event.payload) {
                Ok(payload) if is_json(&event.content_type) => Payload::Json(payload),
                _ => Payload::Text(String::from_utf8_lossy(&event.payload)),
            },
            vetoed_by: veto.map(|veto| veto.by.as_str()),
            reason: veto.map(|veto| veto.reason.as_str()),
        }
    }
}

/// Sends an event to one plugin.
async fn dispatch(
    State(events): State<Arc<Events>>,
    dispatch: Result<Json<Dispatch>, JsonRejection>,
) -> Response {
    let dispatch = match dispatch {
        Ok(Json(dispatch)) => dispatch,
        Err(rejection) => {
            let detail = format!(
                "{}; send {{\"plugin\": ..., \"event\": ..., \"data\": ...}} as application/json",
                rejection.body_text()
            );
            return unreadable(rejection.status(), detail).into_response();
        }
    };
    match dispatch.send(&events) {
        Ok(sent) => (StatusCode::ACCEPTED, Json(sent)).into_response(),
        Err(error) => Problem::of_handler(&error).into_response(),
    }
}

/// The problem of a request that cannot be read, for which axum gives a status and
/// a text.
fn unreadable(status: StatusCode, text: String) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!(
                "the body has more than {BODY_BYTES_MAX} bytes; the payload of an event has 1 MiB at \
                 most"
            );
            Problem::new(status, "payload-too-large", detail)
        }
        // JSON of another shape is no less malformed than what is no JSON.
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(StatusCode::BAD_REQUEST, "invalid", text),
        status => Problem::new(status, "invalid", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let asked = RequestQuery::parse("policy=fail_open&deadline_ms=20").unwrap();
        assert_eq!(asked.policy, Policy::FailOpen);
        assert_eq!(asked.deadline, Some(Duration::from_millis(20)));
        for bad in ["", "policy=open", "policy=fail_open&deadline_ms=x", "x=1"] {
            assert!(RequestQuery::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn payloads_are_json_unless_they_say_otherwise() {
        let form = Some("application/x-www-form-urlencoded");
        for (content_type, body, expected) in [
            (form, "{\"a\": 1}", Some("")),
            (None, "", Some("")),
            (Some("application/json; charset=utf-8"), "1", Some("")),
            (Some("text/plain"), "words", Some("text/plain")),
            (form, "words", None),
        ] {
            let made = message("a", content_type, body.as_bytes());
            assert_eq!(made.ok().map(|made| made.content_type), expected, "{body}");
        }
    }
}
