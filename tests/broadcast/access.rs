//! Who may listen, and from where.

use serde_json::json;
use tungstenite::Message;

use super::super::support::client::Connection;
use super::super::support::listen::{Socket, Told, encoded, handshake, request};
use super::super::support::server::Server;
use super::Transport;
use super::{listen, with_settings};
use exthost::config::BroadcastSettings;

/// A host that is not in development, so that nobody is authenticated, with the
/// public channels `host/public.>`.
fn serious(adapt: impl FnOnce(&mut BroadcastSettings)) -> Server {
    let mut settings = BroadcastSettings::default();
    settings.public = vec!["host/public.>".parse().unwrap()];
    adapt(&mut settings);
    Server::start_with(&[], |builder| {
        builder.development(false).broadcast(settings)
    })
}

/// Asks for events; returns the status, and the headers or the body.
fn ask(server: &Server, query: &str, host: &str, origin: Option<&str>) -> (u16, String) {
    let mut connection = Connection::open(server.address).unwrap();
    let origin = origin.map_or_else(String::new, |origin| format!("origin: {origin}\r\n"));
    let query = encoded(query);
    let text = format!("GET /api/broadcast{query} HTTP/1.1\r\nhost: {host}\r\n{origin}\r\n");
    connection.send(text.as_bytes()).unwrap();
    let (status, headers) = connection.response_head().unwrap();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    match length {
        None => (status, format!("{headers:?}")),
        Some((_, length)) => {
            let body = connection.bytes(length.parse().unwrap()).unwrap();
            (status, String::from_utf8(body).unwrap())
        }
    }
}

#[test]
fn the_anonymous_hear_public_channels_alone() {
    let server = serious(|_| {});
    for (channels, expected) in [
        ("host/public.a", 200),
        ("host/public.>,host/public.*", 200),
        ("host/private", 401),
        ("host/public.a,host/private", 401),
        ("host/>", 401),
        ("*/public.a", 401),
    ] {
        let query = format!("?channels={channels}");
        let (status, said) = ask(&server, &query, "localhost", None);
        assert_eq!(status, expected, "{channels}: {said}");
        let socket = handshake(server.address, request(&query, "localhost", None));
        let status = socket.map_or_else(|refused| refused.0, |_| 200);
        assert_eq!(status, expected, "{channels}");
    }
    let mut socket = Socket::open(server.address, "?channels=host/public.a");
    assert!(matches!(socket.next(), Some(Told::Ready(_))));
    let refused = socket.ask(Message::text("{\"subscribe\": [\"host/private\"]}"));
    assert_eq!(refused["error"]["code"], "unauthenticated", "{refused}");
    let taken = socket.ask(Message::text("{\"subscribe\": [\"host/public.b.c\"]}"));
    assert_eq!(
        taken,
        json!({"subscribed": ["host/public.a", "host/public.b.c"]})
    );
    server.host.publish("private", "", &1).unwrap();
    server.host.publish("public.a", "", &2).unwrap();
    assert_eq!(socket.next().unwrap().message()["data"], 2);
}

#[test]
fn whoever_asks_wrongly_is_told_how() {
    let server = with_settings(|_| {});
    for path in ["/api/broadcast", "/api/broadcast/ws"] {
        for (query, code) in [
            ("", "bad-channels"),
            ("?channel=notes/>", "bad-channels"),
            ("?channels=", "bad-channels"),
            ("?channels=notes", "bad-channel-pattern"),
            ("?channels=notes/>,a b/c", "bad-channel-pattern"),
            ("?channels=notes/%ff", "bad-channels"),
        ] {
            let response = server.get(&format!("{path}{}", encoded(query)));
            assert_eq!(
                (response.status, &*response.code()),
                (400, code),
                "{response:?}"
            );
            let said = response.text();
            assert!(
                said.contains("notes/%3E") || said.contains("notes/>"),
                "{said}"
            );
            assert!(response.header("x-request-id").is_some());
        }
        let many: Vec<_> = (0..65).map(|n| format!("a/{n}")).collect();
        let response = server.get(&format!("{path}?channels={}", many.join(",")));
        assert_eq!((response.status, &*response.code()), (400, "patterns-max"));
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let response = server.request(method, path, &[], b"");
            assert_eq!(
                (response.status, &*response.code()),
                (405, "method-not-allowed")
            );
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
        }
    }
    let plain = server.get("/api/broadcast/ws?channels=a/b");
    assert_eq!((plain.status, &*plain.code()), (400, "not-a-websocket"));
}

