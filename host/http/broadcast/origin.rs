//! Keeps pages of other sites from listening with their visitors' authority.
//!
//! Browsers let any page open a WebSocket to any host, with the visitor's
//! cookies; they only say whose page it is. So a page must come from this host,
//! or from an origin that the operator names. A page that makes its own name
//! point here is told apart by the names that the operator lists in `hosts`.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HOST, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::config::{Authority, BroadcastSettings, Origin};
use crate::http::problem::Problem;

/// Judges whose page asks; returns its origin if that is another than the host's
/// own.
///
/// # Errors
/// 421 for a host that is not listed, 403 for an origin.
pub(super) fn judge(
    parts: &Parts,
    settings: &BroadcastSettings,
) -> Result<Option<HeaderValue>, Problem> {
    let called = called(parts);
    let host = called.and_then(|called| Authority::parse(called).ok());
    let listed = |host: &Authority| settings.hosts.iter().any(|listed| listed.admits(host));
    if !settings.hosts.is_empty() && !host.as_ref().is_some_and(listed) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host-not-allowed",
            format!(
                "the host {:?} is not among those that the operator lists",
                called.unwrap_or_default()
            ),
        ));
    }
    if !parts.headers.contains_key(ORIGIN) {
        return Ok(None);
    }
    let given = only(&parts.headers, ORIGIN);
    let origin = given.and_then(|given| Origin::parse(given.to_str().ok()?).ok());
    let is_own = |origin: &Origin| host.as_ref().is_some_and(|host| origin.is_at(host));
    match (origin, given) {
        (Some(origin), _) if is_own(&origin) => Ok(None),
        (Some(origin), Some(given)) if settings.origins.contains(&origin) => {
            Ok(Some(given.clone()))
        }
        _ => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "origin-not-allowed",
            format!(
                "a page from {:?} may not ask the host {:?}; it must come from there, or from an \
                 origin that the operator lists",
                given.and_then(|given| given.to_str().ok()).unwrap_or("?"),
                called.unwrap_or_default()
            ),
        )),
    }
}

/// Lets a page that comes from `elsewhere` read the answer.
pub(super) fn share(elsewhere: Option<HeaderValue>, headers: &mut HeaderMap) {
    let Some(origin) = elsewhere else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let yes = HeaderValue::from_static("true");
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    headers.insert(VARY, HeaderValue::from_static("origin"));
}

/// What the client calls this host. HTTP/2 names it in the request's target.
fn called(parts: &Parts) -> Option<&str> {
    if !parts.headers.contains_key(HOST) {
        return parts.uri.authority().map(|authority| authority.as_str());
    }
    only(&parts.headers, HOST)?.to_str().ok()
}

/// A header that is there once; who sends two may mean either.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}
