//! Requests that are answered in this process, without a connection.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower_service::Service;

/// The body of an answer.
pub(crate) type AnswerBody = axum::body::Body;

/// The routes of a host, for requests that come from nowhere but this process.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    router: axum::Router,
}

impl Direct {
    pub(crate) fn new(router: axum::Router) -> Self {
        Direct { router }
    }

    /// Answers a request as if it had come from this machine.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Response<AnswerBody> {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        request.extensions_mut().insert(ConnectInfo(peer));
        let headers = request.headers_mut();
        headers
            .entry(HOST)
            .or_insert(HeaderValue::from_static("localhost"));
        // A router is ready at any time and never fails.
        let answered = self.router.clone().call(request.map(Full::new)).await;
        answered.unwrap_or_else(|never| match never {})
    }
}
