//! Paths under `/api/ext/`: split and judged before anything is decoded, so that
//! no spelling of one mount reaches another.

use std::borrow::Cow;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::http::problem::Problem;

/// Where plugins are mounted.
const MOUNT: &str = "/api/ext/";

/// A path that names a plugin.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PluginPath<'a> {
    /// `/api/ext/{name}`.
    pub(super) mount: &'a str,
    /// The plugin's name.
    pub(super) name: &'a str,
    /// The rest, as sent, with a leading slash.
    pub(super) rest: &'a str,
}

impl<'a> PluginPath<'a> {
    /// Splits a raw path.
    ///
    /// # Errors
    /// 400 for a path that another reader could take for a different one.
    pub(super) fn parse(path: &'a str) -> Result<Self, Problem> {
        let below = path.strip_prefix(MOUNT).ok_or_else(|| {
            let detail = format!("plugins are served under {MOUNT}, not under {path}");
            Problem::new(StatusCode::NOT_FOUND, "not-mounted", detail)
        })?;
        if let Some(fault) = fault(below) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-path",
                format!("the path contains {fault}"),
            ));
        }
        let name_len = below.find('/').unwrap_or(below.len());
        let (mount, rest) = path.split_at(MOUNT.len() + name_len);
        Ok(PluginPath {
            mount,
            name: &below[..name_len],
            rest: if rest.is_empty() { "/" } else { rest },
        })
    }
}

/// Decodes the raw value of a parameter, once.
pub(super) fn decode<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>, Problem> {
    percent_decode_str(raw).decode_utf8().map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-path",
            format!("the path's {name} is not UTF-8 once decoded"),
        )
    })
}

/// What makes a path ambiguous, in words.
fn fault(path: &str) -> Option<&'static str> {
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\\' => return Some("a backslash"),
            b'%' => {
                let hex = |at: usize| bytes.get(at).copied().filter(u8::is_ascii_hexdigit);
                let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2)) else {
                    return Some("a percent sign without two hexadecimal digits");
                };
                match [high.to_ascii_lowercase(), low.to_ascii_lowercase()] {
                    [b'2', b'f'] => return Some("an encoded slash"),
                    [b'5', b'c'] => return Some("an encoded backslash"),
                    [b'0' | b'1', _] | [b'7', b'f'] => return Some("an encoded control character"),
                    _ => {}
                }
            }
            0..=0x20 | 0x7f => return Some("a control character or space"),
            0x80.. => return Some("a character that is not ASCII; encode it"),
            _ => {}
        }
    }
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        // A trailing slash leaves an empty last segment, which is legal.
        if segment.is_empty() && segments.peek().is_some() {
            return Some("an empty segment");
        }
        let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
        if decoded == "." || decoded == ".." {
            return Some("a segment that means this or the parent directory");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_before_decoding() {
        let cases = [
            ("/api/ext/hello", "hello", "/"),
            ("/api/ext/hello/", "hello", "/"),
            ("/api/ext/hello/items/7", "hello", "/items/7"),
            ("/api/ext/hello/a%20b/", "hello", "/a%20b/"),
            ("/api/ext/hel%6Co/x", "hel%6Co", "/x"),
            ("/api/ext/hello/...", "hello", "/..."),
        ];
        for (path, name, rest) in cases {
            let parsed = PluginPath::parse(path).unwrap();
            assert_eq!((parsed.name, parsed.rest), (name, rest), "{path}");
            assert!(path.starts_with(parsed.mount));
        }
    }

    #[test]
    fn ambiguous_spellings_are_refused() {
        let cases = [
            "/api/ext/hello/../other/x",
            "/api/ext/hello/%2e%2E/other/x",
            "/api/ext/hello/.%2e/x",
            "/api/ext/./hello/x",
            "/api/ext/hello/a%2Fb",
            "/api/ext/hello%2fx",
            "/api/ext/hello/a%5cb",
            "/api/ext/hello/a\\b",
            "/api/ext/hello/a%00b",
            "/api/ext/hello/a%0ab",
            "/api/ext/hello//x",
            "/api/ext//hello/x",
            "/api/ext/hello/%",
            "/api/ext/hello/%2",
            "/api/ext/hello/%zz",
            "/api/ext/hello/ä",
        ];
        for path in cases {
            assert!(PluginPath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_parameter_is_decoded_once() {
        assert_eq!(decode("id", "a%2520b").unwrap(), "a%20b");
        assert_eq!(decode("id", "%C3%A4").unwrap(), "ä");
        assert!(decode("id", "%ff").is_err());
    }
}
