//! Do operators reach the filters and the plugins, over HTTP and by `exthost emit`,
//! and are they told what is wrong with what they send?

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::*;
use crate::support::exthost;
use crate::support::process::{Running, library_project};

#[test]
fn filters_decide_over_http_and_the_policy_says_what_a_failure_means() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    for how in ["append", "veto", "fail", "silent"] {
        let deadline_ms = if how == "silent" { 20 } else { 0 };
        let to = format!("as={how}&to=core.{how}.validate&deadline={deadline_ms}");
        subscribe(&server, "events-c", &to);
    }
    let failed = |why: &str| format!("its filter failed: {why}");
    for (how, policy, payload, reason) in [
        ("nobody", "fail_open", json!(1), None),
        ("nobody", "fail_closed", json!(1), None),
        ("append", "fail_open", json!(12), None),
        ("append", "fail_closed", json!(12), None),
        ("veto", "fail_open", json!(1), Some("it is evil".to_owned())),
        (
            "veto",
            "fail_closed",
            json!(1),
            Some("it is evil".to_owned()),
        ),
        ("fail", "fail_open", json!(1), None),
        ("fail", "fail_closed", json!(1), Some(failed("conflict"))),
        ("silent", "fail_open", json!(1), None),
        ("silent", "fail_closed", json!(1), Some(failed("timeout"))),
    ] {
        let name = format!("core.{how}.validate");
        let answer = ask(
            &server,
            &name,
            &format!("policy={policy}&deadline_ms=60000"),
            b"1",
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        let by = reason.as_ref().map(|_| "events-c");
        let expected = json!({
            "name": name, "content_type": "application/json", "payload": payload,
            "vetoed_by": by, "reason": reason,
        });
        assert_eq!(answer.json(), expected, "{how} {policy}");
    }
    let faults = server.plugin("events-c")["faults"].as_u64();
    assert!(faults >= Some(4), "each failure counts: {faults:?}");
    // Its request's own deadline, with no other.
    subscribe(&server, "events-c", "as=silent&to=mute");
    let answer = ask(&server, "mute", "policy=fail_closed&deadline_ms=20", b"1");
    assert_eq!(answer.json()["reason"], failed("timeout"));
}

#[test]
fn a_request_that_cannot_be_made_is_told_the_cure() {
    let Some(server) = serve(&Journal::new(), json!({}), |builder| builder) else {
        return;
    };
    let post = |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let path = format!("/api/host/{path}");
        server.request("POST", &path, headers, body)
    };
    let large = vec![b'1'; 1024 * 1024 + 1];
    let larger = vec![b'1'; 2 * 1024 * 1024];
    let closed = "events/a?policy=fail_closed";
    let sent = |data: Value| data.to_string().into_bytes();
    let to = |event: &str| sent(json!({"plugin": "events-c", "event": event}));
    for (path, headers, body, status, code, cure) in [
        (
            "events/a",
            JSON,
            b"1".to_vec(),
            400,
            "invalid",
            "policy=fail_open passes it over",
        ),
        (
            "events/a?policy=open",
            JSON,
            b"1".to_vec(),
            400,
            "invalid",
            "deadline_ms=5000",
        ),
        (
            "events/a?policy=fail_open&deadline_ms=-1",
            JSON,
            b"1".to_vec(),
            400,
            "invalid",
            "`-1` is no number of milliseconds",
        ),
        (
            "events/a..b?policy=fail_open",
            JSON,
            b"1".to_vec(),
            400,
            "invalid",
            "`a..b` is no event name; write tokens",
        ),
        (
            "events/a%FF?policy=fail_open",
            JSON,
            b"1".to_vec(),
            400,
            "invalid",
            "UTF-8",
        ),
        (
            closed,
            JSON,
            b"milk".to_vec(),
            400,
            "invalid",
            "the payload is not JSON",
        ),
        (
            closed,
            &[],
            b"milk".to_vec(),
            400,
            "invalid",
            "send JSON, or another content-type",
        ),
        (
            closed,
            JSON,
            large.clone(),
            413,
            "payload-too-large",
            "1048577 bytes, more than 1048576",
        ),
        (
            closed,
            JSON,
            larger.clone(),
            413,
            "payload-too-large",
            "has 1 MiB at most",
        ),
        (
            "dispatch",
            JSON,
            larger,
            413,
            "payload-too-large",
            "has 1 MiB at most",
        ),
        (
            "dispatch",
            JSON,
            b"{".to_vec(),
            400,
            "invalid",
            "send {\"plugin\": ..., \"event\": ",
        ),
        (
            "dispatch",
            JSON,
            sent(json!({"plugin": "events-c"})),
            400,
            "invalid",
            "missing field `event`",
        ),
        (
            "dispatch",
            JSON,
            sent(json!({"plugin": "a", "event": "b", "dta": 1})),
            400,
            "invalid",
            "unknown field `dta`",
        ),
        (
            "dispatch",
            &[],
            to("a"),
            415,
            "invalid",
            "as application/json",
        ),
        (
            "dispatch",
            JSON,
            to("a.*"),
            400,
            "invalid",
            "`a.*` is no event name",
        ),
        (
            "dispatch",
            JSON,
            sent(json!({"plugin": "nobody", "event": "a"})),
            404,
            "no-such-plugin",
            "no plugin named `nobody` is loaded",
        ),
    ] {
        let answer = post(path, headers, &body);
        assert_eq!(
            (answer.status, &*answer.code()),
            (status, code),
            "{path}: {answer:?}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(cure), "{path}: {detail}");
    }
    let mut quoted = large;
    quoted[0] = b'"';
    quoted[1024 * 1024 - 1] = b'"';
    let largest = post(closed, JSON, &quoted[..1024 * 1024]);
    assert_eq!(largest.status, 200);
    for text in ["milk", "1"] {
        let answer = post(closed, &[("content-type", "text/plain")], text.as_bytes());
        assert_eq!(answer.json()["payload"], text);
    }
    assert_eq!(server.get("/api/host/dispatch").status, 405);
}

