//! Keeps web pages of other sites away from a server that asks for no token.
//!
//! A page that a developer visits can make the browser send requests to
//! loopback; by rebinding its own name it can even read the answers. So in
//! development the `Host` must be a loopback name, and so must an `Origin`.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderName, StatusCode, Uri};

use crate::http::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Puts the guard before `router`, in development.
pub(super) fn apply(router: axum::Router, development: bool) -> axum::Router {
    match development {
        true => router.layer(from_fn(check)),
        false => router,
    }
}

async fn check(request: Request, next: Next) -> Response {
    match judge(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn judge(request: &Request) -> Result<(), Problem> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    // HTTP/2 names the host in the request's target.
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let host = header(HOST).or(authority).unwrap_or_default();
    if !is_loopback(host) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host-not-loopback",
            format!(
                "the host {host:?} is not a loopback name; in development only those are served"
            ),
        ));
    }
    // Links lead here from anywhere; images, scripts and forms of other sites
    // must not, and they may come without an `Origin`.
    let from_elsewhere = header(SEC_FETCH_SITE) == Some("cross-site");
    let is_link = header(SEC_FETCH_MODE) == Some("navigate")
        && header(SEC_FETCH_DEST) == Some("document")
        && *request.method() == http::Method::GET;
    if from_elsewhere && !is_link {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "a page of another site asks for this",
        ));
    }
    match header(ORIGIN) {
        Some(origin) if !origin_is_loopback(origin) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "origin-not-loopback",
            format!("the origin {origin:?} is not a loopback name"),
        )),
        _ => Ok(()),
    }
}

fn origin_is_loopback(origin: &str) -> bool {
    let uri = origin.parse::<Uri>().ok();
    uri.is_some_and(|uri| is_loopback(uri.authority().map_or("", |authority| authority.as_str())))
}

/// Whether `host`, with or without a port, means this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    name.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names() {
        for host in [
            "localhost",
            "LOCALHOST:7700",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:7700",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "evil.example:7700",
            "10.0.0.1",
            "[::2]:7700",
            "localhost@evil.example",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn origins() {
        assert!(origin_is_loopback("http://localhost:3000"));
        for origin in [
            "null",
            "http://evil.example",
            "file://",
            "https://127.0.0.1.evil.example",
        ] {
            assert!(!origin_is_loopback(origin), "{origin}");
        }
    }
}
