//! Do both samples answer the same, and what does the host answer for them?

use serde_json::json;

use super::support::server::Server;
use super::support::{FAULTY_C, HELLO_C, rust_plugin, shared_c_plugin};

/// Both samples, as far as they can be built here.
fn samples() -> (Server, Vec<&'static str>) {
    let mut files = vec![rust_plugin("hello")];
    let mut names = vec!["hello"];
    if let Some(file) = shared_c_plugin(HELLO_C) {
        files.push(file);
        names.push("hello-c");
    }
    let files: Vec<_> = files.iter().map(|file| file.as_path()).collect();
    (Server::start(&files), names)
}

/// A header that makes the request somebody's, in development.
const ACT_AS: &str = "x-exthost-actor";

#[test]
fn hello_greets_by_name() {
    let (server, names) = samples();
    let cases = [
        ("?name=World", json!({"message": "hello World"})),
        ("", json!({"message": "hello world"})),
        ("?other=1&name=A+B%20C", json!({"message": "hello A B C"})),
        ("?name=%22%5C%C3%A4%0A", json!({"message": "hello \"\\ä\n"})),
    ];
    for name in names {
        for (query, message) in &cases {
            let response = server.get(&format!("/api/ext/{name}/hello{query}"));
            assert_eq!(response.status, 200, "{name}{query}: {response:?}");
            assert_eq!(response.json(), *message);
            assert_eq!(response.header("content-type"), Some("application/json"));
        }
        let response = server.get(&format!("/api/ext/{name}/hello?name=%ff"));
        assert_eq!(response.status, 400, "{name}: {response:?}");
    }
}