#[test]
fn there_are_so_many_clients_at_a_time() {
    let server = with_settings(|settings| settings.clients_max = 2);
    let first = listen(&server, Transport::Events, "host/>");
    let second = listen(&server, Transport::Socket, "host/>");
    for path in ["/api/broadcast", "/api/broadcast/ws"] {
        let refused = server.get(&format!("{path}?channels=host/%3E"));
        assert_eq!((refused.status, &*refused.code()), (503, "clients-max"));
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    drop((first, second));
    super::eventually("there is room again", || {
        server.get("/api/host/broadcast").json()["clients"] == 0
    });
    drop(listen(&server, Transport::Socket, "host/>"));
}

/// What browsers and others send as `Host`.
const HOSTS: [&str; 15] = [
    "app.example",
    "APP.EXAMPLE",
    "app.example:80",
    "app.example:443",
    "app.example:8080",
    "app.example.",
    "evil.example",
    "127.0.0.1",
    "127.0.0.1:7700",
    "localhost:7700",
    "[::1]:7700",
    "app.example.evil.example",
    "xapp.example",
    "app.example@evil.example",
    "app.example:x",
];

/// Origins with the hosts that they are at; `*` for all.
const ORIGINS: [(&str, &[&str]); 25] = [
    (
        "http://app.example",
        &["app.example", "APP.EXAMPLE", "app.example:80"],
    ),
    (
        "https://app.example",
        &["app.example", "APP.EXAMPLE", "app.example:443"],
    ),
    (
        "https://APP.example",
        &["app.example", "APP.EXAMPLE", "app.example:443"],
    ),
    (
        "https://app.example:443",
        &["app.example", "APP.EXAMPLE", "app.example:443"],
    ),
    (
        "http://app.example:80",
        &["app.example", "APP.EXAMPLE", "app.example:80"],
    ),
    ("https://app.example:80", &["app.example:80"]),
    ("https://app.example:8080", &["app.example:8080"]),
    ("http://app.example:8080", &["app.example:8080"]),
    ("https://app.example.", &["app.example."]),
    ("https://evil.example", &["evil.example"]),
    ("http://evil.example:8080", &[]),
    (
        "https://app.example.evil.example",
        &["app.example.evil.example"],
    ),
    ("https://xapp.example", &["xapp.example"]),
    ("http://127.0.0.1:7700", &["127.0.0.1:7700"]),
    ("http://127.0.0.1", &["127.0.0.1"]),
    ("http://localhost:7700", &["localhost:7700"]),
    ("http://[::1]:7700", &["[::1]:7700"]),
    ("https://listed.example", &["*"]),
    ("null", &[]),
    ("https://app.example@evil.example", &[]),
    ("https://app.example/", &[]),
    ("https://app.example https://evil.example", &[]),
    ("file://", &[]),
    ("*", &[]),
    ("app.example", &[]),
];

#[test]
fn pages_of_other_sites_are_kept_out() {
    let listed = |settings: &mut BroadcastSettings| {
        settings.origins = vec!["https://listed.example".parse().unwrap()];
    };
    let open = serious(listed);
    let named = serious(|settings| {
        listed(settings);
        settings.hosts = vec!["app.example".parse().unwrap()];
    });
    let query = "?channels=host/public.a";
    let (mut taken, mut refused) = (0, 0);
    for (origin, at) in ORIGINS {
        for host in HOSTS {
            for server in [&open, &named] {
                let is_named = host.to_lowercase().split(':').next() == Some("app.example")
                    && host != "app.example:x";
                let expected = match at.contains(&host) || *at == ["*"] {
                    _ if std::ptr::eq(server, &named) && !is_named => 421,
                    true => 200,
                    false => 403,
                };
                let (status, said) = ask(server, query, host, Some(origin));
                assert_eq!(status, expected, "{origin} at {host}: {said}");
                if status == 200 {
                    let shared = said.contains("access-control-allow-origin");
                    assert_eq!(shared, *at == ["*"], "{origin} at {host}: {said}");
                }
                let socket = handshake(server.address, request(query, host, Some(origin)));
                let status = socket.map_or_else(|refused| refused.0, |_| 200);
                assert_eq!(status, expected, "{origin} at {host}, WebSocket");
                match status {
                    200 => taken += 1,
                    _ => refused += 1,
                }
            }
        }
    }
    assert_eq!((taken, taken + refused), (64, 750));
    let (status, said) = ask(&open, query, "app.example", Some("https://evil.example"));
    assert_eq!(status, 403);
    assert!(
        said.contains("evil.example") && said.contains("app.example"),
        "{said}"
    );
    // Two of them may mean either.
    let two = "https://app.example\r\norigin: https://evil.example";
    assert_eq!(ask(&open, query, "app.example", Some(two)).0, 403);
}
