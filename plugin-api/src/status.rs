//! HTTP status codes.

use std::fmt;

/// An HTTP status, 200 to 999.
///
/// # Examples
/// ```
/// use exthost_plugin::StatusCode;
///
/// assert_eq!(StatusCode::CREATED.as_u16(), 201);
/// assert_eq!(StatusCode(404).reason(), "Not Found");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub u16);

const REASONS: &[(StatusCode, &str)] = &[
    (StatusCode::OK, "OK"),
    (StatusCode::CREATED, "Created"),
    (StatusCode::ACCEPTED, "Accepted"),
    (StatusCode::NO_CONTENT, "No Content"),
    (StatusCode::MOVED_PERMANENTLY, "Moved Permanently"),
    (StatusCode::FOUND, "Found"),
    (StatusCode::SEE_OTHER, "See Other"),
    (StatusCode::NOT_MODIFIED, "Not Modified"),
    (StatusCode::TEMPORARY_REDIRECT, "Temporary Redirect"),
    (StatusCode::PERMANENT_REDIRECT, "Permanent Redirect"),
    (StatusCode::BAD_REQUEST, "Bad Request"),
    (StatusCode::UNAUTHORIZED, "Unauthorized"),
    (StatusCode::FORBIDDEN, "Forbidden"),
    (StatusCode::NOT_FOUND, "Not Found"),
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
    (StatusCode::CONFLICT, "Conflict"),
    (StatusCode::GONE, "Gone"),
    (StatusCode::PRECONDITION_FAILED, "Precondition Failed"),
    (StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
    (StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Entity"),
    (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    (StatusCode::NOT_IMPLEMENTED, "Not Implemented"),
    (StatusCode::BAD_GATEWAY, "Bad Gateway"),
    (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
    (StatusCode::INSUFFICIENT_STORAGE, "Insufficient Storage"),
];

impl StatusCode {
    /// 200
    pub const OK: StatusCode = StatusCode(200);
    /// 201
    pub const CREATED: StatusCode = StatusCode(201);
    /// 202
    pub const ACCEPTED: StatusCode = StatusCode(202);
    /// 204
    pub const NO_CONTENT: StatusCode = StatusCode(204);
    /// 301
    pub const MOVED_PERMANENTLY: StatusCode = StatusCode(301);
    /// 302
    pub const FOUND: StatusCode = StatusCode(302);
    /// 303
    pub const SEE_OTHER: StatusCode = StatusCode(303);
    /// 304
    pub const NOT_MODIFIED: StatusCode = StatusCode(304);
    /// 307
    pub const TEMPORARY_REDIRECT: StatusCode = StatusCode(307);
    /// 308
    pub const PERMANENT_REDIRECT: StatusCode = StatusCode(308);
    /// 400
    pub const BAD_REQUEST: StatusCode = StatusCode(400);
    /// 401
    pub const UNAUTHORIZED: StatusCode = StatusCode(401);
    /// 403
    pub const FORBIDDEN: StatusCode = StatusCode(403);
    /// 404
    pub const NOT_FOUND: StatusCode = StatusCode(404);
    /// 405
    pub const METHOD_NOT_ALLOWED: StatusCode = StatusCode(405);
    /// 408
    pub const REQUEST_TIMEOUT: StatusCode = StatusCode(408);
    /// 409
    pub const CONFLICT: StatusCode = StatusCode(409);
    /// 410
    pub const GONE: StatusCode = StatusCode(410);
    /// 412
    pub const PRECONDITION_FAILED: StatusCode = StatusCode(412);
    /// 413
    pub const PAYLOAD_TOO_LARGE: StatusCode = StatusCode(413);
    /// 415
    pub const UNSUPPORTED_MEDIA_TYPE: StatusCode = StatusCode(415);
    /// 422
    pub const UNPROCESSABLE_ENTITY: StatusCode = StatusCode(422);
    /// 429
    pub const TOO_MANY_REQUESTS: StatusCode = StatusCode(429);
    /// 500
    pub const INTERNAL_SERVER_ERROR: StatusCode = StatusCode(500);
    /// 501
    pub const NOT_IMPLEMENTED: StatusCode = StatusCode(501);
    /// 502
    pub const BAD_GATEWAY: StatusCode = StatusCode(502);
    /// 503
    pub const SERVICE_UNAVAILABLE: StatusCode = StatusCode(503);
    /// 504
    pub const GATEWAY_TIMEOUT: StatusCode = StatusCode(504);
    /// 507
    pub const INSUFFICIENT_STORAGE: StatusCode = StatusCode(507);

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The standard phrase, or `Error` for a status without one here.
    pub fn reason(self) -> &'static str {
        let known = REASONS.iter().find(|(status, _)| *status == self);
        known.map_or("Error", |(_, reason)| reason)
    }

    /// Whether it is between 200 and 299.
    pub const fn is_success(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }
}

impl From<u16> for StatusCode {
    fn from(code: u16) -> Self {
        StatusCode(code)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}