#[test]
fn whoami_greets_the_actor() {
    let (server, names) = samples();
    let ada = r#"{"kind":"user","id":"u1","name":"Ada"}"#;
    let app = format!(r#"{{"kind":"token","id":"t","name":"App","on_behalf_of":{ada}}}"#);
    for name in names {
        let path = format!("/api/ext/{name}/whoami");
        let greeting = |headers: &[(&str, &str)]| {
            let response = server.request("GET", &path, headers, b"");
            assert_eq!(response.status, 200, "{name}: {response:?}");
            response.json()["message"].as_str().unwrap().to_owned()
        };
        assert_eq!(greeting(&[]), "hello developer");
        assert_eq!(greeting(&[(ACT_AS, ada)]), "hello Ada");
        assert_eq!(greeting(&[(ACT_AS, &app)]), "hello App on behalf of Ada");
        let nobody = [(ACT_AS, r#"{"kind":"anonymous"}"#)];
        let refused = server.request("GET", &path, &nobody, b"");
        assert_eq!((refused.status, &*refused.code()), (401, "unauthenticated"));
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn the_host_answers_head_options_and_what_is_not_there() {
    let (server, names) = samples();
    for name in names {
        let path = format!("/api/ext/{name}/hello");
        let head = server.connect().request("HEAD", &path, &[], b"").unwrap();
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        let options = server.request("OPTIONS", &path, &[], b"");
        assert_eq!(options.status, 204);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
        let post = server.request("POST", &path, &[], b"{}");
        assert_eq!((post.status, &*post.code()), (405, "method-not-allowed"));
        assert_eq!(post.header("allow"), Some("GET, HEAD, OPTIONS"));
        let missing = server.get(&format!("/api/ext/{name}/nothing"));
        assert_eq!((missing.status, &*missing.code()), (404, "no-such-route"));
    }
    let missing = server.get("/api/ext/nobody/hello");
    assert_eq!((missing.status, &*missing.code()), (404, "no-such-plugin"));
}

#[test]
fn a_request_id_is_kept_and_told() {
    let (server, _) = samples();
    let path = "/api/ext/hello/nothing";
    let response = server.request("GET", path, &[("x-request-id", "order-7")], b"");
    assert_eq!(response.header("x-request-id"), Some("order-7"));
    assert_eq!(response.json()["request_id"], "order-7");
    let response = server.request("GET", path, &[("x-request-id", "no spaces")], b"");
    assert_ne!(response.header("x-request-id"), Some("no spaces"));
    assert!(response.header("x-request-id").is_some());
}

#[test]
fn no_spelling_of_a_path_reaches_another_mount() {
    let (server, _) = samples();
    for path in [
        "/api/ext/nobody/../hello/hello",
        "/api/ext/nobody/%2e%2e/hello/hello",
        "/api/ext/nobody%2f..%2fhello/hello",
        "/api/ext/hello/..%2f..%2fhost/plugins",
        "/api/ext/hello//hello",
        "/api/ext//hello/hello",
        "/api/ext/HELLO/hello",
        "/api/ext/hel%6Co/hello",
        "/api/ext/hello/hello%00",
        "/api/ext/hello/hel\\lo",
    ] {
        let response = server.get(path);
        assert!(matches!(response.status, 400 | 404), "{path}: {response:?}");
    }
}

#[test]
fn pages_of_other_sites_are_kept_out_in_development() {
    let (server, _) = samples();
    let ask = |host: &str, origin: &str| {
        let mut connection = server.connect();
        let request = format!(
            "POST /api/host/plugins/hello/reload HTTP/1.1\r\nhost: {host}\r\n\
             origin: {origin}\r\ncontent-length: 0\r\n\r\n"
        );
        connection.send(request.as_bytes()).unwrap();
        connection.response(true).unwrap()
    };
    assert_eq!(ask("localhost:1", "http://localhost:3000").status, 200);
    assert_eq!(
        ask("evil.example", "http://localhost").code(),
        "host-not-loopback"
    );
    assert_eq!(
        ask("localhost", "http://evil.example").code(),
        "origin-not-loopback"
    );
    assert_eq!(ask("localhost", "null").code(), "origin-not-loopback");
}

#[test]
fn extractors_answer_what_is_wrong_with_a_request() {
    let server = Server::start(&[&rust_plugin("faulty")]);
    assert_eq!(server.get("/api/ext/faulty/items/7").status, 200);
    let response = server.get("/api/ext/faulty/items/seven");
    assert_eq!(response.status, 400, "{response:?}");
    let json = [("content-type", "application/json")];
    let echo = "/api/ext/faulty/echo";
    let response = server.request("POST", echo, &json, br#"{"a": [1, null]}"#);
    assert_eq!(response.json(), json!({"a": [1, null]}));
    let response = server.request("POST", echo, &json, br#"{"a": "#);
    assert_eq!(response.status, 400, "{response:?}");
    let response = server.request("POST", echo, &[], b"{}");
    assert_eq!(response.status, 415, "{response:?}");
    let response = server.request("POST", echo, &json, &vec![b' '; 2 * 1024 * 1024 + 1]);
    assert_eq!(
        (response.status, &*response.code()),
        (413, "body-too-large")
    );
}

#[test]
fn a_scope_is_asked_for_by_name() {
    let server = Server::start(&[&rust_plugin("faulty")]);
    let path = "/api/ext/faulty/scoped";
    let response = server.get(path);
    assert_eq!((response.status, &*response.code()), (403, "missing-scope"));
    assert!(response.text().contains("`admin`"), "{response:?}");
    let admin = r#"{"kind":"user","id":"u","scopes":["admin"]}"#;
    assert_eq!(
        server.request("GET", path, &[(ACT_AS, admin)], b"").status,
        200
    );
}

#[test]
fn a_status_of_a_c_handler_becomes_a_problem() {
    let Some(faulty) = shared_c_plugin(FAULTY_C) else {
        return;
    };
    let server = Server::start(&[&faulty]);
    for (status, http) in [
        (1, 400),
        (2, 403),
        (4, 404),
        (5, 409),
        (6, 413),
        (7, 503),
        (8, 504),
    ] {
        let response = server.get(&format!("/api/ext/faulty-c/fail?status={status}"));
        assert_eq!(response.status, http, "{response:?}");
        assert!(!response.json()["detail"].as_str().unwrap().is_empty());
    }
    let response = server.get("/api/ext/faulty-c/fail?status=12");
    assert_eq!((response.status, &*response.code()), (500, "internal"));
}

#[test]
fn tables_are_there_only_if_granted() {
    let Some(faulty) = shared_c_plugin(FAULTY_C) else {
        return;
    };
    let server = Server::start(&[&faulty]);
    let tables = server.get("/api/ext/faulty-c/tables").json();
    // webhooks/1 was not asked for, so its table is null: 2 is `denied`.
    let expected = json!([["db", 0], ["events", 0], ["broadcast", 0], ["webhooks", 2]]);
    assert_eq!(tables, expected);
}
