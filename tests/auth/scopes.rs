//! Does every route of operators ask for its scope, and does a plugin see who asks
//! and not by what?

use std::time::Duration;

use serde_json::json;
use tungstenite::Message;

use super::*;
use crate::support::listen::{Socket, Told};
use crate::support::server::eventually;

/// Each route of operators with its scope.
const ROUTES: [(&str, &str, &str); 11] = [
    ("GET", "/api/host/plugins", "host.read"),
    ("GET", "/api/host/broadcast", "host.read"),
    ("GET", "/api/host/webhooks", "host.read"),
    ("GET", "/api/host/webhooks/deliveries", "host.read"),
    ("GET", "/api/host/logs", "host.read"),
    ("POST", "/api/host/logs", "host.manage"),
    ("POST", "/api/host/plugins/hello/reload", "host.manage"),
    ("POST", "/api/host/webhooks/replay", "host.manage"),
    ("POST", "/api/host/events/a", "host.events"),
    ("POST", "/api/host/dispatch", "host.dispatch"),
    ("GET", "/metrics", "host.metrics"),
];

#[test]
fn every_route_of_operators_asks_for_its_scope() {
    let site = Site::start();
    let none = site.token("none", &[]);
    for (method, path, scope) in ROUTES {
        let name = format!("{method}{}", path.replace('/', "."));
        let others = ALL_SCOPES.iter().filter(|other| **other != scope);
        let others: Vec<&str> = others.copied().collect();
        let with_others = site.token(&format!("others-{name}"), &others);
        let with_it = site.token(&format!("it-{name}"), &[scope]);
        let ask = |token: Option<&str>| {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let mut headers = vec![("x-exthost-actor", r#"{"kind":"user","id":"u"}"#)];
            headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
            site.server.request(method, path, &headers, b"")
        };
        let nobody = ask(None);
        assert_eq!(
            (nobody.status, &*nobody.code()),
            (401, "unauthenticated"),
            "{path}"
        );
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
        assert!(nobody.text().contains(scope), "{nobody:?}");
        for token in [&none, &with_others] {
            let refused = ask(Some(token));
            assert_eq!(
                (refused.status, &*refused.code()),
                (403, "missing-scope"),
                "{path}"
            );
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(refused.header("www-authenticate"), Some(&*challenge));
        }
        let allowed = ask(Some(&with_it));
        assert!(![401, 403].contains(&allowed.status), "{path}: {allowed:?}");
    }
    for path in ["/healthz", "/readyz", "/api/broadcast/client.js"] {
        assert_eq!(site.server.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_plugin_sees_who_asks_and_never_the_token() {
    let site = Site::start();
    let token = site.token("app", &["notes:write"]);
    let seen = |headers: &[(&str, &str)]| {
        let path = "/api/ext/faulty/asked";
        let response = site.server.request("GET", path, headers, b"");
        assert_eq!(response.status, 200, "{response:?}");
        response
    };
    let bearer = format!("Bearer {token}");
    let known = seen(&[("authorization", &bearer), ("x-other", "stays")]);
    let secret = &token["exthost_".len()..];
    assert!(!known.text().contains(secret), "{known:?}");
    let known = known.json();
    assert_eq!(known["name"], "app");
    assert_eq!(known["scopes"], json!(["notes:write"]));
    let headers = known["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-other", "stays"])), "{known}");
    let has_authorization =
        |headers: &[serde_json::Value]| headers.iter().any(|header| header[0] == "authorization");
    assert!(!has_authorization(headers), "{known}");

    // What is none of the host's is the plugin's.
    for own in ["Basic YTpi", "Bearer something-of-the-plugins"] {
        let nobody = seen(&[("authorization", own)]).json();
        assert_eq!(nobody["anonymous"], true);
        let headers = nobody["headers"].as_array().unwrap();
        assert!(headers.contains(&json!(["authorization", own])), "{nobody}");
    }
    let claimed = seen(&[("x-exthost-actor", r#"{"kind":"user","id":"u"}"#)]);
    assert_eq!(claimed.json()["anonymous"], true);
}

#[test]
fn a_web_socket_sends_events_only_with_the_scope() {
    let site = Site::start();
    let open = |token: &str| {
        let query = format!("?channels=host/private&access_token={token}");
        let mut socket = Socket::open(site.server.address, &query);
        assert!(matches!(socket.next(), Some(Told::Ready(_))));
        socket
    };
    let frame = || Message::text(r#"{"dispatch": {"plugin": "faulty", "event": "a"}}"#);
    let refused = open(&site.token("none", &["host.read"])).ask(frame());
    assert_eq!(refused["error"]["code"], "missing-scope", "{refused}");
    let with = site.token("with", &["host.dispatch"]);
    let taken = open(&with).ask(frame());
    assert_eq!(taken["dispatched"]["plugin"], "faulty", "{taken}");
}

#[test]
fn a_token_ends_while_the_host_serves() {
    let site = Site::start();
    let path = "/api/ext/hello/whoami";
    let first = site.token("first", &[]);
    assert_eq!(get(&site.server, path, &first).status, 200);
    let lasting = Duration::from_millis(1);
    let (short, entry) = site.file.create("short", &[], Some(lasting)).unwrap();
    eventually("it has expired", || {
        let response = get(&site.server, path, short.reveal());
        response.status == 401 && response.text().contains("has expired")
    });
    assert!(entry.is_expired());
    assert_eq!(get(&site.server, path, &first).status, 200);
    site.file.revoke("first").unwrap();
    eventually("it is revoked", || {
        get(&site.server, path, &first).status == 401
    });
    let again = site.token("first", &[]);
    assert_eq!(get(&site.server, path, &again).status, 200);
    assert_eq!(get(&site.server, path, &first).status, 401);
}
