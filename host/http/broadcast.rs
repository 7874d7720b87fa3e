//! `/api/broadcast`: published messages for connected clients, as server-sent
//! events and over WebSockets.

mod events;
mod frame;
mod listener;
mod origin;
mod query;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, StatusCode};

use crate::http::problem::Problem;
use crate::http::{Front, request_id};
use crate::services::broadcast::{Client, ListenError};
use events::EventStream;
use listener::Listener;
use query::Query;

/// The client for web pages, an ES module.
const CLIENT_JS: &str = include_str!("broadcast/client.js");

/// Keeps proxies from holding events back.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The routes of clients.
pub(super) fn router(front: Arc<Front>) -> Router {
    Router::new()
        .route("/api/broadcast", get(events).fallback(other_method))
        .route("/api/broadcast/ws", get(socket).fallback(other_method))
        .route(
            "/api/broadcast/client.js",
            get(client_js).fallback(other_method),
        )
        .with_state(front)
}

async fn events(State(front): State<Arc<Front>>, parts: Parts) -> Response {
    answer(&front, &parts, || {
        let (client, _) = connect(&front, &parts)?;
        let headers = [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-store"),
            (ACCEL_BUFFERING, "no"),
        ];
        let stream = EventStream::new(client, front.listening.keep_alive);
        Ok((headers, Body::new(stream)).into_response())
    })
}

async fn socket(
    State(front): State<Arc<Front>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parts: Parts,
) -> Response {
    answer(&front, &parts, || {
        let (client, listener) = connect(&front, &parts)?;
        let upgrade = upgrade.map_err(|rejection| {
            let detail = format!("{}; connect with a WebSocket", rejection.body_text());
            Problem::new(rejection.status(), "not-a-websocket", detail)
        })?;
        Ok(socket::upgrade(upgrade, client, listener, front.clone()))
    })
}

async fn client_js(State(front): State<Arc<Front>>, parts: Parts) -> Response {
    answer(&front, &parts, || {
        let headers = [
            (CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (CACHE_CONTROL, "no-cache"),
        ];
        Ok((headers, CLIENT_JS).into_response())
    })
}

async fn other_method(request: Request) -> Problem {
    let problem = Problem::method_not_allowed(request.method().as_str(), "GET, HEAD");
    problem.with_request_id(&request_id::of(request.headers()))
}

/// Answers a page that may ask.
fn answer(
    front: &Front,
    parts: &Parts,
    respond: impl FnOnce() -> Result<Response, Problem>,
) -> Response {
    let request_id = request_id::of(&parts.headers);
    let answered = origin::judge(parts, &front.listening).and_then(|elsewhere| {
        let mut response = respond()?;
        origin::share(elsewhere, response.headers_mut());
        Ok(response)
    });
    match answered {
        Ok(mut response) => {
            request_id::tell(response.headers_mut(), &request_id);
            response
        }
        Err(problem) => problem.with_request_id(&request_id).into_response(),
    }
}

/// Connects whoever may listen to what they ask for.
fn connect(front: &Front, parts: &Parts) -> Result<(Client, Listener), Problem> {
    let query = Query::read(parts)?;
    let listener = Listener::of(front, &parts.headers)?;
    if let Err(denied) = listener.check(&query.patterns) {
        let detail = denied.to_string();
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            denied.code(),
            detail,
        ));
    }
    let since = query.since.as_deref();
    let client = front.broadcast.connect(query.patterns, since);
    Ok((client.map_err(|error| problem(&error))?, listener))
}

fn problem(error: &ListenError) -> Problem {
    let status = match error {
        ListenError::Pattern(_) | ListenError::Patterns { .. } => StatusCode::BAD_REQUEST,
        ListenError::Clients { .. } | ListenError::Closed => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, error.code(), error.to_string())
}
