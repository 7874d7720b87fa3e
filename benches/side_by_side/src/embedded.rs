//! A host in this process, asked without a socket.

use axum::body::Body;
use exthost::Host;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
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
        let answer = self.runtime.block_on(post(&self.host, target));
        Ok(answer.map_err(told)?)
    }

    /// Asks the same many times at once, and waits for all answers.
    pub(crate) fn ask_at_once(&self, target: &str, times: usize) -> Result<()> {
        self.runtime.block_on(async {
            let mut asked = JoinSet::new();
            for _ in 0..times {
                let (host, target) = (self.host.clone(), target.to_owned());
                asked.spawn(async move { post(&host, &target).await.map(drop) });
            }
            let answers = asked.join_all().await;
            let answers: std::result::Result<(), Failed> = answers.into_iter().collect();
            Ok(answers.map_err(told)?)
        })
    }

    /// Nanoseconds that the plugin took for `rounds` of one.
    pub(crate) fn measure(&self, what: &str, rounds: u32) -> Result<f64> {
        let answer = self.ask(&format!("items/measure?what={what}&rounds={rounds}"))?;
        Ok(answer["nanoseconds"].as_f64().ok_or("no nanoseconds")?)
    }
}

async fn post(host: &Host, target: &str) -> std::result::Result<Value, Failed> {
    let request = axum::http::Request::post(format!("/api/ext/{target}"));
    let request = request.header("host", "localhost").body(Body::empty())?;
    let response = host.router().call(request).await?;
    let good = response.status().is_success();
    let body = response.into_body().collect().await?.to_bytes();
    match good {
        true => Ok(serde_json::from_slice(&body)?),
        false => Err(format!("{target}: {}", String::from_utf8_lossy(&body)).into()),
    }
}

/// What goes wrong, perhaps on another thread.
type Failed = Box<dyn std::error::Error + Send + Sync>;

fn told(error: Failed) -> String {
    error.to_string()
}
