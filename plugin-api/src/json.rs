//! JSON in and out, and where in a text an error lies.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, FromRequest, IntoResponse, Needs, Parts, Response, Result, StatusCode};

/// JSON: as an extractor the request's body, as a response its own.
///
/// # Errors
/// As an extractor: 415 when the content type is not JSON, 400 when the body is
/// not, 422 when it is of another form than `T`, with the path of the value.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct NewNote {
///     text: String,
/// }
///
/// #[derive(Serialize)]
/// struct Note {
///     id: u64,
///     text: String,
/// }
///
/// async fn create(Json(new): Json<NewNote>) -> (StatusCode, Json<Note>) {
///     (StatusCode::CREATED, Json(Note { id: 1, text: new.text }))
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    fn needs(needs: &mut Needs) {
        needs.whole_body();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        let content_type = parts.header("content-type").unwrap_or_default();
        if !is_json(content_type) {
            let message = format!("expected application/json, got `{content_type}`");
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                message,
            ));
        }
        let text = parts.body();
        serde_json::from_slice(text)
            .map(Json)
            .map_err(|error| refuse(text, &error))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => Response::new(body).with_header("content-type", "application/json"),
            Err(error) => Error::from(error).into_response(),
        }
    }
}

/// Whether a content type is `application/json` or ends in `+json`.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence
            .to_ascii_lowercase()
            .strip_suffix("+json")
            .is_some_and(|kind| !kind.is_empty())
}

fn refuse(text: &[u8], error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    if error.is_data() {
        let path = path_at(text, line, column);
        let place = if path.is_empty() { "the body" } else { &path };
        Error::unprocessable(format!("{place}: {}", reason(error)))
            .with_code("bad-json-data")
            .with_detail(serde_json::json!({"path": path, "line": line, "column": column}))
    } else {
        Error::bad_request(format!("the body is not JSON: {error}"))
            .with_code("bad-json")
            .with_detail(serde_json::json!({"line": line, "column": column}))
    }
}

/// What serde says, without the line and column.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The JSON Pointer of the value that ends, or is under way, at a place that
/// serde_json reported; serde itself does not keep track of paths.
pub(crate) fn path_at(text: &[u8], line: usize, column: usize) -> String {
    let before: usize = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let end = (before + column).min(text.len());
    // Each open array with its index, each open object with its last key.
    let mut open: Vec<Step> = Vec::new();
    let mut at = 0;
    while at < end {
        match text[at] {
            b'{' => open.push(Step::Key(None)),
            b'[' => open.push(Step::Index(0)),
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Key(key)) => *key = None,
                None => {}
            },
            b'"' => {
                let start = at;
                at = end_of_string(text, at);
                if let Some(Step::Key(key @ None)) = open.last_mut() {
                    let quoted = &text[start..at.min(text.len())];
                    *key = serde_json::from_slice(quoted).ok();
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    open.iter().filter_map(Step::pointer).collect()
}

enum Step {
    Index(usize),
    Key(Option<String>),
}

impl Step {
    fn pointer(&self) -> Option<String> {
        match self {
            Step::Index(index) => Some(format!("/{index}")),
            Step::Key(Some(key)) => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Step::Key(None) => None,
        }
    }
}

/// The place after the string that begins at `at`.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[expect(dead_code, reason = "only its form matters")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[expect(dead_code, reason = "only its form matters")]
        price: u32,
    }

    fn path(text: &str) -> String {
        let error = serde_json::from_str::<Order>(text).unwrap_err();
        path_at(text.as_bytes(), error.line(), error.column())
    }

    #[test]
    fn the_path_of_a_value_of_another_form() {
        assert_eq!(
            path("{\"items\": [{\"price\": 1},\n {\"price\": \"x\"}]}"),
            "/items/1/price"
        );
        assert_eq!(path(r#"{"items": 3}"#), "/items");
        assert_eq!(path(r#"{"a~/b": {"c": [1]}, "items": true}"#), "/items");
    }

    #[test]
    fn a_missing_field_is_the_fault_of_its_object() {
        assert_eq!(
            path(r#"{"items": [{"price": 1}, {"cost": 1}]}"#),
            "/items/1"
        );
        assert_eq!(path("{}"), "");
    }

    #[test]
    fn content_types() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/ld+json",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/plain", "application/jsonx", "+json"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
