//! What a handler answers.

use std::borrow::Cow;

use crate::export::buffer::{Chunk, Payload};
use crate::stream::{self, BodySender, BodyWriter};
use crate::{Error, Headers, Result, StatusCode};

/// What a handler answers with: a status, headers and a body.
///
/// Mostly a handler returns something simpler that [becomes](IntoResponse) one.
/// A body given as `String` or `Vec<u8>` is handed to the host without copying.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// async fn picture() -> Response {
///     Response::new(vec![0x89, b'P', b'N', b'G'])
///         .with_header("content-type", "image/png")
///         .with_header("cache-control", "max-age=60")
/// }
/// ```
#[derive(Debug)]
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

/// A body that is there, or will be.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Payload),
    /// Becomes JSON when the request's id is known.
    Problem(Error),
    Stream(stream::Write),
    Blocking(stream::BlockingWrite),
}

impl Response {
    /// 200 with a body.
    pub fn new(body: impl Into<Payload>) -> Self {
        Response {
            status: StatusCode::OK,
            headers: Headers::new(),
            body: Body::Whole(body.into()),
        }
    }

    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Response::new(Payload::EMPTY).with_status(status)
    }

    /// A body that `write` sends chunk by chunk, at the client's pace.
    ///
    /// The future that `write` returns is dropped when the client leaves. An
    /// error that it returns, or a panic, cuts the connection, so that the client
    /// sees that the body is not whole.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn lines() -> Response {
    ///     Response::streaming("text/plain", |mut body| async move {
    ///         for line in 1..=3 {
    ///             body.send(format!("line {line}\n")).await?;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn streaming<F, W>(content_type: impl Into<Cow<'static, str>>, write: F) -> Self
    where
        F: FnOnce(BodySender) -> W + Send + 'static,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        let write = stream::Write(Box::new(|sender| Box::pin(write(sender))));
        Response {
            status: StatusCode::OK,
            headers: Headers::new(),
            body: Body::Stream(write),
        }
        .with_header("content-type", content_type)
    }

    /// A body that `write` writes on a thread that it may block. Errors, panics
    /// and clients that leave are dealt with as in [`Response::streaming`], but
    /// that `write` hears of the latter as an error of its next write.
    ///
    /// # Examples
    /// ```
    /// use std::io::Write as _;
    /// use exthost_plugin::prelude::*;
    ///
    /// fn lines() -> Response {
    ///     Response::streaming_blocking("text/plain", |body| {
    ///         for line in 1..=3 {
    ///             writeln!(body, "line {line}")?;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn streaming_blocking<F>(content_type: impl Into<Cow<'static, str>>, write: F) -> Self
    where
        F: FnOnce(&mut BodyWriter) -> Result<()> + Send + 'static,
    {
        Response {
            status: StatusCode::OK,
            headers: Headers::new(),
            body: Body::Blocking(stream::BlockingWrite(Box::new(write))),
        }
        .with_header("content-type", content_type)
    }

    /// Replaces the status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Sets a header, in place of every earlier value.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The headers, to change them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response",
    label = "cannot be answered with",
    note = "responses are text, bytes, Json, Html, Redirect, Sse, Response, a StatusCode, tuples of \
            a StatusCode, headers and one of those, Option (404) and Result of one"
)]
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// 204: it worked, and there is nothing to say.
impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::empty(StatusCode::NO_CONTENT)
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        Response::empty(self)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::new(self).with_header("content-type", "text/plain; charset=utf-8")
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::new(self).with_header("content-type", "text/plain; charset=utf-8")
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::new(self).with_header("content-type", "application/octet-stream")
    }
}

impl IntoResponse for Chunk {
    fn into_response(self) -> Response {
        Response::new(self).with_header("content-type", "application/octet-stream")
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Response {
            status: self.status(),
            headers: Headers::from([("content-type", "application/problem+json")]),
            body: Body::Problem(self),
        }
    }
}

/// 404 for `None`.
impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Response {
        match self {
            Some(value) => value.into_response(),
            None => Error::not_found("there is nothing here").into_response(),
        }
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

impl<H: Into<Headers>, T: IntoResponse> IntoResponse for (StatusCode, H, T) {
    fn into_response(self) -> Response {
        let (status, headers, value) = self;
        let mut response = value.into_response().with_status(status);
        response.headers.extend(headers.into());
        response
    }
}

impl<K, V, T, const N: usize> IntoResponse for ([(K, V); N], T)
where
    K: Into<Cow<'static, str>>,
    V: Into<Cow<'static, str>>,
    T: IntoResponse,
{
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.headers.extend(self.0.into());
        response
    }
}

/// A page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: Into<Payload>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::new(self.0).with_header("content-type", "text/html; charset=utf-8")
    }
}

/// Sends the client elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    status: StatusCode,
    location: String,
}

impl Redirect {
    /// 303: look there, with GET; what a form answers with.
    pub fn to(location: impl Into<String>) -> Self {
        Redirect {
            status: StatusCode::SEE_OTHER,
            location: location.into(),
        }
    }

    /// 307: ask there, with the same method, this time.
    pub fn temporary(location: impl Into<String>) -> Self {
        Redirect {
            status: StatusCode::TEMPORARY_REDIRECT,
            location: location.into(),
        }
    }

    /// 308: ask there, with the same method, from now on.
    pub fn permanent(location: impl Into<String>) -> Self {
        Redirect {
            status: StatusCode::PERMANENT_REDIRECT,
            location: location.into(),
        }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        Response::empty(self.status).with_header("location", self.location)
    }
}
