//! An application that knows its users by itself, and tells plugins who asks.
//!
//! ```console
//! $ cargo build -p hello && mkdir -p my-plugins && cp target/debug/libhello.* my-plugins/
//! $ cargo run --example own_auth -- my-plugins
//! $ curl 127.0.0.1:8080/api/ext/hello/whoami -H 'x-api-key: ada-key'
//! {"message":"hello Ada"}
//! $ curl 127.0.0.1:8080/api/ext/hello/whoami --cookie session=grace-session
//! {"message":"hello Grace"}
//! $ curl 127.0.0.1:8080/api/host/plugins -H 'x-api-key: ada-key'
//! ```
//!
//! Keys and sessions are constants here, and rows of a database elsewhere. Ada may
//! see what operators see. Whoever is nobody gets `public` routes, and 401 for others.

#![allow(clippy::print_stdout, reason = "it tells whoever runs it")]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use exthost::Host;
use exthost::auth::{Actor, READ};
use exthost::http::{ServeOptions, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1);
    let directory = directory.unwrap_or_else(|| "plugins".to_owned());
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;

    let host = Host::builder().directory(directory).build().await?;
    let app = Router::new()
        .merge(host.router())
        .merge(host.admin_router())
        .layer(from_fn(who_asks));

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("serving on http://{}, ctrl-c ends", listener.local_addr()?);
    let end = async {
        let _ = tokio::signal::ctrl_c().await;
        host.begin_shutdown();
    };
    serve(listener, app, ServeOptions::default(), end).await;
    host.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// Says who asks, for whatever comes after it: the host takes the actor that it finds
/// in the request's extensions.
async fn who_asks(mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let found = match headers.get("x-api-key") {
        Some(key) => by_key(key.as_bytes()).ok_or("there is no such key\n"),
        None => Ok(by_session(headers).unwrap_or_else(Actor::anonymous)),
    };
    match found {
        Ok(actor) => {
            // A plugin has no business with keys of the application.
            request.headers_mut().remove("x-api-key");
            request.headers_mut().remove(COOKIE);
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(why) => (StatusCode::UNAUTHORIZED, why).into_response(),
    }
}

/// An operator's program, or nobody.
fn by_key(key: &[u8]) -> Option<Actor> {
    (key == b"ada-key").then(|| Actor::user("u1", "Ada").with_scopes([READ]))
}

/// Whoever has signed in, in a browser.
fn by_session(headers: &HeaderMap) -> Option<Actor> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    let mut cookies = cookies.split(';').map(str::trim);
    let is_known = cookies.any(|cookie| cookie == "session=grace-session");
    is_known.then(|| Actor::user("u2", "Grace"))
}
