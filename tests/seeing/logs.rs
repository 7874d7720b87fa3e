//! Is each line of the log there for those who ask, and in the form they ask for?

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::super::support::client::{Connection, Response};
use super::super::support::process::{Running, project};
use super::super::support::server::{Server, eventually};
use super::super::support::site::Site;
use super::super::support::{exthost, rust_plugin};
use super::{ask, printed};

const LOGS: &str = "/api/host/logs";

/// Writes a line as an operator.
fn inject(server: &Server, line: &Value) -> Response {
    let headers = [("content-type", "application/json")];
    server.request("POST", LOGS, &headers, line.to_string().as_bytes())
}

/// The messages that a query finds. The log is that of the process, in which other
/// tests run: each looks at lines of a name of its own.
fn messages(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("{LOGS}?{query}")).json();
    let lines = answer["lines"].as_array().unwrap();
    let message = |line: &Value| line["message"].as_str().unwrap().to_owned();
    lines.iter().map(message).collect()
}

#[test]
fn a_line_of_a_plugin_is_kept_with_its_request() {
    let server = Server::start(&[&rust_plugin("faulty")]);
    let headers = [("x-request-id", "seen-in-logs")];
    let path = "/api/ext/faulty/log";
    assert_eq!(server.request("GET", path, &headers, b"").status, 204);
    let answer = server
        .get(&format!("{LOGS}?plugin=faulty&level=warn&n=10000"))
        .json();
    let lines = answer["lines"].as_array().unwrap();
    let its: Vec<_> = lines
        .iter()
        .filter(|line| line["request_id"] == "seen-in-logs")
        .collect();
    assert_eq!(its.len(), 1, "{answer}");
    let line = its[0];
    assert_eq!(
        (&line["message"], &line["plugin"]),
        (&json!("a line from faulty"), &json!("faulty"))
    );
    assert_eq!(
        (&line["level"], &line["generation"]),
        (&json!("warn"), &json!(1))
    );
    assert_eq!(
        line["fields"],
        json!({ "request": "seen-in-logs", "answer": 42 })
    );
}

#[test]
fn lines_are_filtered_and_then_limited() {
    let server = Server::start(&[]);
    let written = |level: &str, message: &str| {
        let line = json!({"level": level, "message": message, "plugin": "seen-filters"});
        let response = inject(&server, &line);
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["number"].as_u64().unwrap()
    };
    written("error", "one");
    let second = written("warn", "two");
    written("info", "three");
    written("debug", "four");
    let find = |query: &str| messages(&server, &format!("plugin=seen-filters{query}"));
    assert_eq!(find(""), ["one", "two", "three", "four"]);
    assert_eq!(find("&level=warn"), ["one", "two"]);
    assert_eq!(find("&level=warn&n=1"), ["two"]);
    assert_eq!(find("&n=2"), ["three", "four"]);
    assert_eq!(find(&format!("&after={second}")), ["three", "four"]);
    assert_eq!(find("&since=2000-01-01T00%3A00%3A00Z&n=1"), ["four"]);
    assert!(find("&until=2000-01-01T00:00:00Z").is_empty());
    assert!(find("&since=99999999999999").is_empty());
    assert!(messages(&server, "plugin=seen-filter").is_empty());

    for query in ["level=loud", "since=now", "n=-1", "plugins=a"] {
        let response = server.get(&format!("{LOGS}?{query}"));
        assert_eq!(
            (response.status, &*response.code()),
            (400, "invalid"),
            "{query}"
        );
    }
}

#[test]
fn a_line_that_is_none_is_refused() {
    let server = Server::start(&[]);
    let long = "x".repeat(16 * 1024 + 1);
    for (line, status) in [
        (json!({"level": "loud", "message": "m"}), 400),
        (json!({"level": "INFO", "message": "m"}), 400),
        (json!({"message": "m"}), 400),
        (
            json!({"level": "info", "message": "m", "plugin": "No Name"}),
            400,
        ),
        (json!({"level": "info", "message": "m", "time": 1}), 400),
        (json!({"level": "info", "message": long}), 413),
        (
            json!({"level": "info", "message": "m", "fields": {"a": long.repeat(5)}}),
            413,
        ),
    ] {
        let response = inject(&server, &line);
        assert_eq!(response.status, status, "{response:?}");
        assert!(!response.code().is_empty());
    }
}

