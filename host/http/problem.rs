//! Errors as clients see them: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use exthost_abi::Status;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::http::request_id;
use crate::services::error::ServiceError;

/// Why a request was not answered by a plugin.
///
/// Never holds what only an operator may see.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    request_id: String,
    /// Boxed, because few problems have one.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
}

impl Problem {
    /// A problem with a stable code and one sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let retry_after = (RETRY_AFTER, HeaderValue::from_static("1"));
        let is_passing = status == StatusCode::SERVICE_UNAVAILABLE;
        Problem {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            request_id: String::new(),
            header: is_passing.then(|| Box::new(retry_after)),
        }
    }

    /// A method that the path does not have; `allow` lists those it has.
    pub fn method_not_allowed(method: &str, allow: &str) -> Self {
        let detail = format!("this path has no {method}, it has {allow}");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
        let allow = HeaderValue::from_str(allow).ok();
        problem.header = allow.map(|allow| Box::new((ALLOW, allow)));
        problem
    }

    /// The failure of a handler. What the plugin said reaches the client unless
    /// the fault is the server's.
    pub fn of_handler(error: &ServiceError) -> Self {
        if error.is_server_fault() {
            let detail = "the plugin failed; the log has the reason under the request id";
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        }
        let status = match error.status {
            Status::INVALID => StatusCode::BAD_REQUEST,
            Status::DENIED => StatusCode::FORBIDDEN,
            Status::NOT_FOUND => StatusCode::NOT_FOUND,
            Status::CONFLICT => StatusCode::CONFLICT,
            Status::TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            Status::BUSY | Status::STOPPED => StatusCode::SERVICE_UNAVAILABLE,
            Status::TIMEOUT => StatusCode::GATEWAY_TIMEOUT,
            Status::FULL => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, &error.code, &error.message)
    }

    /// The status that is answered.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Says how to authenticate.
    pub fn with_challenge(mut self, challenge: HeaderValue) -> Self {
        self.header = Some(Box::new((WWW_AUTHENTICATE, challenge)));
        self
    }

    /// Names the request.
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        self.request_id = request_id.to_owned();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: &self.code,
            detail: &self.detail,
            request_id: &self.request_id,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        request_id::tell(headers, &self.request_id);
        if let Some(header) = self.header {
            let (name, value) = *header;
            headers.insert(name, value);
        }
        response
    }
}
