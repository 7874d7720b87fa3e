//! The request of `exthost call`, as the arguments say it.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use clap::Args;
use exthost::name::PluginName;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::Result;

/// Largest body in bytes. What a plugin takes is for its routes to say.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// In development, a JSON actor to act as.
const ACT_AS: HeaderName = HeaderName::from_static("x-exthost-actor");

/// What is asked of the plugin.
#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Asked {
    /// GET without it, or POST with a body
    #[arg(value_parser = method)]
    method: Option<Method>,
    /// What the plugin is asked for, relative to where it is mounted, as in
    /// hello?name=Ada
    #[arg(required = true)]
    path: String,
    /// The body: a text, `@FILE` for a file, `-` for stdin; JSON is sent as
    /// application/json
    #[arg(short, long, value_name = "BODY", allow_hyphen_values = true)]
    data: Option<String>,
    /// A header, as in 'accept: text/html'
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Who asks, as JSON; without it, the developer. As in
    /// '{"kind":"user","id":"u1","name":"Ada","scopes":["notes.write"]}' or
    /// '{"kind":"anonymous"}'
    #[arg(long = "as", value_name = "ACTOR", value_parser = actor)]
    actor: Option<HeaderValue>,
}

impl Asked {
    /// The request to the plugin `name`.
    pub(crate) fn request(&self, name: &PluginName) -> Result<Request<Full<Bytes>>> {
        let body = self.data.as_deref().map(body).transpose()?;
        let method = self.method.clone().unwrap_or(match body {
            Some(_) => Method::POST,
            None => Method::GET,
        });
        let body = body.unwrap_or_default();
        let is_json = serde_json::from_slice::<&RawValue>(&body).is_ok();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri(name, &self.path)?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if is_json && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // Whoever asks in development says by what name it reached the host.
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_static("localhost"));
        }
        if let Some(actor) = &self.actor {
            headers.insert(ACT_AS, actor.clone());
        }
        Ok(request)
    }
}

/// Where a path of the plugin `name` is.
fn uri(name: &PluginName, path: &str) -> Result<Uri> {
    let mount = format!("/api/ext/{name}/");
    if path.starts_with('/') && !path.starts_with(&mount) {
        return Err(format!(
            "the path `{path}` is not below `{mount}`; without its first slash it is taken from \
             there"
        )
        .into());
    }
    let path = path.strip_prefix(&mount).unwrap_or(path);
    let uri = format!("{mount}{path}").parse();
    uri.map_err(|error| {
        format!("the path `{path}` cannot be sent: {error}; a space is %20, as in any URL").into()
    })
}

/// The body that an argument stands for.
fn body(argument: &str) -> Result<Bytes> {
    match argument.strip_prefix('@') {
        Some(path) => {
            let file = File::open(path)
                .map_err(|error| format!("the file `{path}` cannot be opened: {error}"))?;
            read(file, path)
        }
        None if argument == "-" => read(io::stdin().lock(), "stdin"),
        None => Ok(Bytes::copy_from_slice(argument.as_bytes())),
    }
}

/// Reads a body from what is called `source` in errors.
fn read(from: impl Read, source: &str) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = from.take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{source} cannot be read: {error}"))?;
    match bytes.len() as u64 > BODY_BYTES_MAX {
        true => Err(format!(
            "{source} has more than {BODY_BYTES_MAX} bytes; a server is the better place for that"
        )
        .into()),
        false => Ok(bytes.into()),
    }
}

/// A method, in whichever case it is typed.
fn method(argument: &str) -> Result<Method> {
    Ok(argument.to_ascii_uppercase().parse()?)
}

fn header(argument: &str) -> Result<(HeaderName, HeaderValue)> {
    let (name, value) = argument
        .split_once(':')
        .ok_or("it has no colon; write `name: value`")?;
    Ok((name.trim().parse()?, value.trim().parse()?))
}

/// An actor, in one line; the host says whether it is one.
fn actor(argument: &str) -> Result<HeaderValue> {
    let value: Value = serde_json::from_str(argument)?;
    Ok(HeaderValue::from_str(&value.to_string())?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use http_body_util::BodyExt;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        asked: Asked,
    }

    fn request(arguments: &[&str]) -> std::result::Result<Request<Full<Bytes>>, String> {
        let all = ["call"].iter().chain(arguments);
        let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
        let notes = PluginName::parse("notes").unwrap();
        command
            .asked
            .request(&notes)
            .map_err(|error| error.to_string())
    }

    fn body_of(request: Request<Full<Bytes>>) -> Bytes {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime
            .block_on(request.into_body().collect())
            .unwrap()
            .to_bytes()
    }

    #[test]
    fn paths_are_relative_to_the_mount() {
        for (path, uri) in [
            ("items?q=a%20b", "/api/ext/notes/items?q=a%20b"),
            ("", "/api/ext/notes/"),
            ("/api/ext/notes/items", "/api/ext/notes/items"),
        ] {
            let request = request(&[path]).unwrap();
            assert_eq!(
                (request.uri().to_string(), request.method()),
                (uri.into(), &Method::GET)
            );
        }
        for (path, part) in [
            ("/items", "`/items` is not below `/api/ext/notes/`"),
            ("/api/ext/other/items", "is not below"),
            ("items?q=a b", "a space is %20"),
        ] {
            let error = request(&[path]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_asked_for_is_sent() {
        let asked = request(&["put", "items/1", "-d", r#"{"a":1}"#, "-H", "x-a: b: c"]).unwrap();
        assert_eq!(asked.method(), Method::PUT);
        assert_eq!(asked.headers()["x-a"], "b: c");
        assert_eq!(asked.headers()["content-type"], "application/json");
        assert_eq!(body_of(asked), r#"{"a":1}"#);

        let asked = request(&["items", "-d", "bread"]).unwrap();
        assert_eq!(asked.method(), Method::POST);
        assert!(!asked.headers().contains_key("content-type"));

        let asked = request(&["items", "-d", "1", "-H", "Content-Type: text/plain"]).unwrap();
        assert_eq!(asked.headers().get_all("content-type").iter().count(), 1);
        assert_eq!(asked.headers()["content-type"], "text/plain");

        let asked = request(&["whoami", "--as", "{\n\"kind\": \"anonymous\"}"]).unwrap();
        assert_eq!(asked.headers()[ACT_AS], r#"{"kind":"anonymous"}"#);
    }

    #[test]
    fn a_body_may_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("body.bin");
        let at = format!("@{}", file.display());
        let missing = request(&["items", "-d", &at]).unwrap_err();
        assert!(missing.contains("cannot be opened"), "{missing}");
        std::fs::write(&file, b"\x00\xff").unwrap();
        let asked = request(&["items", "-d", &at]).unwrap();
        assert_eq!(&body_of(asked)[..], b"\x00\xff");
        let large = File::create(&file).unwrap();
        large.set_len(BODY_BYTES_MAX + 1).unwrap();
        let error = request(&["items", "-d", &at]).unwrap_err();
        assert!(error.contains("has more than 67108864 bytes; "), "{error}");
    }

    #[test]
    fn bad_arguments_are_told() {
        for (arguments, part) in [
            (&[][..], "required"),
            (&["a b", "items"], "invalid HTTP method"),
            (&["items", "-H", "accept"], "it has no colon"),
            (&["items", "-H", "a b: c"], "invalid HTTP header name"),
            (&["items", "--as", "Ada"], "expected value"),
        ] {
            let error = request(arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
