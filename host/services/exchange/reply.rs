//! What a plugin answers, on its way to the front.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::services::error::ServiceError;

/// Where the front waits for a plugin's answer.
pub(crate) type ReplyReceiver = oneshot::Receiver<Result<Reply, ServiceError>>;

/// What a plugin answers.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: ReplyBody,
}

/// The body of a [`Reply`].
#[derive(Debug)]
pub enum ReplyBody {
    /// All of it.
    Whole(Bytes),
    /// The receiving end of a stream.
    Stream(Chunks),
}

/// The chunks of a streamed response, and how it ended.
#[derive(Debug)]
pub struct Chunks {
    /// The chunks, in order.
    pub chunks: mpsc::Receiver<Bytes>,
    /// How the stream ended, once `chunks` is exhausted.
    pub end: Arc<Mutex<StreamEnd>>,
}

/// How a streamed response ends.
#[derive(Debug, Default)]
pub enum StreamEnd {
    /// The plugin has given it up, or ended without a word: the connection is
    /// cut, so that the client sees that the body is not whole.
    #[default]
    Aborted,
    /// Whole, with trailers or none.
    Whole(Option<HeaderMap>),
}
