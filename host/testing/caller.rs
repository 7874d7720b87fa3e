//! Whoever asks a host in a test.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde::Serialize;

use crate::auth::ACT_AS;
use crate::services::actor::Actor;
use crate::testing::running::patiently;
use crate::testing::{Answer, TestHost};

/// A [`TestHost`] for requests of one actor.
///
/// # Panics
/// As for [`TestHost`].
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    host: &'a TestHost,
    /// Nothing for the developer, who needs no header.
    actor: Option<Actor>,
}

impl<'a> Caller<'a> {
    pub(super) fn new(host: &'a TestHost, actor: Option<Actor>) -> Self {
        Caller { host, actor }
    }

    /// Asks for `path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Sends JSON to `path`.
    pub async fn post(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.ask(Method::POST, path, Some(json(body))).await
    }

    /// Puts JSON at `path`.
    pub async fn put(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.ask(Method::PUT, path, Some(json(body))).await
    }

    /// Patches `path` with JSON.
    pub async fn patch(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.ask(Method::PATCH, path, Some(json(body))).await
    }

    /// Deletes `path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// Sends any request; [`TestHost::path`] makes its path absolute.
    pub async fn send(&self, request: Request<impl Into<Bytes>>) -> Answer {
        let mut request = request.map(Into::into);
        if let Some(actor) = &self.actor {
            request.headers_mut().insert(ACT_AS, header(actor));
        }
        let what = format!("the answer to {} {}", request.method(), request.uri());
        let (direct, running) = (self.host.direct.clone(), self.host.running());
        let answered = running.run(async move { Answer::of(direct.send(request).await).await });
        patiently(running.runtime(), &what, answered).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Bytes>) -> Answer {
        let path = self.host.path(path);
        let mut request = Request::builder().method(method).uri(&path);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.unwrap_or_default());
        self.send(request.unwrap_or_else(|error| panic!("{path} is no path: {error}")))
            .await
    }
}

fn json(body: &(impl Serialize + ?Sized)) -> Bytes {
    let written = serde_json::to_vec(body);
    written
        .unwrap_or_else(|error| panic!("the body does not serialise: {error}"))
        .into()
}

fn header(actor: &Actor) -> HeaderValue {
    HeaderValue::from_maybe_shared(json(actor))
        .unwrap_or_else(|error| panic!("the actor {actor} does not fit into a header: {error}"))
}
