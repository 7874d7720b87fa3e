//! A server on loopback that hands requests to a function.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

/// Listens until it is dropped, on a port that the system chose.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Receiver {
    /// Answers each request with the status that `take` makes of its headers and
    /// body.
    pub(super) fn start(
        runtime: &Handle,
        take: impl Fn(HeaderMap, Bytes) -> StatusCode + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (address, listener) =
            listener.unwrap_or_else(|error| panic!("no port to receive webhooks at: {error}"));
        let serving = runtime.spawn(serve(listener, Arc::new(take)));
        Receiver {
            address,
            serving: serving.abort_handle(),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve<F>(listener: TcpListener, take: Arc<F>)
where
    F: Fn(HeaderMap, Bytes) -> StatusCode + Send + Sync + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)
        .unwrap_or_else(|error| panic!("the port of webhooks cannot be used: {error}"));
    // They end with the task.
    let mut connections = JoinSet::new();
    // A connection that fails is one whose client has left.
    while let Ok((stream, _)) = listener.accept().await {
        let take = take.clone();
        let service = service_fn(move |request| answer(request, take.clone()));
        connections.spawn(async move {
            auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await
        });
    }
}

async fn answer<F>(
    request: Request<Incoming>,
    take: Arc<F>,
) -> Result<Response<Empty<Bytes>>, Infallible>
where
    F: Fn(HeaderMap, Bytes) -> StatusCode,
{
    let (head, body) = request.into_parts();
    let status = match body.collect().await {
        Ok(body) => take(head.headers, body.to_bytes()),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}
