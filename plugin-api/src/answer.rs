//! From a handler's response to the slots that answer the request.

use std::sync::atomic::{AtomicBool, Ordering};

use exthost_abi::Status;
use serde_json::{Map, Value, json};

use crate::export::host::Host;
use crate::export::tasks::BoxFuture;
use crate::response::Body;
use crate::stream::{self, Open};
use crate::{Error, IntoResponse, Response, Result, StatusCode, log};

/// What is left to do once a response was handed over.
pub(crate) enum Rest {
    Nothing,
    /// The body, to be driven as a task.
    Stream(BoxFuture<()>),
    /// The body, to be written on a thread that it may block.
    Blocking(Box<dyn FnOnce() + Send>),
}

/// The duty to answer a request later: dropped before it is kept, the request
/// is answered 500 at once.
pub(crate) struct Pledge {
    host: &'static Host,
    request: u64,
    kept: AtomicBool,
}

impl Pledge {
    pub(crate) fn new(host: &'static Host, request: u64) -> Self {
        Pledge {
            host,
            request,
            kept: AtomicBool::new(false),
        }
    }

    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            self.host.respond_abort(self.request);
        }
    }
}

/// Answers `request`. One that nobody waits for any more needs no answer.
pub(crate) fn answer(
    host: &'static Host,
    request: u64,
    request_id: &str,
    response: Response,
) -> Result<Rest> {
    match send(host, request, request_id, response) {
        // The response was malformed, and the request is still open.
        Err(error) if error.host_status() == Some(Status::INVALID) => {
            let error = Error::internal(format!("the response is malformed: {}", error.message()));
            send(host, request, request_id, error.into_response())
        }
        Err(error) if error.host_status() == Some(Status::GONE) => Ok(Rest::Nothing),
        outcome => outcome,
    }
}

fn send(host: &'static Host, request: u64, request_id: &str, response: Response) -> Result<Rest> {
    let Response {
        status,
        headers,
        body,
    } = response;
    match body {
        Body::Whole(body) => host.respond(request, status, &headers, body)?,
        Body::Problem(error) => {
            let wanted = matches!(host.cancelled(request), Status::OK | Status::STOPPED);
            let body = problem(status, &error, request_id, wanted);
            host.respond(request, status, &headers, body.into())?;
        }
        Body::Stream(write) => {
            host.respond_start(request, status, &headers)?;
            let open = Open::new(host, request);
            return Ok(Rest::Stream(Box::pin(stream::drive(open, write))));
        }
        Body::Blocking(write) => {
            host.respond_start(request, status, &headers)?;
            let open = Open::new(host, request);
            return Ok(Rest::Blocking(Box::new(|| stream::run(open, write))));
        }
    }
    Ok(Rest::Nothing)
}

/// The body of an error; what 500 is about goes to the log instead, where it matters
/// less when the answer is not `wanted` any more.
fn problem(status: StatusCode, error: &Error, request_id: &str, wanted: bool) -> String {
    let mut members = Map::new();
    let internal = StatusCode::INTERNAL_SERVER_ERROR;
    if status == internal || error.status() == internal {
        let gone = matches!(error.host_status(), Some(Status::GONE | Status::CANCELLED));
        // A client that has left is no failure of the plugin.
        let line = match gone && !wanted {
            true => log::debug(error.message()),
            false => log::error(error.message()),
        };
        let line = line.field("code", error.code());
        match error.detail() {
            Some(detail) => drop(line.field("detail", detail.to_string())),
            None => drop(line),
        }
        members.insert("code".to_owned(), json!("internal"));
    } else {
        if let Some(Value::Object(detail)) = error.detail() {
            members.extend(detail.clone());
        }
        members.insert("code".to_owned(), json!(error.code()));
        members.insert("detail".to_owned(), json!(error.message()));
    }
    members.insert("title".to_owned(), json!(status.reason()));
    members.insert("status".to_owned(), json!(status.as_u16()));
    members.insert("request_id".to_owned(), json!(request_id));
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_members() {
        let error = Error::conflict("taken").with_detail(json!({"name": "x"}));
        let body = problem(error.status(), &error, "r1", true);
        let expected = json!({
            "title": "Conflict", "status": 409, "detail": "taken", "code": "conflict",
            "request_id": "r1", "name": "x",
        });
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    }

    #[test]
    fn a_500_tells_the_client_nothing() {
        let error = Error::internal("password is hunter2").with_code("secret");
        let body = problem(error.status(), &error, "r1", true);
        assert!(
            !body.contains("hunter2") && !body.contains("secret"),
            "{body}"
        );
    }
}
