//! What a client asks for.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;

use crate::auth::AuthError;
use crate::http::broadcast::problem;
use crate::http::problem::Problem;
use crate::services::broadcast::Patterns;

/// Where browsers name the last event that they have seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Channels, and from where on.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) patterns: Patterns,
    /// The id of the last message that the client has seen.
    pub(super) since: Option<String>,
}

impl Query {
    /// Reads the parameters `channels` and `last_event_id`. The header
    /// `Last-Event-ID` comes before the latter: a browser that connects again
    /// repeats the old URL.
    ///
    /// # Errors
    /// 400, which says how to ask.
    pub(super) fn read(parts: &Parts) -> Result<Self, Problem> {
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let channels: Vec<String> = values(query, "channels")
            .collect::<Option<_>>()
            .ok_or_else(|| bad(path, "`channels` is not percent-encoded UTF-8"))?;
        let all = channels.iter().flat_map(|list| list.split(','));
        let all: Vec<&str> = all.map(str::trim).filter(|it| !it.is_empty()).collect();
        if all.is_empty() {
            return Err(bad(path, "there are no channels to listen to"));
        }
        let patterns = Patterns::parse(all).map_err(|error| problem(&error))?;
        let header = parts.headers.get(LAST_EVENT_ID);
        let since = match header {
            Some(header) => Some(String::from_utf8_lossy(header.as_bytes()).into_owned()),
            None => values(query, "last_event_id").next().flatten(),
        };
        let since = since.filter(|since| !since.is_empty());
        Ok(Query { patterns, since })
    }
}

/// Makes the parameter `access_token` a header, for whoever authenticates: a page
/// cannot set headers of an `EventSource` or a WebSocket (RFC 6750, section 2.3).
///
/// # Errors
/// [`AuthError::Malformed`] for several credentials, and for a text that no token is.
pub(super) fn adopt_token(parts: &mut Parts) -> Result<(), AuthError> {
    let query = parts.uri.query().unwrap_or_default();
    let mut tokens = values(query, "access_token");
    let Some(token) = tokens.next() else {
        return Ok(());
    };
    if tokens.next().is_some() || parts.headers.contains_key(AUTHORIZATION) {
        return Err(AuthError::malformed(
            "there are several credentials; send one header `authorization`, or one parameter \
             `access_token`",
        ));
    }
    let token = token.filter(|token| is_token(token));
    let header = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
    let mut header = header.ok_or_else(|| {
        AuthError::malformed("the parameter `access_token` has characters that no token has")
    })?;
    header.set_sensitive(true);
    parts.headers.insert(AUTHORIZATION, header);
    Ok(())
}

/// Whether a text may stand after `Bearer` (RFC 6750, section 2.1).
fn is_token(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let text = text.trim_end_matches('=');
    !text.is_empty() && text.bytes().all(legal)
}

/// The values of a parameter, decoded; nothing for one that is malformed.
fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = Option<String>> + 'a {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let of_name = pairs.filter(move |(other, _)| *other == name);
    of_name.map(|(_, value)| {
        let decoded = percent_decode_str(value).decode_utf8().ok()?;
        Some(decoded.into_owned())
    })
}

fn bad(path: &str, what: &str) -> Problem {
    let detail = format!(
        "{what}; name them in the query as plugin/pattern, as in \
         {path}?channels=notes/%3E,ticker/*, where %3E is the pattern >"
    );
    Problem::new(StatusCode::BAD_REQUEST, "bad-channels", detail)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(query: &str, header: Option<&str>) -> Result<Query, Problem> {
        let mut request = Request::builder().uri(format!("/api/broadcast{query}"));
        if let Some(header) = header {
            request = request.header("last-event-id", header);
        }
        Query::read(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn channels_and_where_to_go_on() {
        let query = read("?x=1&channels=notes/%3E,ticker%2F*&channels=a/b", None).unwrap();
        let expected = Patterns::parse(["a/b", "notes/>", "ticker/*"]).unwrap();
        assert_eq!((query.patterns, query.since), (expected, None));
        for (query, header, since) in [
            ("?channels=a/b&last_event_id=r-1", None, Some("r-1")),
            ("?channels=a/b&last_event_id=r-1", Some("r-2"), Some("r-2")),
            ("?channels=a/b&last_event_id=", None, None),
            ("?channels=a/b&last_event_id=%ff", None, None),
            ("?channels=a/b", Some(""), None),
        ] {
            assert_eq!(
                read(query, header).unwrap().since.as_deref(),
                since,
                "{query}"
            );
        }
    }

    #[test]
    fn what_is_no_question() {
        for query in [
            "",
            "?",
            "?channels",
            "?channels=",
            "?channels=,",
            "?channels=%ff",
        ] {
            let problem = format!("{:?}", read(query, None).unwrap_err());
            assert!(problem.contains("?channels=notes/%3E,"), "{problem}");
        }
        let problem = format!("{:?}", read("?channels=notes", None).unwrap_err());
        assert!(problem.contains("bad-channel-pattern"), "{problem}");
    }
    #[test]
    fn a_token_in_the_query_becomes_a_header() {
        let adopt = |query: &str, header: Option<&str>| {
            let mut request = Request::builder().uri(format!("/api/broadcast?{query}"));
            if let Some(header) = header {
                request = request.header(AUTHORIZATION, header);
            }
            let mut parts = request.body(()).unwrap().into_parts().0;
            adopt_token(&mut parts).map_err(|error| error.code())?;
            let header = parts.headers.get(AUTHORIZATION);
            Ok(header.map(|value| value.to_str().unwrap().to_owned()))
        };
        let bearer = |token: &str| Ok(Some(format!("Bearer {token}")));
        assert_eq!(adopt("a=1", None), Ok(None));
        assert_eq!(
            adopt("a=1", Some("Basic x")),
            Ok(Some("Basic x".to_owned()))
        );
        assert_eq!(adopt("access_token=a-b_c", None), bearer("a-b_c"));
        assert_eq!(adopt("a=1&access_token=a%2Db", None), bearer("a-b"));
        let malformed = Err("malformed-credentials");
        for (query, header) in [
            ("access_token=a&access_token=a", None),
            ("access_token=a", Some("Bearer a")),
            ("access_token=a", Some("")),
            ("access_token=a%0Ab", None),
            ("access_token=%ff", None),
            ("access_token=", None),
            ("access_token=%20a", None),
            ("access_token=a%20", None),
            ("access_token=%22a%22", None),
        ] {
            assert_eq!(adopt(query, header), malformed, "{query}");
        }
    }
}
