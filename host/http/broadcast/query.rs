//! What a client asks for.

use http::request::Parts;
use http::{HeaderName, StatusCode};
use percent_encoding::percent_decode_str;

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
}
