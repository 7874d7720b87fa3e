//! Asks a running host for JSON, over plain HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::cli::Result;
use crate::cli::remote::Named;

/// How long the host may take to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A running host, and as whom it is asked.
#[derive(Debug)]
pub(crate) struct Client {
    url: String,
    /// Who says that the host is there.
    whence: String,
    /// What goes with each request, if there is a token; shown nowhere.
    authorization: Option<HeaderValue>,
    /// Host and port, without brackets: `127.0.0.1`, `::1`.
    address: (String, u16),
    authority: String,
}

impl Client {
    /// Checks the URL of a host: `http://` with host and port.
    pub(crate) fn new(named: Named, token: Option<&str>) -> Result<Self> {
        let url = named.url.trim_end_matches('/');
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
            authorization: authorization(token)?,
            address: (host.to_owned(), authority.port_u16().unwrap_or(80)),
            authority: authority.as_str().to_owned(),
            url: url.to_owned(),
            whence: named.whence,
        })
    }

    /// The URL of the host.
    pub(crate) fn url(&self) -> &str {
        &self.url
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
                let cure = cure(value["code"].as_str().unwrap_or_default());
                Err(format!("{} answered {status}: {detail}{cure}", self.url).into())
            }
        }
    }

    async fn ask(&self, path: &str, body: Option<String>) -> Result<(StatusCode, Bytes)> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await;
        let stream = stream.map_err(|error| {
            format!(
                "no host answers at {}, {} ({error}); start one with `exthost serve` or `exthost \
                 dev`, or name another with --url",
                self.url, self.whence
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
        let mut request = match body {
            None => Request::get(path),
            Some(_) => Request::post(path).header(CONTENT_TYPE, "application/json"),
        };
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
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

/// What to do about a refusal, if that is known.
fn cure(code: &str) -> &'static str {
    match code {
        "unauthenticated" | "bad-credentials" => {
            "; create a token with `exthost token create NAME --scope SCOPE`, and set \
             EXTHOST_TOKEN to it"
        }
        "missing-scope" => {
            "; create a token that has it with `exthost token create NAME --scope SCOPE`, and set \
             EXTHOST_TOKEN to it"
        }
        _ => "",
    }
}

/// The header with a token; none for an empty one, as from a variable that is set to
/// nothing.
fn authorization(token: Option<&str>) -> Result<Option<HeaderValue>> {
    let Some(token) = token.map(str::trim).filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    let header = HeaderValue::try_from(format!("Bearer {token}"));
    let mut header = header.map_err(|_| {
        "the token has characters that no token has; set EXTHOST_TOKEN to what `exthost token \
         create` printed"
    })?;
    header.set_sensitive(true);
    Ok(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str, token: Option<&str>) -> Result<Client> {
        let (url, whence) = (url.to_owned(), String::new());
        Client::new(Named { url, whence }, token)
    }

    #[test]
    fn a_token_is_shown_nowhere() {
        let url = "http://127.0.0.1";
        let secret = client(url, Some(" exthost_secret\n")).unwrap();
        assert_eq!(
            secret.authorization.as_ref().unwrap(),
            "Bearer exthost_secret"
        );
        assert!(!format!("{secret:?}").contains("secret"), "{secret:?}");
        assert!(client(url, Some("")).unwrap().authorization.is_none());
        assert!(client(url, None).unwrap().authorization.is_none());
        let error = client(url, Some("exthost_secret\u{1}"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("EXTHOST_TOKEN") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn urls() {
        let named = client("http://127.0.0.1:7700/", None).unwrap();
        assert_eq!(named.address, ("127.0.0.1".to_owned(), 7700));
        let client = client("http://[::1]", None).unwrap();
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
            let error = client(url, None).unwrap_err().to_string();
            assert!(error.ends_with("as in http://127.0.0.1:7700"), "{error}");
        }
    }
}
