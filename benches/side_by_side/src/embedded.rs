//! A host in this process, asked without a socket.

use axum::body::Body;
use exthost::Host;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower_service::Service;

use crate::Result;
use crate::peer::Programs;

/// The plugins in a host in this process.
pub(crate) struct Embedded {
    runtime: Runtime,
    host: Host,
}

impl Embedded {
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let host = Host::builder()
            .directory(programs.plugins())
            .data(programs.data()?)
            .strict(true);
        let host = runtime.block_on(host.build())?;
        Ok(Embedded { runtime, host })
    }

    /// What a plugin answers to a POST.
    pub(crate) fn ask(&self, target: &str) -> Result<Value> {
        let request = axum::http::Request::post(format!("/api/ext/{target}"));
        let request = request.header("host", "localhost").body(Body::empty())?;
        let body = self.runtime.block_on(async {
            let response = self.host.router().call(request).await?;
            let good = response.status().is_success();
            let body = response.into_body().collect().await?.to_bytes();
            match good {
                true => Ok(body),
                false => Err(format!("{target}: {}", String::from_utf8_lossy(&body)).into()),
            }
        });
        let body: Result<_> = body;
        Ok(serde_json::from_slice(&body?)?)
    }
}
