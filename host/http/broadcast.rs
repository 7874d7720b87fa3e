//! `/api/broadcast`: published messages for connected clients, as server-sent
//! events and over WebSockets.

mod events;
mod frame;
mod listener;
mod origin;
mod query;
mod socket;

use std::future::Future;
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
use http::{HeaderName, HeaderValue, StatusCode};

use crate::http::problem::Problem;
use crate::http::{Front, access, request_id};
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

async fn events(State(front): State<Arc<Front>>, mut parts: Parts) -> Response {
    let asked = Asked::of(&front, &parts);
    let response = async {
        let (client, _) = connect(&front, &mut parts).await?;
        let headers = [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-store"),
            (ACCEL_BUFFERING, "no"),
        ];
        let stream = EventStream::new(client, front.listening.load().keep_alive);
        Ok((headers, Body::new(stream)).into_response())
    };
    asked.answer(response).await
}

async fn socket(
    State(front): State<Arc<Front>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    mut parts: Parts,
) -> Response {
    let asked = Asked::of(&front, &parts);
    let response = async {
        let (client, listener) = connect(&front, &mut parts).await?;
        let upgrade = upgrade.map_err(|rejection| {
            let detail = format!("{}; connect with a WebSocket", rejection.body_text());
            Problem::new(rejection.status(), "not-a-websocket", detail)
        })?;
        Ok(socket::upgrade(upgrade, client, listener, front.clone()))
    };
    asked.answer(response).await
}

async fn client_js(State(front): State<Arc<Front>>, parts: Parts) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    let response = async { Ok((headers, CLIENT_JS).into_response()) };
    Asked::of(&front, &parts).answer(response).await
}

async fn other_method(request: Request) -> Problem {
    let problem = Problem::method_not_allowed(request.method().as_str(), "GET, HEAD");
    problem.with_request_id(&request_id::of(request.headers()))
}

/// A request of a page that may ask, or may not.
struct Asked {
    request_id: String,
    /// The page's origin if that is elsewhere.
    judged: Result<Option<HeaderValue>, Problem>,
}

impl Asked {
    fn of(front: &Front, parts: &Parts) -> Self {
        Asked {
            request_id: request_id::of(&parts.headers),
            judged: origin::judge(parts, &front.listening.load()),
        }
    }

    /// Answers a page that may ask.
    async fn answer(self, response: impl Future<Output = Result<Response, Problem>>) -> Response {
        let answered = match self.judged {
            Ok(elsewhere) => response.await.map(|mut response| {
                origin::share(elsewhere, response.headers_mut());
                response
            }),
            Err(problem) => Err(problem),
        };
        match answered {
            Ok(mut response) => {
                request_id::tell(response.headers_mut(), &self.request_id);
                response
            }
            Err(problem) => problem.with_request_id(&self.request_id).into_response(),
        }
    }
}

/// Connects whoever may listen to what they ask for.
async fn connect(front: &Front, parts: &mut Parts) -> Result<(Client, Listener), Problem> {
    let query = Query::read(parts)?;
    let adopted = query::adopt_token(parts);
    adopted.map_err(|error| access::refusal(&front.authenticator, parts, error))?;
    let listener = Listener::of(front, parts).await?;
    let allowed = listener.check(&query.patterns);
    allowed.map_err(|denied| access::unauthenticated(&front.authenticator, denied.to_string()))?;
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
