//! A host in this process, served on a port of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use exthost::http::{ServeOptions, serve};
use exthost::{Host, HostBuilder};
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::{Connection, Response};

/// A running host with its plugin directory; stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) host: Host,
    pub(crate) directory: TempDir,
    runtime: Option<Runtime>,
    end: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `plugins`, copied into a plugin directory.
    pub(crate) fn start(plugins: &[&Path]) -> Self {
        Self::start_with(plugins, |builder| builder)
    }

    /// Serves `plugins` with a host that `adapt` made.
    pub(crate) fn start_with(
        plugins: &[&Path],
        adapt: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let offered = directory.path().join("plugins");
        std::fs::create_dir(&offered).unwrap();
        for plugin in plugins {
            std::fs::copy(plugin, offered.join(plugin.file_name().unwrap())).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let builder = Host::builder()
            .directory(&offered)
            .data(directory.path().join("data"))
            .development(true);
        let (host, listener) = runtime.block_on(async {
            let host = adapt(builder).build().await.unwrap();
            (host, TcpListener::bind("127.0.0.1:0").await.unwrap())
        });
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let router = host.router().merge(host.admin_router());
        let served = runtime.spawn(serve(listener, router, ServeOptions::default(), async {
            let _ = ended.await;
        }));
        Server {
            address,
            host,
            directory,
            runtime: Some(runtime),
            end: Some(end),
            served: Some(served),
        }
    }

    /// Where a plugin was copied to.
    pub(crate) fn plugin_file(&self, plugin: &Path) -> PathBuf {
        self.directory
            .path()
            .join("plugins")
            .join(plugin.file_name().unwrap())
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], b"")
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        self.connect().request(method, path, headers, body).unwrap()
    }

    /// What `GET /api/host/plugins` says of a plugin.
    pub(crate) fn plugin(&self, name: &str) -> Value {
        let status = self.get("/api/host/plugins").json();
        let plugins = status["plugins"].as_array().unwrap();
        let found = plugins.iter().find(|plugin| plugin["name"] == name);
        found
            .unwrap_or_else(|| panic!("{name} does not serve: {status}"))
            .clone()
    }

    /// The codes of the refused files, by file name.
    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        let status = self.get("/api/host/plugins").json();
        let refused = status["refused"].as_array().unwrap();
        let pair = |refused: &Value| {
            let file = Path::new(refused["file"].as_str().unwrap());
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, refused["code"].as_str().unwrap().to_owned())
        };
        refused.iter().map(pair).collect()
    }

    /// Runs a future on the host's runtime.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().unwrap().block_on(future)
    }

    /// Starts a task on the host's runtime.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.as_ref().unwrap().spawn(future)
    }

    /// Ends serving and stops the plugins.
    pub(crate) fn stop(&mut self, deadline: Duration) {
        let _ = self.end.take().map(|end| end.send(()));
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        if let Some(served) = self.served.take() {
            runtime.block_on(served).unwrap();
        }
        runtime.block_on(self.host.shutdown(deadline));
        runtime.shutdown_timeout(Duration::from_millis(100));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}

/// Options of a plugin from JSON.
pub(crate) fn options(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// Waits until `holds`, for ten seconds at most.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "not within 10 s: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
