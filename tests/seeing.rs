//! Do operators see what their plugins do: numbers, lists and lines?

/// Is each line of the log there for those who ask, and in the form they ask for?
mod logs;
/// Is `GET /metrics` well-formed, and does it move with what happens?
mod metrics;

use std::path::Path;
use std::process::Output;

use super::support::server::{Server, eventually};
use super::support::{exthost, rust_plugin};

/// Runs `exthost` against a server; returns what it printed.
fn ask(server: &Server, arguments: &[&str]) -> Output {
    let output = exthost()
        .args(arguments)
        .env("EXTHOST_URL", format!("http://{}", server.address))
        .env("NO_COLOR", "1")
        .output();
    output.unwrap()
}

fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap()
}

/// A host with two good plugins and a file that is none.
fn with_a_refusal() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let notes = directory.path().join("notes.txt");
    std::fs::write(&notes, "a note").unwrap();
    Server::start(&[&rust_plugin("faulty"), &rust_plugin("hello"), &notes])
}

#[test]
fn the_list_tells_what_serves_and_why_the_rest_does_not() {
    let server = with_a_refusal();
    assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
    assert_eq!(server.get("/api/ext/faulty/panic").status, 500);
    let output = ask(&server, &["list"]);
    let text = printed(&output);
    let lines: Vec<_> = text.lines().collect();
    let header: Vec<_> = lines[0].split_whitespace().collect();
    assert_eq!(header[..4], ["name", "version", "state", "generation"]);
    let cells = |name: &str| -> Vec<&str> {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().collect()
    };
    // Generation 1, two requests, no rate yet or one, one error.
    let faulty = cells("faulty");
    assert_eq!(faulty[2..5], ["serving", "1", "2"], "{text}");
    assert_eq!(faulty[6], "1", "{text}");
    assert_eq!(cells("hello")[2..5], ["serving", "1", "0"], "{text}");
    assert_eq!(cells("-")[2], "refused", "{text}");
    let file = server.plugin_file(Path::new("notes.txt"));
    let told = format!(
        "\n{} is refused: not-a-library\n  begins with",
        file.display()
    );
    assert!(text.contains(&told), "{text}");
    assert!(text.contains("\n  none of its code has run"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");

    let json: serde_json::Value =
        serde_json::from_slice(&ask(&server, &["list", "--json"]).stdout).unwrap();
    assert_eq!(json["plugins"][0]["totals"]["responses"], 2);
    assert_eq!(json["disabled"], serde_json::json!([]));
    let watch = ask(&server, &["list", "--watch"]);
    assert_eq!(watch.status.code(), Some(1), "{watch:?}");
    assert!(watch.stdout.is_empty(), "{watch:?}");
}

#[test]
fn the_status_tells_rates_after_a_while() {
    let server = Server::start(&[&rust_plugin("faulty")]);
    for _ in 0..3 {
        assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
    }
    assert_eq!(server.get("/api/ext/faulty/panic").status, 500);
    eventually("the rates are there", || {
        server.plugin("faulty")["rates"]["errors_per_s"].as_f64() > Some(0.0)
    });
    let rates = server.plugin("faulty")["rates"].clone();
    let number = |name: &str| rates[name].as_f64().unwrap();
    let requests = number("requests_per_s") * number("window_s");
    assert!((requests - 4.0).abs() < 1e-6, "{rates}");
    assert!(
        number("p50_ms") > 0.0 && number("p50_ms") <= number("p99_ms"),
        "{rates}"
    );
}

#[test]
fn totals_go_on_over_a_reload() {
    let server = Server::start(&[&rust_plugin("hello")]);
    assert_eq!(server.get("/api/ext/hello/hello").status, 200);
    let reload = "/api/host/plugins/hello/reload";
    assert_eq!(server.request("POST", reload, &[], b"").status, 200);
    assert_eq!(server.get("/api/ext/hello/hello").status, 200);
    let hello = server.plugin("hello");
    assert_eq!(
        (&hello["generation"], &hello["requests"]),
        (&2.into(), &1.into())
    );
    assert_eq!(hello["totals"]["responses"], 2, "{hello}");
}

#[test]
fn each_view_asks_for_a_scope_of_its_own() {
    let server = Server::start(&[]);
    let status = |method: &str, path: &str, scope: &str| {
        let actor = format!(r#"{{"kind":"user","id":"u","scopes":["{scope}"]}}"#);
        let headers = [
            ("x-exthost-actor", actor.as_str()),
            ("content-type", "application/json"),
        ];
        let line = br#"{"level":"info","message":"scoped","plugin":"seen-scopes"}"#;
        server.request(method, path, &headers, line).status
    };
    let views = [
        ("GET", "/metrics", "host.metrics"),
        ("GET", "/api/host/logs", "host.read"),
        ("POST", "/api/host/logs", "host.manage"),
    ];
    for (method, path, asked) in views {
        for (_, _, scope) in views {
            let expected = if scope == asked { 200 } else { 403 };
            assert_eq!(
                status(method, path, scope),
                expected,
                "{method} {path} {scope}"
            );
        }
    }
}

#[test]
fn every_shell_is_told_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = exthost().args(["completions", shell]).output().unwrap();
        let script = printed(&output);
        for word in ["inspect", "webhooks", "log-format"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
}
