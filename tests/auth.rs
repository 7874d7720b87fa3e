//! Does nobody get further than they may, whatever they send?

mod command;
mod near;
mod own;
mod scopes;

use exthost::HostBuilder;
use exthost::auth::{Scope, TokenFile, Tokens};
use exthost::config::BroadcastSettings;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;

use super::support::client::{Connection, Response, head};
use super::support::listen::{handshake, request};
use super::support::rust_plugin;
use super::support::server::Server;

/// A host outside development that takes tokens, with the public channels
/// `host/public.>`.
struct Site {
    server: Server,
    file: TokenFile,
    _data: TempDir,
}

impl Site {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let tokens = Tokens::open(data.path()).unwrap();
        Site {
            server: serve(|builder| builder.authenticator(tokens)),
            file,
            _data: data,
        }
    }

    /// A new token with these scopes.
    fn token(&self, name: &str, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|scope| Scope::parse(scope).unwrap());
        let scopes: Vec<Scope> = scopes.collect();
        let (token, _) = self.file.create(name, &scopes, None).unwrap();
        token.reveal().to_owned()
    }
}

/// Serves `faulty` and `hello` outside development.
fn serve(adapt: impl FnOnce(HostBuilder) -> HostBuilder) -> Server {
    let mut settings = BroadcastSettings::default();
    settings.public = vec!["host/public.>".parse().unwrap()];
    let plugins = [rust_plugin("faulty"), rust_plugin("hello")];
    let plugins = plugins.each_ref().map(|plugin| plugin.as_path());
    Server::start_with(&plugins, |builder| {
        adapt(builder.development(false).broadcast(settings))
    })
}

/// A way in.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// A method, a path and a body.
    Http(&'static str, &'static str, &'static str),
    /// Server-sent events of these channels.
    Events(&'static str),
    /// A WebSocket for these channels.
    Socket(&'static str),
}

/// Each kind of way in, and what is answered to a token with all scopes and, where
/// that may come in as well, to nobody.
const WAYS: [(Way, u16, bool); 12] = [
    (Way::Http("GET", "/api/ext/faulty/asked", ""), 200, true),
    (Way::Http("GET", "/api/ext/hello/whoami", ""), 200, false),
    (Way::Http("GET", "/api/ext/faulty/scoped", ""), 200, false),
    (Way::Http("GET", "/api/host/plugins", ""), 200, false),
    (
        Way::Http("POST", "/api/host/plugins/hello/reload", ""),
        200,
        false,
    ),
    (
        Way::Http(
            "POST",
            "/api/host/dispatch",
            r#"{"plugin": "faulty", "event": "a"}"#,
        ),
        202,
        false,
    ),
    (
        Way::Http("POST", "/api/host/events/a?policy=fail_open", "1"),
        200,
        false,
    ),
    (Way::Http("GET", "/metrics", ""), 200, false),
    (Way::Events("host/private"), 200, false),
    (Way::Socket("host/private"), 200, false),
    (Way::Events("host/public.a"), 200, true),
    (Way::Socket("host/public.a"), 200, true),
];

/// All scopes that a way in asks for.
const ALL_SCOPES: [&str; 6] = [
    "host.read",
    "host.manage",
    "host.events",
    "host.dispatch",
    "host.metrics",
    "admin",
];

/// What is sent to be let in.
#[derive(Debug, Clone, Default)]
struct Credentials {
    /// Values of the header `authorization`.
    headers: Vec<String>,
    /// Values of the parameter `access_token`.
    parameters: Vec<String>,
}

impl Credentials {
    fn header(value: impl Into<String>) -> Self {
        Self::default().and_header(value)
    }

    fn parameter(value: impl Into<String>) -> Self {
        Self::default().and_parameter(value)
    }

    fn bearer(token: &str) -> Self {
        Self::header(format!("Bearer {token}"))
    }

    fn and_header(mut self, value: impl Into<String>) -> Self {
        self.headers.push(value.into());
        self
    }

    fn and_parameter(mut self, value: impl Into<String>) -> Self {
        self.parameters.push(value.into());
        self
    }
}

impl Way {
    /// Tries to come in. The body is left out where the connection goes on.
    fn ask(self, server: &Server, credentials: &Credentials) -> (u16, String) {
        let encoded = |text: &String| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters = credentials.parameters.iter();
        let parameters = parameters.map(|text| format!("&access_token={}", encoded(text)));
        let parameters: String = parameters.collect();
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(
            credentials
                .headers
                .iter()
                .map(|it| ("authorization", &**it)),
        );
        match self {
            Way::Http(method, path, body) => {
                let mark = if path.contains('?') { "" } else { "?" };
                let path = format!("{path}{mark}{parameters}");
                let response = server.request(method, &path, &headers, body.as_bytes());
                (response.status, response.text().to_owned())
            }
            Way::Events(channels) => {
                let path = format!("/api/broadcast?channels={channels}{parameters}");
                let mut connection = Connection::open(server.address).unwrap();
                let head = head("GET", &path, &headers, Some(0));
                connection.send(&head).unwrap();
                (connection.response_head().unwrap().0, String::new())
            }
            Way::Socket(channels) => {
                let query = format!("?channels={channels}{parameters}");
                let mut request = request(&query, "localhost", None);
                for value in &credentials.headers {
                    let value = value.parse().unwrap();
                    request.headers_mut().append("authorization", value);
                }
                match handshake(server.address, request) {
                    Ok(_) => (200, String::new()),
                    Err(refused) => refused,
                }
            }
        }
    }
}

/// Asks with a token.
fn get(server: &Server, path: &str, token: &str) -> Response {
    let bearer = format!("Bearer {token}");
    server.request("GET", path, &[("authorization", &bearer)], b"")
}
