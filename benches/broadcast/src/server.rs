//! The two servers, on one runtime with one worker.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use exthost::Host;
use exthost::config::BroadcastSettings;
use exthost::http::{ServeOptions, serve};
use futures_util::stream;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use crate::Result;

/// What the worker's thread is called.
const THREAD: &str = "server";

/// Both servers.
pub(crate) struct Servers {
    /// Where the plain one listens.
    pub(crate) plain: SocketAddr,
    /// Where the host listens.
    pub(crate) host: SocketAddr,
    channel: broadcast::Sender<Bytes>,
    published: Host,
    _runtime: Runtime,
    _data: TempDir,
}

impl Servers {
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(THREAD)
            .enable_all()
            .build()?;
        let data = tempfile::tempdir()?;
        let mut settings = BroadcastSettings::default();
        // No signs of life, which are no messages.
        settings.keep_alive = Duration::from_secs(3600);
        let host = Host::builder()
            .data(data.path())
            .development(true)
            .broadcast(settings);
        let published = runtime.block_on(host.build())?;
        // As many as a ring keeps.
        let channel = broadcast::Sender::new(1024);
        let listening = |router| -> Result<SocketAddr> {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
            let address = listener.local_addr()?;
            let options = ServeOptions::default();
            runtime.spawn(serve(
                listener,
                router,
                options,
                std::future::pending::<()>(),
            ));
            Ok(address)
        };
        Ok(Servers {
            plain: listening(plain(channel.clone()))?,
            host: listening(published.router())?,
            channel,
            published,
            _runtime: runtime,
            _data: data,
        })
    }

    /// Publishes one message.
    pub(crate) fn publish(&self, is_host: bool, n: u64) -> Result<()> {
        let payload = json!({"n": n, "text": "as long as a message usually is, or a little more"});
        if is_host {
            self.published.publish("ticks", "tick", &payload)?;
            return Ok(());
        }
        let frame = format!(
            "id: k3x9a0zq-{n}\ndata: {{\"id\":\"k3x9a0zq-{n}\",\"channel\":\"host/ticks\",\
             \"event\":\"tick\",\"sequence\":{n},\"data\":{payload}}}\n\n"
        );
        self.channel.send(frame.into())?;
        Ok(())
    }
}

/// A stream of whatever goes through the channel.
fn plain(channel: broadcast::Sender<Bytes>) -> Router {
    let events = async move || {
        let first = Bytes::from_static(b"retry: 1000\n\n");
        let begin = (Some(first), channel.subscribe());
        let frames = stream::unfold(begin, async |(first, mut received)| {
            let frame = match first {
                Some(first) => Ok(first),
                None => received.recv().await,
            };
            Some((frame, (None, received)))
        });
        let headers = [(CONTENT_TYPE, "text/event-stream")];
        (headers, Body::from_stream(frames))
    };
    Router::new().route("/api/broadcast", get(events))
}

/// What the worker has run for, in nanoseconds.
pub(crate) fn processor_ns() -> Result<f64> {
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if std::fs::read_to_string(task.join("comm"))?.trim() == THREAD {
            let text = std::fs::read_to_string(task.join("schedstat"))?;
            let ran = text.split(' ').next().unwrap_or_default();
            return Ok(ran.parse()?);
        }
    }
    Err("the server has no thread".into())
}
