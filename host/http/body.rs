//! Bodies on their way in, with a limit, and streams on their way out.

use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use exthost_abi::Status;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep};

use crate::gate::CallPermit;
use crate::services::context::Phase;
use crate::services::error::ServiceError;
use crate::services::exchange::{BodyError, Chunks, ExchangeGuard, RequestBody, StreamEnd};

/// A request's body that ends with an error beyond `bytes_max`.
pub(super) fn limited(body: axum::body::Body, bytes_max: u64) -> RequestBody {
    RequestBody::new(Limited {
        body,
        bytes_max,
        bytes: 0,
    })
}

/// How long a refused body is still read.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads on in a body that was refused as too large: a client that sends it all
/// before it reads would otherwise see its connection reset, not the answer.
pub(super) async fn linger(mut body: RequestBody) {
    let goes_on = |frame| matches!(frame, Some(Ok(_) | Err(BodyError::TooLarge { .. })));
    let read_on = async { while goes_on(body.frame().await) {} };
    let _ = tokio::time::timeout(LINGER_TIMEOUT, read_on).await;
}

/// Reads a body to its end, with at most `idle` between two pieces.
pub(super) async fn collect(mut body: RequestBody, idle: Duration) -> Result<Bytes, BodyError> {
    match read(&mut body, idle).await {
        Err(error @ BodyError::TooLarge { .. }) => {
            linger(body).await;
            Err(error)
        }
        read => read,
    }
}

async fn read(body: &mut RequestBody, idle: Duration) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let frame = match tokio::time::timeout(idle, body.frame()).await {
            Ok(None) if all.is_empty() => return Ok(first),
            Ok(None) => return Ok(all.freeze()),
            Ok(Some(frame)) => frame?,
            Err(_) => {
                return Err(BodyError::Idle {
                    idle_ms: idle.as_millis(),
                });
            }
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        // Most bodies are one piece, which is passed on as it is.
        if first.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
}

struct Limited {
    body: axum::body::Body,
    bytes_max: u64,
    bytes: u64,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            None => None,
            Some(Err(_)) => Some(Err(BodyError::Broken)),
            Some(Ok(frame)) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.bytes > self.bytes_max {
                    false => Some(Ok(frame)),
                    true => Some(Err(BodyError::TooLarge {
                        bytes_max: self.bytes_max,
                    })),
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A plugin's streamed response on its way to the client.
///
/// It holds the call's permit, so a drain waits for it, and the exchange, so the
/// plugin learns when the client leaves.
pub(super) struct ResponseStream {
    chunks: Chunks,
    guard: ExchangeGuard,
    _permit: CallPermit,
    idle: Pin<Box<Sleep>>,
    idle_timeout: Duration,
    /// Resolves when the plugin's generation wants its streams to end.
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whether an early end is a clean one: clients of event streams reconnect.
    is_event_stream: bool,
    done: bool,
}

/// The client must see that a stream is not whole.
#[derive(Debug, thiserror::Error)]
#[error("the plugin gave the response up")]
pub(super) struct StreamAborted;

impl ResponseStream {
    pub(super) fn new(
        chunks: Chunks,
        headers: &HeaderMap,
        guard: ExchangeGuard,
        permit: CallPermit,
    ) -> Self {
        let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let is_event_stream = content_type.is_some_and(|value| {
            let kind = b"text/event-stream";
            value.len() >= kind.len() && value[..kind.len()].eq_ignore_ascii_case(kind)
        });
        let exchange = guard.exchange();
        let idle_timeout = exchange.route.idle_timeout;
        let context = exchange.context.clone();
        // Other streams may be finite: they have until the drain's end.
        let phase = match is_event_stream {
            true => Phase::Draining,
            false => Phase::Stopped,
        };
        ResponseStream {
            chunks,
            guard,
            _permit: permit,
            idle: Box::pin(tokio::time::sleep(idle_timeout)),
            idle_timeout,
            stop: Box::pin(async move { context.reached(phase).await }),
            is_event_stream,
            done: false,
        }
    }

    /// How the stream ends once the plugin has sent its last chunk.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, StreamAborted>> {
        self.done = true;
        let mut end = self
            .chunks
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *end) {
            StreamEnd::Aborted => Some(Err(StreamAborted)),
            StreamEnd::Whole(trailers) => {
                self.guard.complete();
                trailers.map(|trailers| Ok(Frame::trailers(trailers)))
            }
        }
    }
}

impl Body for ResponseStream {
    type Data = Bytes;
    type Error = StreamAborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamAborted>>> {
        if self.done {
            return Poll::Ready(None);
        }
        if let Poll::Ready(chunk) = self.chunks.chunks.poll_recv(cx) {
            return Poll::Ready(match chunk {
                Some(chunk) => {
                    let idle_until = Instant::now() + self.idle_timeout;
                    self.idle.as_mut().reset(idle_until);
                    Some(Ok(Frame::data(chunk)))
                }
                None => self.end(),
            });
        }
        if self.stop.as_mut().poll(cx).is_ready() {
            self.done = true;
            return Poll::Ready(match self.is_event_stream {
                true => None,
                false => Some(Err(StreamAborted)),
            });
        }
        if self.idle.as_mut().poll(cx).is_ready() {
            self.done = true;
            let exchange = self.guard.exchange();
            exchange.give_up(Status::TIMEOUT);
            let idle_ms = self.idle_timeout.as_millis();
            exchange.fault(&ServiceError::new(
                Status::TIMEOUT,
                "stream-idle",
                format!("the stream sent nothing for {idle_ms} ms and was cut"),
            ));
            return Poll::Ready(Some(Err(StreamAborted)));
        }
        Poll::Pending
    }
}
