//! How a handler fails, and what its client sees of it.

use std::borrow::Cow;
use std::fmt;

use exthost_abi as abi;
use serde_json::Value;

use crate::StatusCode;

/// What a handler, an extractor or a call to the host returns on failure.
///
/// It becomes an `application/problem+json` body with the members `title`,
/// `status`, `detail`, `code` and `request_id`. Of an error with status 500 the
/// client sees only the title and the request id; its message goes to the log.
///
/// Every type that implements [`std::error::Error`] converts into it with
/// status 500, so `?` works on anything. For that reason `Error` does not
/// implement `std::error::Error` itself.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// async fn note(Path(id): Path<u64>) -> Result<String> {
///     if id == 0 {
///         return Err(Error::not_found("notes are numbered from 1"));
///     }
///     let text = String::from_utf8(vec![b'a'; 3])?; // any error: 500
///     Ok(text)
/// }
/// ```
pub struct Error(Box<Failure>);

/// What a fallible function of a plugin returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
struct Failure {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    detail: Option<Value>,
    host: Option<abi::Status>,
}

impl Error {
    /// An error with a status, a stable code in lower case and one sentence.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Error(Box::new(Failure {
            status,
            code: code.into(),
            message: message.into(),
            detail: None,
            host: None,
        }))
    }

    /// 400: the request is malformed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Error::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    /// 401: nobody is authenticated.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Error::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403: the actor may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Error::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: it does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// 409: it contradicts what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 422: well formed, but makes no sense here.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Error::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", message)
    }

    /// 503: not now; try again later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Error::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// 500: the message goes to the log, never to the client.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Replaces the code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self
    }

    /// Adds particulars; the members of an object become members of the problem.
    #[must_use]
    pub fn with_detail(mut self, detail: Value) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code, such as `not-found`, or the host's, such as `busy`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// One sentence for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Particulars, if any.
    pub fn detail(&self) -> Option<&Value> {
        self.0.detail.as_ref()
    }

    /// Whether it contradicts what is there, which is what a write answers that a
    /// constraint of the database forbids.
    pub fn is_conflict(&self) -> bool {
        self.0.status == StatusCode::CONFLICT
    }

    /// An error that the host reported for a call.
    ///
    /// What the plugin's own code got wrong (a malformed argument, a capability
    /// that was not granted, a call at the wrong time) is not the client's
    /// fault, hence 500. What lies outside the plugin's scope is a refusal that
    /// the client may see.
    pub(crate) fn from_host(status: abi::Status, code: &str, message: &str, detail: &str) -> Self {
        let http = match status {
            abi::Status::DENIED if code == "outside-scope" => StatusCode::FORBIDDEN,
            abi::Status::CONFLICT if code == "own-transaction-open" => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            abi::Status::NOT_FOUND => StatusCode::NOT_FOUND,
            abi::Status::CONFLICT => StatusCode::CONFLICT,
            abi::Status::TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            abi::Status::VETOED => StatusCode::UNPROCESSABLE_ENTITY,
            abi::Status::BUSY | abi::Status::STOPPED => StatusCode::SERVICE_UNAVAILABLE,
            abi::Status::TIMEOUT => StatusCode::GATEWAY_TIMEOUT,
            abi::Status::FULL => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = if code.is_empty() { status.name() } else { code };
        let mut error = Error::new(http, code.to_owned(), message);
        error.0.detail = serde_json::from_str(detail).ok();
        error.0.host = Some(status);
        error
    }

    /// What the host answered, when the host reported this error.
    pub(crate) fn host_status(&self) -> Option<abi::Status> {
        self.0.host
    }

    /// The status with which a hook that failed with this error returns.
    pub(crate) fn as_raw(&self) -> abi::Status {
        match (self.0.host, self.0.status.as_u16()) {
            (Some(status), _) => status,
            (None, 400..=401 | 415 | 422) => abi::Status::INVALID,
            (None, 403) => abi::Status::DENIED,
            (None, 404) => abi::Status::NOT_FOUND,
            (None, 409) => abi::Status::CONFLICT,
            (None, 413) => abi::Status::TOO_LARGE,
            (None, 503) => abi::Status::BUSY,
            (None, 504) => abi::Status::TIMEOUT,
            _ => abi::Status::INTERNAL,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            message.push_str(": ");
            message.push_str(&error.to_string());
            source = error.source();
        }
        Error::internal(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_converts_with_its_sources() {
        let error = Error::from(std::io::Error::other("disk on fire"));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(error.to_string(), "internal: disk on fire");
    }

    #[test]
    fn a_denied_call_is_not_the_clients_fault() {
        let error = Error::from_host(abi::Status::DENIED, "", "no db", "");
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(error.code(), "denied");
        assert_eq!(error.as_raw(), abi::Status::DENIED);
    }

    #[test]
    fn what_the_host_reports_has_a_status_for_the_client() {
        for (status, code, expected) in [
            (abi::Status::DENIED, "outside-scope", 403),
            (abi::Status::CONFLICT, "unique", 409),
            (abi::Status::CONFLICT, "own-transaction-open", 500),
            (abi::Status::BUSY, "", 503),
            (abi::Status::TIMEOUT, "", 504),
            (abi::Status::TOO_LARGE, "", 413),
            (abi::Status::FULL, "", 507),
            (abi::Status::GONE, "", 500),
            (abi::Status::INVALID, "", 500),
            (abi::Status::MISPLACED, "", 500),
        ] {
            let error = Error::from_host(status, code, "reason", "");
            assert_eq!(error.status().as_u16(), expected, "{status:?} {code}");
            assert_eq!(error.is_conflict(), expected == 409);
            assert_eq!(error.as_raw(), status);
        }
    }
}
