//! Bodies of requests, read piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use exthost_abi::Status;

use crate::export::buffer::Chunk;
use crate::export::host::Host;
use crate::export::operation::Operation;
use crate::{Error, FromRequest, Needs, Parts, Result};

impl FromRequest for Vec<u8> {
    fn needs(needs: &mut Needs) {
        needs.whole_body();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(parts.body().to_vec())
    }
}

impl FromRequest for String {
    fn needs(needs: &mut Needs) {
        needs.whole_body();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        match std::str::from_utf8(parts.body()) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Error::bad_request("the body is not UTF-8 text")),
        }
    }
}

/// The request's body, chunk by chunk as it arrives. A handler that takes it
/// gets the request before its body has come.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// async fn count(mut body: BodyStream) -> Result<String> {
///     let mut bytes = 0;
///     while let Some(chunk) = body.next().await? {
///         bytes += chunk.len();
///     }
///     Ok(bytes.to_string())
/// }
/// ```
pub struct BodyStream {
    host: &'static Host,
    request: u64,
    /// The read under way, which a `next` that was dropped leaves to the next.
    reading: Option<Operation<Option<Chunk>>>,
}

impl BodyStream {
    /// Awaits the next chunk; `None` at the end.
    ///
    /// # Errors
    /// When the client left, the body exceeds the route's limit (413), or
    /// nothing came for the idle timeout.
    pub async fn next(&mut self) -> Result<Option<Chunk>> {
        let (host, request) = (self.host, self.request);
        let reading = self
            .reading
            .get_or_insert_with(|| host.next_chunk_async(request));
        let read = reading.await;
        self.reading = None;
        read
    }

    /// Waits for the next chunk, for handlers that are no `async fn`.
    ///
    /// # Errors
    /// As for [`BodyStream::next`].
    pub fn next_blocking(&mut self) -> Result<Option<Chunk>> {
        self.host.next_chunk(self.request)
    }
}

impl FromRequest for BodyStream {
    fn needs(needs: &mut Needs) {
        needs.body_stream();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(BodyStream {
            host: parts.host(),
            request: parts.id(),
            reading: None,
        })
    }
}

/// A future that is done when the response is no longer wanted: the client
/// left, or the plugin is about to stop.
pub struct Cancelled {
    host: &'static Host,
    request: u64,
    waiting: Option<Operation<()>>,
}

impl Cancelled {
    /// Whether the response is no longer wanted; for handlers that are no
    /// `async fn`.
    pub fn is_cancelled(&self) -> bool {
        self.host.cancelled(self.request) != Status::OK
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (host, request) = (self.host, self.request);
        let waiting = self
            .waiting
            .get_or_insert_with(|| host.cancelled_async(request));
        Pin::new(waiting).poll(cx).map(drop)
    }
}

impl FromRequest for Cancelled {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(Cancelled {
            host: parts.host(),
            request: parts.id(),
            waiting: None,
        })
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BodyStream")
    }
}

impl std::fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cancelled")
    }
}