/// `exthost emit` with these arguments, and what it reads.
fn emit(running: &Running, arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut child = exthost()
        .arg("emit")
        .args(arguments)
        .env("EXTHOST_URL", format!("http://{}", running.address))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn exthost_emit_asks_and_sends_under_the_operators_names() {
    let directory = tempfile::tempdir().unwrap();
    let Some(plugin) = shared_c_plugin(EVENTS_C) else {
        return;
    };
    if library_project(directory.path(), "events-c", &plugin).is_none() {
        return;
    }
    let journal = Journal::new();
    let config = format!(
        "[events.alias]\n\"user.added\" = \"user.created\"\n\n[plugin.events-c]\n\
         options = {{ journal = {:?}, hear = \"user.added\" }}\n\
         events.alias = {{ mine = \"user.created\" }}\n",
        journal.file("journal")
    );
    std::fs::write(directory.path().join("exthost.toml"), config).unwrap();
    let running = Running::start(directory.path());
    let emit = |arguments: &[&str], stdin: &str| emit(&running, arguments, stdin);
    let out = |arguments: &[&str], stdin: &str| {
        let (code, stdout, stderr) = emit(arguments, stdin);
        assert_eq!(stderr, "", "{arguments:?}");
        (code.unwrap(), stdout)
    };

    assert_eq!(out(&["user.added", "1"], ""), (0, "passed: 1\n".to_owned()));
    assert_eq!(
        out(&["user.created", "-"], "2\n"),
        (0, "passed: 2\n".to_owned())
    );
    let file = directory.path().join("data.json");
    std::fs::write(&file, "3").unwrap();
    let at = format!("@{}", file.display());
    assert_eq!(out(&["user.added", &at], ""), (0, "passed: 3\n".to_owned()));
    let queued = "queued for 1 subscription of events-c\n".to_owned();
    assert_eq!(
        out(&["user.added", "4", "--to", "events-c"], ""),
        (0, queued)
    );
    let nobody = "no subscription of events-c listens to other\n".to_owned();
    assert_eq!(out(&["--to", "events-c", "other"], ""), (0, nobody));
    journal.wait_for("user.created", |number| *number == 4);
    assert_eq!(journal.payloads("user.created"), [1, 2, 3, 4]);

    let path = "/api/ext/events-c/subscribe?as=veto&to=mine";
    assert_eq!(running.get(path).status, 200);
    let refuses = "events-c refuses: it is evil\n".to_owned();
    assert_eq!(out(&["user.added", "5"], ""), (1, refuses));
    let (code, answer) = out(&["user.created", "--json", "--policy", "fail-open"], "");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["vetoed_by"]), (1, &json!("events-c")));
    assert_eq!(answer["payload"], Value::Null);
    // A name of one plugin is not everybody's.
    assert_eq!(out(&["mine", "6"], ""), (0, "passed: 6\n".to_owned()));
    let asked = running
        .get("/api/ext/events-c/ask?name=mine&policy=1")
        .json();
    assert_eq!(asked["reason"], "it is evil");

    for (arguments, stdin, part) in [
        (&["user.added", "milk"][..], "", "as in '\"text\"'"),
        (&["user.added", "-"], "milk", "stdin is not JSON"),
        (
            &["user.added", "@no/such/file"],
            "",
            "`no/such/file` cannot be opened",
        ),
        (&["user..added"], "", "is no event name"),
        (
            &["a", "--to", "nobody"],
            "",
            "no plugin named `nobody` is loaded",
        ),
        (
            &["a", "--url", "http://127.0.0.1:1"],
            "",
            "no host answers at http://127.0.0.1:1",
        ),
    ] {
        let (code, stdout, stderr) = emit(arguments, stdin);
        assert_eq!((code, &*stdout), (Some(2), ""), "{arguments:?}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}