#[test]
fn the_command_shows_lines_and_goes_on_with_further_ones() {
    let server = Server::start(&[]);
    let line = |message: &str| {
        let line = json!({
            "level": "warn", "message": message, "plugin": "seen-command", "fields": {"a": 1},
        });
        assert_eq!(inject(&server, &line).status, 200);
    };
    line("first");
    let arguments = ["logs", "--plugin", "seen-command", "--since", "1h"];
    let output = ask(&server, &arguments);
    let text = printed(&output);
    assert!(text.ends_with(" WARN seen-command: first a=1\n"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");

    let mut following = exthost()
        .args(arguments)
        .args(["--json", "-f"])
        .env("EXTHOST_URL", format!("http://{}", server.address))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["message"], "first");
    line("second");
    line("third");
    assert_eq!(
        [next(), next()].map(|line| line["message"].clone()),
        ["second", "third"]
    );
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn a_line_stays_a_line_whatever_is_written() {
    let site = Site::new("");
    let token = site.token("operator", &["host.manage"]);
    let running = site.serve(&[]);
    let line = json!({
        "level": "warn", "plugin": "seen-forged",
        "message": "one\n2026-01-01T00:00:00.000000Z  INFO forged\r\u{1b}[2Jtwo",
        "fields": { "a": "three\nforged" },
    });
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let mut connection = Connection::open(running.address).unwrap();
    let injected = connection.request("POST", LOGS, &headers, line.to_string().as_bytes());
    assert_eq!(injected.unwrap().status, 200);
    let written = || {
        let log = running.log();
        log.lines()
            .find(|line| line.contains("one"))
            .map(str::to_owned)
    };
    eventually("the line is written", || written().is_some());
    let escaped = r"one\n2026-01-01T00:00:00.000000Z  INFO forged\r\u{1b}[2Jtwo";
    let written = written().unwrap();
    assert!(written.contains(escaped), "{written}");
    assert!(!running.log().contains("\nforged"), "{}", running.log());
}

#[test]
fn lines_are_json_if_asked_for_and_requests_have_one_each() {
    let directory = tempfile::tempdir().unwrap();
    if project(directory.path(), "faulty").is_none() {
        return;
    }
    let running = Running::start_with(directory.path(), "127.0.0.1:0", |command| {
        command
            .env("EXTHOST_LOG_FORMAT", "json")
            .env("EXTHOST_LOG", "info,exthost::request=debug")
    });
    assert_eq!(running.get("/api/ext/faulty/log?secret=1").status, 204);
    assert_eq!(running.get("/api/ext/faulty/panic").status, 500);
    let line = |target: &str, status: Option<u16>| {
        let log = running.log();
        // What make prints stands among them.
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let mut lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| {
            line["target"] == target && line["status"].as_u64() == status.map(u64::from)
        })
    };
    eventually("all lines are written", || {
        line("exthost::plugin", None).is_some()
            && line("exthost::fault", None).is_some()
            && line("exthost::request", Some(500)).is_some()
    });
    let of_plugin = line("exthost::plugin", None).unwrap();
    assert_eq!(
        (&of_plugin["plugin"], &of_plugin["level"]),
        (&json!("faulty"), &json!("WARN"))
    );
    assert_eq!(of_plugin["fields"]["answer"], 42, "{of_plugin}");
    let answered = line("exthost::request", Some(204)).unwrap();
    assert_eq!(answered["path"], "/api/ext/faulty/log", "{answered}");
    assert_eq!(
        (&answered["method"], &answered["actor"]),
        (&json!("GET"), &json!("user:developer"))
    );
    assert!(answered["ms"].as_f64().unwrap() > 0.0, "{answered}");
    assert_eq!(
        answered["request"], of_plugin["request"],
        "{answered} {of_plugin}"
    );
    assert_eq!(of_plugin["fields"]["request"], of_plugin["request"]);

    // What the host itself says is kept, and found by the plugin that it is about.
    let kept = running
        .get(&format!("{LOGS}?plugin=faulty&level=error"))
        .json();
    assert_eq!(kept["lines"][0]["target"], "exthost::fault", "{kept}");
    let kept = running.get(&format!("{LOGS}?plugin=faulty")).json();
    let lines = kept["lines"].as_array().unwrap();
    assert!(
        lines.iter().any(|line| line["message"] == "serving"),
        "{kept}"
    );
    assert!(
        !lines
            .iter()
            .any(|line| line["target"] == "exthost::request"),
        "{kept}"
    );
}
