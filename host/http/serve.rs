//! Serves a router on a listener, with the timeouts that `axum::serve` does not
//! set, until it is told to end.

mod connection;
mod socket;

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower_service::Service;

use crate::gate::CallGate;
use connection::{FirstRequest, Stage};
use socket::Socket;

/// Bytes that are read ahead on one connection, and so the largest request head.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// The limits of a listener.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Time for a request's head, and for the next one on an idle connection.
    pub header_timeout: Duration,
    /// How long a client may take nothing of a response.
    pub write_timeout: Duration,
    /// Connections open at a time; further ones wait in the system's queue.
    pub connections_max: usize,
    /// How long requests are still accepted after the end was announced, each
    /// answered with `connection: close`.
    pub farewell: Duration,
    /// Time for open connections to finish after that.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        ServeOptions {
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            connections_max: 16_384,
            farewell: Duration::from_millis(200),
            drain_timeout: Duration::from_secs(8),
        }
    }
}

/// Serves `router` until `end` resolves; then answers what was accepted.
///
/// Returns what `end` resolved to. Clients on kept-alive connections are told to
/// close before the listener goes, so that none loses a request to a connection
/// that is being closed.
pub async fn serve<T>(
    listener: TcpListener,
    router: axum::Router,
    options: ServeOptions,
    end: impl Future<Output = T>,
) -> T {
    let connections = Connections {
        router,
        options,
        permits: Arc::new(Semaphore::new(
            options.connections_max.min(Semaphore::MAX_PERMITS),
        )),
        ending: Arc::default(),
        stage: watch::Sender::new(Stage::Open),
        open: CallGate::new(),
    };
    let mut end = pin!(end);
    let ended = loop {
        tokio::select! {
            accepted = connections.accept(&listener) => connections.spawn(accepted),
            ended = &mut end => break ended,
        }
    };
    connections.ending.store(true, Ordering::Release);
    let mut farewell = pin!(tokio::time::sleep(options.farewell));
    loop {
        tokio::select! {
            accepted = connections.accept(&listener) => connections.spawn(accepted),
            () = &mut farewell => break,
        }
    }
    loop {
        tokio::select! {
            // What the system has accepted by now, but we have not, would be
            // reset with the listener.
            biased;
            accepted = connections.accept(&listener) => connections.spawn(accepted),
            () = std::future::ready(()) => break,
        }
    }
    drop(listener);
    connections.open.close();
    connections.stage.send_replace(Stage::Closing);
    let drained = connections.open.idle();
    let drained = tokio::time::timeout(options.drain_timeout, drained).await;
    if drained.is_err() {
        tracing::warn!(
            open = connections.open.in_flight(),
            "connections were still open at the drain timeout, and are cut"
        );
    }
    connections.stage.send_replace(Stage::Cut);
    ended
}

struct Connections {
    router: axum::Router,
    options: ServeOptions,
    permits: Arc<Semaphore>,
    /// Whether responses end their connection.
    ending: Arc<AtomicBool>,
    /// What connections are told of the end.
    stage: watch::Sender<Stage>,
    /// Counts the connections.
    open: Arc<CallGate>,
}

/// A connection, with its permit.
type Accepted = (
    TcpStream,
    std::net::SocketAddr,
    tokio::sync::OwnedSemaphorePermit,
);

impl Connections {
    async fn accept(&self, listener: &TcpListener) -> Option<Accepted> {
        // The semaphore is never closed.
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, permit)),
            // The client has left the queue.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => None,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of descriptors: one may be free in a moment.
                tokio::time::sleep(Duration::from_millis(50)).await;
                None
            }
        }
    }

    fn spawn(&self, accepted: Option<Accepted>) {
        let Some((stream, peer, permit)) = accepted else {
            return;
        };
        tracing::debug!(%peer, "accepted");
        // Responses are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let router = self.router.clone();
        let ending = self.ending.clone();
        let first = Arc::new(FirstRequest::default());
        let asks = first.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<_>| {
            asks.tell();
            let version = request.version();
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answered = router.clone().call(request);
            let ending = ending.clone();
            async move {
                let mut response: Response = answered.await?;
                if ending.load(Ordering::Acquire) && version < http::Version::HTTP_2 {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.header_timeout)
            .max_buf_size(BUFFER_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(100)
            .keep_alive_interval(Duration::from_secs(30))
            .max_header_list_size(16 * 1024);
        let socket = TokioIo::new(Socket::new(stream, self.options.write_timeout));
        let connection = builder.serve_connection_with_upgrades(socket, service);
        let connection = connection.into_owned();
        let stage = self.stage.subscribe();
        let counted = self.open.enter();
        let header_timeout = self.options.header_timeout;
        tokio::spawn(async move {
            connection::run(connection, peer, &first, stage, header_timeout).await;
            drop((permit, counted));
        });
    }
}
