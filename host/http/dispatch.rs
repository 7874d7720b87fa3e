//! One request to a plugin: found, judged, handed over, answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use exthost_abi::Status;
use http::header::{ALLOW, CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body::Body as _;
use tokio::sync::oneshot::error::TryRecvError;

use crate::gate::CallPermit;
use crate::http::body::{ResponseStream, collect, limited, linger};
use crate::http::path::{PluginPath, decode};
use crate::http::problem::Problem;
use crate::http::request_line::RequestLine;
use crate::http::{Front, access, request_id};
use crate::instance::Generation;
use crate::services::context::Phase;
use crate::services::error::ServiceError;
use crate::services::exchange::{
    BodyError, Exchange, ExchangeGuard, Reply, ReplyBody, ReplyReceiver,
};
use crate::services::routes::{Found, Incoming, Route};
use crate::services::watchdog;

/// Answers a request under `/api/ext/`.
pub(super) async fn dispatch(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id::of(&parts.headers);
    let mut response = match answer(&front, parts, body, &request_id).await {
        Ok(response) => response,
        Err(problem) => {
            front.refused.add(problem.code());
            return problem.with_request_id(&request_id).into_response();
        }
    };
    request_id::tell(response.headers_mut(), &request_id);
    response
}

/// The answer of the plugin, or of the host in its place; the problem of a request
/// that no plugin was asked to answer.
async fn answer(
    front: &Front,
    mut parts: Parts,
    body: Body,
    request_id: &str,
) -> Result<Response, Problem> {
    // Before the plugin is entered, which could not end as long as this takes.
    let actor = access::actor_of(&front.authenticator, &mut parts).await?;
    let path = PluginPath::parse(parts.uri.path())?;
    let (generation, permit) = front.registry.enter(path.name).ok_or_else(|| {
        let detail = format!("no plugin named `{}` is serving", path.name);
        Problem::new(StatusCode::NOT_FOUND, "no-such-plugin", detail)
    })?;
    let (route, params) = match generation.routes.find(&parts.method, path.rest) {
        Found::Route(route, params) => (route.clone(), params),
        Found::Methods(routes) => return other_method(&parts.method, routes),
        Found::Nothing => {
            let detail = format!("{} has no route for {}", path.name, path.rest);
            return Err(Problem::new(StatusCode::NOT_FOUND, "no-such-route", detail));
        }
    };
    access::admit(&front.authenticator, &actor, route.public, &route.scopes)?;
    let params = params
        .into_iter()
        .map(|(name, raw)| Ok((name.to_owned(), decode(name, raw)?.into_owned())))
        .collect::<Result<Vec<_>, Problem>>()?;

    let (stream, collected) = body_of(&generation, &route, &parts, body).await?;
    let context = generation.context().clone();
    let (exchange, mut replies) = Exchange::open(
        context,
        route,
        request_id.to_owned(),
        Arc::new(actor),
        stream,
    );
    let guard = ExchangeGuard::new(exchange).map_err(|error| Problem::of_handler(&error))?;
    generation.requests.fetch_add(1, Ordering::Relaxed);
    let line = RequestLine::begin(&parts, guard.exchange());

    let call = Call {
        id: guard.id(),
        exchange: guard.exchange().clone(),
        rest_at: path.mount.len(),
        peer: access::peer(&parts),
        parts,
        params,
        body: collected,
    };
    call.run(&generation);
    let exchange = guard.exchange();
    let reply = wait(exchange, &mut replies).await;
    let status = reply.as_ref().map_or_else(Problem::status, |it| it.status);
    let took = exchange.elapsed();
    exchange.context.metrics.answered(status, took);
    if let Some(line) = line {
        line.write(&exchange.context, status, took);
    }
    let answered = finish(reply, guard, permit);
    Ok(answered.unwrap_or_else(|problem| problem.with_request_id(request_id).into_response()))
}

/// OPTIONS for a path that has other methods, or 405.
fn other_method(method: &Method, routes: &[Arc<Route>]) -> Result<Response, Problem> {
    let mut allow: Vec<&str> = routes
        .iter()
        .filter_map(|route| Some(route.method.as_ref()?.as_str()))
        .collect();
    if allow.contains(&"GET") {
        allow.push("HEAD");
    }
    allow.push("OPTIONS");
    allow.sort_unstable();
    allow.dedup();
    let allow = allow.join(", ");
    match (*method == Method::OPTIONS, HeaderValue::from_str(&allow)) {
        (true, Ok(value)) => Ok((StatusCode::NO_CONTENT, [(ALLOW, value)]).into_response()),
        _ => Err(Problem::method_not_allowed(method.as_str(), &allow)),
    }
}

/// The body, as a stream or collected, as the route wants it.
async fn body_of(
    generation: &Generation,
    route: &Route,
    parts: &Parts,
    body: Body,
) -> Result<(Option<crate::services::exchange::RequestBody>, Bytes), Problem> {
    let bytes_max = route.body_bytes_max;
    let announced = parts.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max) {
        // A client that asks first is not told to send it.
        if !parts.headers.contains_key(EXPECT) {
            linger(limited(body, bytes_max)).await;
        }
        return Err(body_problem(&BodyError::TooLarge { bytes_max }));
    }
    if route.stream_body {
        return Ok((Some(limited(body, bytes_max)), Bytes::new()));
    }
    if body.is_end_stream() {
        return Ok((None, Bytes::new()));
    }
    let collected = tokio::select! {
        collected = collect(limited(body, bytes_max), route.idle_timeout) => collected,
        () = tokio::time::sleep(route.deadline) => Err(BodyError::Slow {
            deadline_ms: route.deadline.as_millis(),
        }),
        () = generation.context().reached(Phase::Stopped) => {
            return Err(Problem::of_handler(&ServiceError::stopped()));
        }
    };
    collected
        .map(|bytes| (None, bytes))
        .map_err(|error| body_problem(&error))
}

