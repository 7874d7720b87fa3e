//! Asks a running host for JSON, over plain HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::cli::Result;

/// How long the host may take to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A running host, by its URL.
#[derive(Debug)]
pub(crate) struct Client {
    url: String,
    /// Host and port, without brackets: `127.0.0.1`, `::1`.
    address: (String, u16),
    authority: String,
}

impl Client {
    /// Checks the URL of a host: `http://` with host and port.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let bad = |why: &str| format!("the URL `{url}` {why}, as in http://127.0.0.1:7700");
        let uri: Uri = url
            .parse()
            .map_err(|error| bad(&format!("cannot be read ({error}); give scheme and host")))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("does not begin with http://; a host is asked over plain HTTP").into());
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(bad("has a path; give only host and port").into());
        }
        let authority = uri
            .authority()
            .ok_or_else(|| bad("names no host; give one"))?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Client {
            url: url.to_owned(),
            address: (host.to_owned(), authority.port_u16().unwrap_or(80)),
            authority: authority.as_str().to_owned(),
        })
    }

    /// Reads the JSON at `path`.
    pub(crate) async fn read(&self, path: &str) -> Result<Value> {
        self.value(path, None, TIMEOUT).await
    }

    /// Sends JSON to `path`, and reads what is answered.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Result<Value> {
        self.post(path, body.to_string(), TIMEOUT).await
    }

    /// Sends JSON as it is written to `path`, and reads what is answered within
    /// `time`.
    pub(crate) async fn post(&self, path: &str, body: String, time: Duration) -> Result<Value> {
        self.value(path, Some(body), time).await
    }

    async fn value(&self, path: &str, body: Option<String>, time: Duration) -> Result<Value> {
        let answer = tokio::time::timeout(time, self.ask(path, body)).await;
        let (status, body) = answer.map_err(|_| {
            let seconds = time.as_secs_f32();
            format!("{} did not answer within {seconds} s", self.url)
        })??;
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        match (status, value) {
            (StatusCode::OK | StatusCode::ACCEPTED, Some(value)) => Ok(value),
            // A host says in JSON what it has not found.
            (StatusCode::OK | StatusCode::NOT_FOUND, None) => Err(format!(
                "what listens at {} is not exthost, or does not serve {path}",
                self.url
            )
            .into()),
            (status, value) => {
                let value = value.unwrap_or_default();
                let detail = value["detail"].as_str().unwrap_or("no reason was given");
                Err(format!("{} answered {status}: {detail}", self.url).into())
            }
        }
    }

    async fn ask(&self, path: &str, body: Option<String>) -> Result<(StatusCode, Bytes)> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await;
        let stream = stream.map_err(|error| {
            format!(
                "no host answers at {} ({error}); start one with `exthost dev`, or name another \
                 with --url",
                self.url
            )
        })?;
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
            format!(
                "what listens at {} does not answer as HTTP: {error}",
                self.url
            )
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.into()))?;
        // Its errors reach the request as well.
        tokio::spawn(connection);
        let request = match body {
            None => Request::get(path),
            Some(_) => Request::post(path).header(CONTENT_TYPE, "application/json"),
        };
        let request = request
            .header(HOST, &self.authority)
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))?;
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| broken(error.into()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX);
        Ok((status, body.collect().await.map_err(broken)?.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let client = Client::new("http://127.0.0.1:7700/").unwrap();
        assert_eq!(client.address, ("127.0.0.1".to_owned(), 7700));
        let client = Client::new("http://[::1]").unwrap();
        assert_eq!(client.address, ("::1".to_owned(), 80));
        assert_eq!(client.authority, "[::1]");
    }

    #[test]
    fn other_urls_are_told_the_cure() {
        for url in [
            "127.0.0.1:7700",
            "https://a",
            "http://a/b",
            "",
            "http://a b",
        ] {
            let error = Client::new(url).unwrap_err().to_string();
            assert!(error.ends_with("as in http://127.0.0.1:7700"), "{error}");
        }
    }
}
