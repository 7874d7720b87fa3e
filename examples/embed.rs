//! An axum application that plugins extend.
//!
//! ```console
//! $ cargo build -p hello && mkdir -p my-plugins && cp target/debug/libhello.* my-plugins/
//! $ cargo run --example embed -- my-plugins
//! $ curl '127.0.0.1:8080/api/ext/hello/hello?name=Ada'
//! {"message":"hello Ada"}
//! ```
//!
//! `PORT` says where else to serve. Ctrl-C, or SIGTERM, ends it once it has answered
//! what it accepted. What plugins store is in the directory `data`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells whoever runs it"
)]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use exthost::Host;
use exthost::http::{ServeOptions, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1);
    let directory = directory.unwrap_or_else(|| "plugins".to_owned());
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;

    let host = Host::builder().directory(directory).build().await?;
    for refused in host.status().refused {
        eprintln!("{}: {}", refused.file.display(), refused.message);
    }
    let app = Router::new()
        .route("/", get(async || "the application\n"))
        .merge(host.router());

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("serving on http://{}, ctrl-c ends", listener.local_addr()?);
    let end = async {
        asked_to_end().await;
        // Streams of events end now, so that their connections can.
        host.begin_shutdown();
    };
    serve(listener, app, ServeOptions::default(), end).await;
    host.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}