fn body_problem(error: &BodyError) -> Problem {
    let (status, code) = match error {
        BodyError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "body-broken"),
        BodyError::Idle { .. } => (StatusCode::REQUEST_TIMEOUT, "body-idle"),
        BodyError::Slow { .. } => (StatusCode::REQUEST_TIMEOUT, "body-slow"),
    };
    Problem::new(status, code, error.to_string())
}

/// A request on its way to the handler, which may be on another thread.
struct Call {
    id: u64,
    exchange: Arc<Exchange>,
    parts: Parts,
    /// Where the mount ends in the path.
    rest_at: usize,
    params: Vec<(String, String)>,
    body: Bytes,
    peer: String,
}

impl Call {
    /// Calls the handler, here if the route is inline, else on the plugin's
    /// pool. The answer, also of a failure, comes through the exchange.
    fn run(self, generation: &Generation) {
        if self.exchange.route.is_inline() {
            watchdog::inline(self.id, || self.handle());
            return;
        }
        let exchange = self.exchange.clone();
        let Some(work) = generation.context().work.enter() else {
            return exchange.fail(ServiceError::stopped());
        };
        let waiting = exchange.clone();
        let queued = generation.services.pool.run(
            || {},
            async move { waiting.forsaken().await },
            move || {
                // It may have been answered for while it waited for a thread.
                if !self.exchange.is_forsaken() {
                    self.handle();
                }
                drop(work);
            },
        );
        if let Err(error) = queued {
            exchange.fail(error);
        }
    }

    fn handle(&self) {
        let path = self.parts.uri.path();
        let (mount, rest) = path.split_at(self.rest_at);
        let incoming = Incoming {
            id: self.id,
            exchange: &self.exchange,
            method: self.parts.method.as_str(),
            path: rest.strip_prefix('/').unwrap_or(rest),
            query: self.parts.uri.query().unwrap_or_default(),
            mount,
            params: &self.params,
            headers: &self.parts.headers,
            body: &self.body,
            peer: &self.peer,
            deadline: self.exchange.remaining(),
        };
        if let Err(error) = (self.exchange.route.handle)(&incoming) {
            self.exchange.fail(error);
        }
    }
}

/// Waits for the plugin's answer, until the deadline or the plugin's stop.
async fn wait(exchange: &Exchange, replies: &mut ReplyReceiver) -> Result<Reply, Problem> {
    // An inline handler that needed no waiting has answered, or given up, by now.
    match replies.try_recv() {
        Err(TryRecvError::Empty) => {}
        ended => return take(exchange, ended.ok()),
    }
    let deadline = tokio::time::Instant::from_std(exchange.deadline);
    let problem = tokio::select! {
        biased;
        answered = &mut *replies => return take(exchange, answered.ok()),
        () = exchange.context.reached(Phase::Stopped) => {
            Problem::of_handler(&ServiceError::stopped())
        }
        () = tokio::time::sleep_until(deadline) => {
            let limit = exchange.route.deadline.as_millis();
            let detail = format!("the plugin did not answer within {limit} ms");
            exchange.fault(&ServiceError::new(Status::TIMEOUT, "deadline", detail.clone()));
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "deadline", detail)
        }
    };
    match exchange.expire() {
        true => Err(problem),
        // The answer came in the same instant.
        false => take(exchange, replies.try_recv().ok()),
    }
}

/// The answer; without one, the plugin has given the request up.
fn take(
    exchange: &Exchange,
    answered: Option<Result<Reply, ServiceError>>,
) -> Result<Reply, Problem> {
    let given_up = || {
        let message = "the plugin gave the request up without an answer";
        let error = ServiceError::new(Status::INTERNAL, "given-up", message);
        exchange.fault(&error);
        Err(error)
    };
    let answered = answered.unwrap_or_else(given_up);
    answered.map_err(|error| Problem::of_handler(&error))
}

/// Makes the response; a streamed one takes guard and permit along.
fn finish(
    reply: Result<Reply, Problem>,
    mut guard: ExchangeGuard,
    permit: CallPermit,
) -> Result<Response, Problem> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(problem) => {
            guard.complete();
            return Err(problem);
        }
    };
    let bodiless = matches!(
        reply.status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    );
    let body = match reply.body {
        // These have no body (RFC 9110, section 6.4.1).
        ReplyBody::Whole(_) if bodiless => {
            guard.complete();
            Body::empty()
        }
        ReplyBody::Whole(bytes) => {
            guard.complete();
            Body::from(bytes)
        }
        ReplyBody::Stream(chunks) => {
            Body::new(ResponseStream::new(chunks, &reply.headers, guard, permit))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}
